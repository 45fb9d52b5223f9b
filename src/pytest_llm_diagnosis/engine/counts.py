"""What the engine has done so far, for the live line and the summary."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields


@dataclass(slots=True, kw_only=True)
class Counts:
    """Running totals of one process.

    `check_calls` are those that checks made: judges, embeddings; `retrieval_calls`
    those of retrieval.  `usd` sums the
    known prices; `unpriced` counts paid answers without one.  `waited` is the time
    calls spent before a repeated try, in seconds.
    """

    calls: int = 0
    probe_calls: int = 0
    check_calls: int = 0
    retrieval_calls: int = 0
    stored: int = 0
    in_flight: int = 0
    answered: int = 0
    failed: int = 0
    retries: int = 0
    waited: float = 0.0
    usd: float = 0.0
    unpriced: int = 0

    @classmethod
    def of_workers(cls, counts: Collection[Counts]) -> Counts:
        """Return what several processes of one run have done so far.

        What failed for one may be asked by the others too, so the most that one
        of them saw fail is taken for the failures of all.
        """
        summed = {
            each.name: sum(getattr(one, each.name) for one in counts)
            for each in fields(cls)
        }
        return cls(
            **{**summed, "failed": max((one.failed for one in counts), default=0)}
        )

    def to_dict(self) -> dict[str, int | float]:
        """Return the totals that outlive the run."""
        return {
            "calls": self.calls,
            "probe_calls": self.probe_calls,
            "check_calls": self.check_calls,
            "retrieval_calls": self.retrieval_calls,
            "stored": self.stored,
            "failed": self.failed,
            "retries": self.retries,
            "waited": round(self.waited, 3),
            "usd": self.usd,
            "unpriced": self.unpriced,
        }
