"""What each fix did in this run, and what it costs: the fix ladder.

A fix was tried where a failing case was asked under it: by an arm of the probes,
or by a variant of the run that gives just that.  Its price is paired: what the
same cases cost under it beyond what they cost unchanged.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_llm_diagnosis.records import (
    Arm,
    Ask,
    CaseResult,
    Given,
    Kind,
    Trial,
)

from .counting import NOT_VOTING, Found, found
from .flips import compare
from .spending import Spending, extra_spending
from .tried import LADDER, Fix, FixKind

_ARMS: Mapping[Arm, tuple[FixKind, ...]] = {
    "S": ("instruction",),
    "X": ("instruction", "examples"),
    "E": ("passage",),
    "ES": ("instruction", "passage"),
    "EX": ("instruction", "examples", "passage"),
}
_GIVEN: Mapping[str, FixKind] = {
    "system": "instruction",
    "examples": "examples",
    "context": "long_context",
    "retrieve": "retrieval",
}
_OF_KIND: Mapping[Kind, FixKind] = {
    "prompt": "instruction",
    "examples": "examples",
    "long_context": "long_context",
    "retrieval": "retrieval",
    "weights": "weights",
    "app": "app",
}
_ASKS = frozenset({"model", "call", "script"})
_UNCHANGED = "unchanged"


def ladder(
    name: str,
    by_variant: Mapping[str, Sequence[CaseResult]],
    given: Sequence[Given] = (),
) -> tuple[Fix, ...]:
    """Return the fixes that were tried for a variant, the cheapest to try first.

    Without `given` it is not known what other variants give, so only the probes'
    arms count.
    """
    fixes = [*_arms(found(by_variant[name])), *_siblings(name, by_variant, given)]
    return tuple(sorted(fixes, key=_dearness))


def _dearness(fix: Fix) -> tuple[int, int, str]:
    rungs = [LADDER.index(kind) for kind in fix.kinds]
    return max(rungs), len(rungs), fix.variant


# -- by the probes' arms ---------------------------------------------------


def _arms(asked: Sequence[Found]) -> Iterator[Fix]:
    # A case that passes unchanged would pass under any fix.
    repeating = [
        one
        for one in asked
        if one.finding.cause != "unstable" and one.finding.cause not in NOT_VOTING
    ]
    for arm, kinds in _ARMS.items():
        tried = [one for one in repeating if _answered(one, arm)]
        if tried:
            yield Fix(
                kinds=kinds,
                arm=arm,
                fixed=sum(_is_fixed(one, arm) for one in tried),
                tried=len(tried),
                extra=_extra(tried, arm),
            )


def _answered(one: Found, arm: Arm) -> list[Ask]:
    return [ask for ask in one.finding.arms.get(arm, ()) if not ask.error]


def _is_fixed(one: Found, arm: Arm) -> bool:
    passed = [ask.passed for ask in _answered(one, arm)]
    return passed.count(True) > passed.count(False)


def _extra(tried: Iterable[Found], arm: Arm) -> Spending:
    """Return what an arm costs beyond the controls, asked beside it.

    First answers wait for each other in a server's queue, so their seconds are
    those of another load; they stand in where there was no control.
    """
    results: list[CaseResult] = []
    for one in tried:
        controls = _trials(_answered(one, "R")) or one.result.trials
        results += [
            replace(one.result, variant=_UNCHANGED, trials=controls),
            replace(one.result, variant=arm, trials=_trials(_answered(one, arm))),
        ]
    return extra_spending(results, base=_UNCHANGED, other=arm)


def _trials(asks: Iterable[Ask]) -> tuple[Trial, ...]:
    return tuple(ask.trial for ask in asks if ask.trial is not None)


# -- by other variants -----------------------------------------------------


def _siblings(
    name: str, by_variant: Mapping[str, Sequence[CaseResult]], given: Sequence[Given]
) -> Iterator[Fix]:
    known = {one.name: one for one in given}
    for other in by_variant:
        if other == name or other not in known or name not in known:
            continue
        kinds = kinds_given(known[name], known[other], given)
        if not kinds:
            continue
        change = compare(by_variant[name], by_variant[other])
        results = [*by_variant[name], *by_variant[other]]
        if change.failing:
            yield Fix(
                kinds=kinds,
                variant=other,
                fixed=len(change.fixed),
                tried=change.failing,
                broken=len(change.broken),
                passing=change.passing,
                extra=extra_spending(results, base=name, other=other),
            )


def kinds_given(
    base: Given, other: Given, given: Sequence[Given]
) -> tuple[FixKind, ...]:
    """Return what `other` gives beyond `base`, in the ladder's order.

    Empty where nothing that is a fix differs, such as settings alone, and where
    `other` lacks what `base` has.  `given` are all variants: one of them tells
    whether another model is a tuned one.
    """
    changes = base.changes.get(other.name, ())
    given_anew = {one for one in changes if one in _GIVEN}
    if not given_anew.issubset(other.gives):
        return ()
    kinds: set[FixKind] = {_GIVEN[one] for one in given_anew}
    if _ASKS.intersection(changes):
        if _is_tuned(base, given) and not _is_tuned(other, given):
            return ()
        kinds.add(_asked_kind(other, kinds, given))
    return tuple(kind for kind in LADDER if kind in kinds)


def _is_tuned(variant: Given, given: Sequence[Given]) -> bool:
    tuned = {one.model for one in given if one.kind == "weights" and one.model}
    return variant.kind == "weights" or variant.model in tuned


def _asked_kind(other: Given, kinds: set[FixKind], given: Sequence[Given]) -> FixKind:
    """Return what it means that another model answers."""
    if _is_tuned(other, given):
        return "weights"
    kind = _OF_KIND[other.kind]
    if other.model and (kind == "instruction" or kind in kinds):
        return "model"
    return kind
