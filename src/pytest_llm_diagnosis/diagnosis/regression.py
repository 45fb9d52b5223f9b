"""What changed against an earlier run of the same cases, and whether it is worse.

Cases are paired by node id and variant, so each variant is compared with itself.
A baseline decides by the first rule that fits (`VariantComparison.result`):

- *fail*: the one-sided mid-p of the broken against the fixed cases is under .05
  (adjusted after Holm where several variants are compared), or a critical case
  went from all trials passing to none;
- *pass*: the lower one-sided 95% bound of (fixed - broken) / pairs is above minus
  the margin;
- *inconclusive*: neither is shown.  More cases are what would tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias, cast

from pytest_llm_diagnosis.records import CaseResult, Json, JsonObject
from pytest_llm_diagnosis.stats import (
    holm,
    mcnemar_midp,
    mcnemar_midp_one_sided,
    paired_difference_low,
)

from .counting import graded
from .flips import FEW_DISCORDANT
from .records import Diagnosis, VariantDiagnosis
from .tried import Changed

MARGIN = 0.10
"""How large a drop of the pass rate is still taken for none."""
LEVEL = 0.05
Regression: TypeAlias = Literal["fail", "pass", "inconclusive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantComparison:
    """What changed in one variant over the cases graded in both runs.

    Of the paired cases `failing` and `passing` did so before.  `critical` are the
    critical ones that went from all trials passing to none.  `ungraded` cases are
    in both runs, but got no grade in one of them.  `worse` is the one-sided mid-p
    of getting worse, None without a pair.  `before` is the earlier diagnosis.
    """

    variant: str
    fixed: tuple[Changed, ...] = ()
    broken: tuple[Changed, ...] = ()
    critical: tuple[Changed, ...] = ()
    failing: int = 0
    passing: int = 0
    ungraded: int = 0
    only_before: int = 0
    only_after: int = 0
    worse: float | None = None
    before: VariantDiagnosis | None = None

    @property
    def pairs(self) -> int:
        """How many cases were graded in both runs."""
        return self.failing + self.passing

    @property
    def p(self) -> float | None:
        """The two-sided McNemar mid-p; None below 5 discordant pairs."""
        fixed, broken = len(self.fixed), len(self.broken)
        return mcnemar_midp(fixed, broken) if fixed + broken >= FEW_DISCORDANT else None

    @property
    def low(self) -> float | None:
        """The lower one-sided 95% bound of the change of the pass rate."""
        return paired_difference_low(len(self.fixed), len(self.broken), self.pairs)

    def result(self, margin: float = MARGIN) -> Regression | None:
        """Return whether it got worse; None without a pair."""
        if self.worse is None or self.low is None:
            return None
        if self.worse < LEVEL or self.critical:
            return "fail"
        return "pass" if self.low > -margin else "inconclusive"

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict, with what follows from its counts."""
        return {
            "variant": self.variant,
            "pairs": self.pairs,
            "failing": self.failing,
            "passing": self.passing,
            "fixed": [one.to_dict() for one in self.fixed],
            "broken": [one.to_dict() for one in self.broken],
            "critical": [one.to_dict() for one in self.critical],
            "ungraded": self.ungraded,
            "only_before": self.only_before,
            "only_after": self.only_after,
            "p": self.p,
            "worse": self.worse,
            "low": self.low,
            "before": None if self.before is None else self.before.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> VariantComparison:
        """Return the record that `to_dict` described."""
        before = cast("JsonObject | None", data["before"])
        return cls(
            variant=str(data["variant"]),
            fixed=_changed(data, "fixed"),
            broken=_changed(data, "broken"),
            critical=_changed(data, "critical"),
            failing=cast("int", data["failing"]),
            passing=cast("int", data["passing"]),
            ungraded=cast("int", data["ungraded"]),
            only_before=cast("int", data["only_before"]),
            only_after=cast("int", data["only_after"]),
            worse=cast("float | None", data["worse"]),
            before=None if before is None else VariantDiagnosis.from_dict(before),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A run against its baseline: `path` is the earlier report, as it was given."""

    path: str
    started: str
    margin: float = MARGIN
    variants: tuple[VariantComparison, ...] = ()

    def of(self, variant: str) -> VariantComparison | None:
        """Return what changed in a variant; None where neither run has it."""
        return next((one for one in self.variants if one.variant == variant), None)

    @property
    def results(self) -> Mapping[str, Regression | None]:
        """The result of each variant."""
        return {one.variant: one.result(self.margin) for one in self.variants}

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict, each variant with its result."""
        return {
            "path": self.path,
            "started": self.started,
            "margin": self.margin,
            "variants": [
                {**one.to_dict(), "result": one.result(self.margin)}
                for one in self.variants
            ],
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Comparison:
        """Return the record that `to_dict` described."""
        variants = cast("Sequence[JsonObject]", data["variants"])
        return cls(
            path=str(data["path"]),
            started=str(data["started"]),
            margin=cast("float", data["margin"]),
            variants=tuple(map(VariantComparison.from_dict, variants)),
        )


class Earlier(NamedTuple):
    """An earlier run: its cases, and what they came to."""

    results: Sequence[CaseResult]
    diagnosis: Diagnosis


def compare_variants(
    before: Earlier, after: Sequence[CaseResult]
) -> tuple[VariantComparison, ...]:
    """Return what changed in each variant, those of the later run first."""
    known = {one.name: one for one in before.diagnosis.variants}
    names = dict.fromkeys(one.variant for one in (*after, *before.results))
    found = [
        replace(
            _compared(name, _of(before.results, name), _of(after, name)),
            before=known.get(name),
        )
        for name in names
    ]
    return tuple(_adjusted(found))


def _of(results: Iterable[CaseResult], variant: str) -> dict[str, CaseResult]:
    return {one.nodeid: one for one in results if one.variant == variant}


def _compared(
    variant: str, before: Mapping[str, CaseResult], after: Mapping[str, CaseResult]
) -> VariantComparison:
    both = [(before[name], after[name]) for name in after if name in before]
    pairs = [pair for pair in both if len(graded(pair)) == len(pair)]
    fixed = [b for a, b in pairs if a.outcome == "failed" and b.outcome == "passed"]
    broken = [b for a, b in pairs if a.outcome == "passed" and b.outcome == "failed"]
    worse = mcnemar_midp_one_sided(len(broken), len(fixed)) if pairs else None
    return VariantComparison(
        variant=variant,
        fixed=_places(fixed),
        broken=_places(broken),
        critical=_places(b for a, b in pairs if _is_lost(a, b)),
        failing=sum(a.outcome == "failed" for a, _ in pairs),
        passing=sum(a.outcome == "passed" for a, _ in pairs),
        ungraded=len(both) - len(pairs),
        only_before=len(before) - len(both),
        only_after=len(after) - len(both),
        worse=worse,
    )


def _is_lost(before: CaseResult, after: CaseResult) -> bool:
    """Whether a critical case went from all trials passing to none."""
    return (
        (before.critical or after.critical)
        and before.outcome == "passed"
        and all(trial.grade.all_passed is True for trial in before.trials)
        and not any(trial.grade.all_passed is True for trial in after.trials)
    )


def _adjusted(found: Sequence[VariantComparison]) -> Iterator[VariantComparison]:
    """Yield the comparisons with `worse` adjusted for being several."""
    adjusted = iter(holm([one.worse for one in found if one.worse is not None]))
    for one in found:
        yield one if one.worse is None else replace(one, worse=next(adjusted))


def _places(results: Iterable[CaseResult]) -> tuple[Changed, ...]:
    places = (Changed(file=one.file, line=one.line, id=one.id) for one in results)
    return tuple(sorted(places))


def _changed(data: JsonObject, name: str) -> tuple[Changed, ...]:
    return tuple(map(Changed.from_dict, cast("Sequence[JsonObject]", data[name])))
