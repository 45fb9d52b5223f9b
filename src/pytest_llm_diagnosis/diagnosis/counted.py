"""What is counted of a variant's cases, as records with their dict round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from pytest_llm_diagnosis.records import Cause, Flat, Json, JsonObject, Mark
from pytest_llm_diagnosis.stats import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """`failed` of `cases` with a 95% interval; None when nothing was counted.

    `estimated` says that only a sample of the failing cases was probed and the
    count stands for all of them.
    """

    failed: int
    cases: int
    interval: Interval | None = None
    estimated: bool = False

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "failed": self.failed,
            "cases": self.cases,
            "interval": list(self.interval) if self.interval else None,
            "estimated": self.estimated,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Rate:
        """Return the record that `to_dict` described."""
        ends = cast("Sequence[float] | None", data["interval"])
        return cls(
            failed=cast("int", data["failed"]),
            cases=cast("int", data["cases"]),
            interval=Interval(*ends) if ends else None,
            estimated=bool(data.get("estimated", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread(Flat):
    """Over how many `clusters` the `cases` that could fail for a side lie.

    `by_file` says that a file stands for some of them, for want of a `cluster:`
    and of evidence.
    """

    cases: int
    clusters: int
    by_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPart(Flat):
    """How many failing cases failed on facts only, form only, both, or neither.

    Those of neither failed on `limits` alone, or a judge alone rejected them.
    """

    facts: int = 0
    form: int = 0
    both: int = 0
    limits: int = 0
    judged: int = 0

    @property
    def without_cause(self) -> int:
        """Cases for which no cause is looked for."""
        return self.limits + self.judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Costumes(Flat):
    """Cases whose mark or failing check says one side and the cause the other.

    `knew` failed a fact check though it knew, `ignorant` broke its form because
    it did not know, `marked` is only marked as the other side.
    """

    knew: int = 0
    ignorant: int = 0
    marked: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.knew + self.ignorant + self.marked


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Spotted(Flat):
    """A case worth a look, where it stands, and the cause that was found.

    `failed` is the dimension that failed where the mark agrees with the cause.
    """

    file: str
    line: int
    id: str
    mark: Mark
    cause: Cause
    failed: str = ""
