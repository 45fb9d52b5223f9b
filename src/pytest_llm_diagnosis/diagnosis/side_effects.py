"""What a fine-tune fixed and broke beside its base, and where it only learnt the form.

A fine-tune on a knowledge gap answers wrongly in the house style: the form is
right, so the answer looks right, and the fact is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.records import (
    MARKS,
    CaseResult,
    Given,
)
from pytest_llm_diagnosis.stats import holm, mcnemar_midp

from .compared import Flip
from .counting import graded
from .flips import FEW_DISCORDANT
from .ladder import kinds_given
from .tried import Changed, MarkEffect, SideEffects


class _Pair(NamedTuple):
    """A case under the base and under the tuned variant."""

    before: CaseResult
    after: CaseResult


class _Shown(NamedTuple):
    """Whether facts and form passed in most trials; None where that is open."""

    facts: bool | None
    form: bool | None


def side_effects(
    by_variant: Mapping[str, Sequence[CaseResult]],
    given: Sequence[Given],
    flips: Sequence[Flip] = (),
) -> tuple[SideEffects, ...]:
    """Return what each tuned variant of the run changed beside its base.

    Where `flips` compare the same two variants, their p is taken, so that one
    comparison has one p.
    """
    found = [
        _beside(base, tuned, by_variant)
        for tuned in by_variant
        if (base := base_of(tuned, list(by_variant), given)) is not None
    ]
    return tuple(_adjusted([one for one in found if one.marks], flips))


def base_of(tuned: str, names: Sequence[str], given: Sequence[Given]) -> str | None:
    """Return the first variant that differs from a tuned one in its weights alone."""
    known = {one.name: one for one in given}
    if tuned not in known:
        return None
    for name in names:
        if name != tuned and name in known and known[name].kind != "weights":
            kinds = kinds_given(known[name], known[tuned], given)
            if kinds == ("weights",):
                return name
    return None


def _beside(
    base: str, tuned: str, by_variant: Mapping[str, Sequence[CaseResult]]
) -> SideEffects:
    before = {(one.file, one.id): one for one in graded(by_variant[base])}
    after = {(one.file, one.id): one for one in graded(by_variant[tuned])}
    pairs = [_Pair(before[key], after[key]) for key in before if key in after]
    checked = [pair for pair in pairs if _tells_both(pair)]
    styled = [pair for pair in checked if _is_styled(pair)]
    return SideEffects(
        variant=tuned,
        base=base,
        marks=tuple(_effects(pairs)),
        facts=len(checked),
        styled=_places([pair.after for pair in styled]),
        knew=sum(_shown(pair.before).facts is True for pair in styled),
    )


def _effects(pairs: Sequence[_Pair]) -> Iterator[MarkEffect]:
    for mark in MARKS:
        group = [pair for pair in pairs if pair.before.mark == mark]
        if group:
            failing = [pair for pair in group if pair.before.outcome == "failed"]
            passing = [pair for pair in group if pair.before.outcome == "passed"]
            fixed = [one.after for one in failing if one.after.outcome == "passed"]
            broken = [one.after for one in passing if one.after.outcome == "failed"]
            yield MarkEffect(
                mark=mark,
                failing=len(failing),
                passing=len(passing),
                fixed=_places(fixed),
                broken=_places(broken),
                p=_midp(len(fixed), len(broken)),
            )


def _midp(fixed: int, broken: int) -> float | None:
    return mcnemar_midp(fixed, broken) if fixed + broken >= FEW_DISCORDANT else None


def _tells_both(pair: _Pair) -> bool:
    return all(None not in _shown(one) for one in pair)


def _is_styled(pair: _Pair) -> bool:
    before, after = map(_shown, pair)
    return after == _Shown(facts=False, form=True) and before.form is False


def _shown(result: CaseResult) -> _Shown:
    grades = [trial.grade for trial in result.trials if trial.error is None]
    return _Shown(
        _mostly([grade.passed("facts") for grade in grades]),
        _mostly([grade.passed("form") for grade in grades]),
    )


def _mostly(seen: Sequence[bool | None]) -> bool | None:
    counts = Counter(seen)
    if counts[True] == counts[False]:
        return None
    return counts[True] > counts[False]


def _adjusted(
    found: Sequence[SideEffects], flips: Sequence[Flip]
) -> Iterator[SideEffects]:
    known = {(flip.from_, flip.to, flip.mark): flip.p for flip in flips}
    own = [
        mark.p
        for one in found
        for mark in one.marks
        if mark.p is not None and (one.base, one.variant, mark.mark) not in known
    ]
    adjusted = iter(holm(own))
    for one in found:
        marks = []
        for mark in one.marks:
            key = one.base, one.variant, mark.mark
            p = mark.p
            if key in known:
                p = known[key]
            elif p is not None:
                p = next(adjusted)
            marks.append(replace(mark, p=p))
        yield replace(one, marks=tuple(marks))


def _places(results: Sequence[CaseResult]) -> tuple[Changed, ...]:
    places = (Changed(file=one.file, line=one.line, id=one.id) for one in results)
    return tuple(sorted(places))
