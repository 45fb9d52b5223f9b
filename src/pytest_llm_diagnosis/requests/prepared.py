"""A case bound to its checks, and what they say of it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.checks import Check
from pytest_llm_diagnosis.records import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A case ready to be asked: its node id and its checks, bound.

    `gold` holds the texts that give its answer away; `form_demand` is what the
    form checks say of themselves, used where the case has no instruction.
    """

    nodeid: str
    case: Case
    checks: tuple[Check, ...]
    gold: frozenset[str]
    form_demand: str

    @classmethod
    def of(cls, nodeid: str, case: Case, checks: tuple[Check, ...]) -> Prepared:
        """Return the case with what its bound checks say."""
        demands = [
            check.describe() for check in checks if check.spec.dimension == "form"
        ]
        gold = (text.casefold() for check in checks for text in check.gold())
        return cls(
            nodeid=nodeid,
            case=case,
            checks=checks,
            gold=frozenset(gold),
            form_demand=" ".join(filter(None, demands)),
        )

    @property
    def instruction(self) -> str:
        """What arm `S` states; empty when there is nothing to state."""
        return self.case.instruction or self.form_demand

    @property
    def cluster(self) -> str:
        """What is resampled together: `cluster:`, else the evidence, else the file."""
        if self.case.cluster:
            return self.case.cluster
        if self.case.evidence:
            return self.case.evidence[0].id
        return self.nodeid.partition("::")[0]
