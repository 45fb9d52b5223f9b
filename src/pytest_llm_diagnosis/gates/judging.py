"""Whether a gate holds of a run: every comparison with the value it met."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from pytest_llm_diagnosis.diagnosis import (
    Comparison,
    Diagnosis,
    Rate,
    VariantComparison,
    VariantDiagnosis,
)

from .grammar import parse
from .terms import (
    OPERATORS,
    CountTerm,
    Joined,
    Leaf,
    Negated,
    RateTerm,
    RegressionTerm,
    Scoped,
    Term,
    VerdictTerm,
)

Missing: TypeAlias = Literal[
    "no_variants",
    "no_such_variant",
    "no_cases",
    "not_probed",
    "no_baseline",
    "no_pairs",
]
_SIDES = ("knowledge", "behavior", "both")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """A gate as written, and what it says."""

    text: str
    term: Term

    @classmethod
    def read(cls, text: str) -> Gate:
        """Return the gate of a text; raises `GateError`."""
        return cls(text=text.strip(), term=parse(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One comparison of a gate with what was found in a variant.

    `holds` is None where the value is undefined, for the reason `missing`.
    `rate` is that of failures, as the diagnosis counts them; `value` is the rate of
    passes or its end, the count, or the kind of the verdict.
    """

    variant: str
    text: str
    holds: bool | None
    value: float | str | None = None
    rate: Rate | None = None
    compared: VariantComparison | None = None
    inconclusive: bool = False
    missing: Missing | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether a gate holds, with every comparison that it made."""

    gate: Gate
    passed: bool
    measures: tuple[Measure, ...]


class _Run(NamedTuple):
    diagnosis: Diagnosis
    comparison: Comparison | None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.diagnosis.variants)


def judge(
    gate: Gate, diagnosis: Diagnosis, comparison: Comparison | None = None
) -> Judged:
    """Return whether a gate holds of a diagnosed run.

    An undefined value fails it, and so does a run without variants.
    """
    run = _Run(diagnosis, comparison)
    measures: list[Measure] = []
    # Every comparison is made, so no generator: `all` would stop at the first.
    holds = [_holds(gate.term, name, run, measures) for name in run.names]
    if not holds:
        none = Measure(variant="", text=gate.text, holds=None, missing="no_variants")
        measures.append(none)
    defined = all(one.holds is not None for one in measures)
    told = tuple({(one.variant, one.text): one for one in measures}.values())
    return Judged(gate=gate, passed=defined and all(holds), measures=told)


def _holds(term: Term, variant: str, run: _Run, measures: list[Measure]) -> bool:
    """Return whether a term holds of a variant, and add what was measured."""
    match term:
        case Joined():
            parts = [_holds(part, variant, run, measures) for part in term.parts]
            return all(parts) if term.word == "and" else any(parts)
        case Negated():
            return not _holds(term.part, variant, run, measures)
        case Scoped():
            parts = [_holds(term.part, name, run, measures) for name in term.variants]
            return all(parts)
        case _:
            measure = _measure(term, variant, run)
            measures.append(measure)
            return measure.holds is True


def _measure(leaf: Leaf, variant: str, run: _Run) -> Measure:
    found = next((one for one in run.diagnosis.variants if one.name == variant), None)
    if found is None:
        return _undefined(leaf, variant, "no_such_variant")
    match leaf:
        case RateTerm():
            return _rate(leaf, found)
        case CountTerm():
            value = _COUNTS[leaf.count](found)
            holds = OPERATORS[leaf.operator](value, leaf.bound)
            return Measure(variant=variant, text=leaf.text, holds=holds, value=value)
        case VerdictTerm():
            return _verdict(leaf, found)
        case RegressionTerm():
            return _regression(leaf, variant, run.comparison)


def _undefined(leaf: Leaf, variant: str, missing: Missing) -> Measure:
    return Measure(variant=variant, text=leaf.text, holds=None, missing=missing)


_COUNTS: dict[str, Callable[[VariantDiagnosis], int]] = {
    "cases": lambda found: found.cases,
    "failed": lambda found: found.failing,
    "errors": lambda found: found.errors,
    "skipped": lambda found: found.skipped,
}


def _rate(leaf: RateTerm, found: VariantDiagnosis) -> Measure:
    rate = found.rates.get(leaf.mark)
    if rate is None or not rate.cases or rate.interval is None:
        return _undefined(leaf, found.name, "no_cases")
    value = {
        "": (rate.cases - rate.failed) / rate.cases,
        "low": 1 - rate.interval.high,
        "high": 1 - rate.interval.low,
    }[leaf.end]
    holds = OPERATORS[leaf.operator](value, leaf.bound)
    return Measure(
        variant=found.name, text=leaf.text, holds=holds, value=value, rate=rate
    )


def _verdict(leaf: VerdictTerm, found: VariantDiagnosis) -> Measure:
    verdict = found.verdict
    if verdict.kind == "not_probed" and leaf.kind != "not_probed":
        return _undefined(leaf, found.name, "not_probed")
    if not found.cases:
        return _undefined(leaf, found.name, "no_cases")
    unsettled = verdict.kind in _SIDES and not verdict.settled
    kind = "unsettled" if unsettled else verdict.kind
    holds = (kind == leaf.kind) is (leaf.operator == "==")
    return Measure(variant=found.name, text=leaf.text, holds=holds, value=kind)


def _regression(
    leaf: RegressionTerm, variant: str, comparison: Comparison | None
) -> Measure:
    if comparison is None:
        return _undefined(leaf, variant, "no_baseline")
    compared = comparison.of(variant)
    margin = comparison.margin if leaf.margin is None else leaf.margin
    result = None if compared is None else compared.result(margin)
    if result is None:
        return _undefined(leaf, variant, "no_pairs")
    return Measure(
        variant=variant,
        text=leaf.text,
        holds=result == "pass" or (result == "inconclusive" and not leaf.strict),
        value=result,
        compared=compared,
        inconclusive=result == "inconclusive",
    )
