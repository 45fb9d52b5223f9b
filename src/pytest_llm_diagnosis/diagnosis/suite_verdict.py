"""What the causes of a variant come to, as a record with its dict round trip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_llm_diagnosis.records import Flat

VerdictKind: TypeAlias = Literal[
    "no_failures",
    "not_probed",
    "withheld",
    "unstable",
    "too_little_data",
    "knowledge",
    "behavior",
    "both",
    "neither_yet",
]
Side: TypeAlias = Literal["knowledge", "behavior", "both"]
WithheldReason: TypeAlias = Literal["calls_failed", "faulty_checks", "no_evidence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteVerdict(Flat):
    """What the causes of a variant come to.

    `probability` is that of the kind, None where the kind follows from none.
    `leaning` is the likeliest side with its probability, settled or not;
    `count` of `of` attributable failures point to it, and `enough` of
    `enough_of` would settle it.  `deep_probability` is that of over half of
    the behaviour side surviving instruction and examples; `fine_tune` says
    that side and depth together are certain enough.  `reason` is why a verdict
    is withheld; `no_evidence` counts failed fact checks, not attributable ones.
    `upper_bound` is the share of failures that a run without any still allows.
    """

    kind: VerdictKind
    settled: bool = False
    probability: float | None = None
    leaning: Side | None = None
    leaning_probability: float | None = None
    count: int = 0
    of: int = 0
    enough: int | None = None
    enough_of: int | None = None
    deep_probability: float | None = None
    fine_tune: bool = False
    reason: WithheldReason | None = None
    upper_bound: float | None = None

    @property
    def fine_tune_probability(self) -> float:
        """How likely it is that behaviour fails, and most of it deeply."""
        if self.kind != "behavior":
            return 0.0
        return (self.probability or 0.0) * (self.deep_probability or 0.0)
