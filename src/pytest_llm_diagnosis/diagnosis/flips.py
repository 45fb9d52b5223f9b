"""What one variant fixes and breaks of another's cases, and what confounds it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytest_llm_diagnosis.records import (
    MARKS,
    Arm,
    CaseResult,
    Json,
    JsonObject,
    Mark,
)
from pytest_llm_diagnosis.stats import holm, mcnemar_midp

from .compared import Confound, Flip
from .counting import graded

FEW_DISCORDANT = 5
"""Below this many changed cases no difference can be told at 5%."""
CaseKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The cases, by id, that differ between two runs of the same cases.

    `p` is the McNemar mid-p, None below 5 discordant pairs.
    """

    fixed: tuple[str, ...]
    broken: tuple[str, ...]
    failing: int
    passing: int

    @property
    def p(self) -> float | None:
        """Whether so lopsided a change comes by chance."""
        fixed, broken = len(self.fixed), len(self.broken)
        if fixed + broken < FEW_DISCORDANT:
            return None
        return mcnemar_midp(fixed, broken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What a full run of a variant under a fix changed."""

    variant: str
    arm: Arm
    change: Change

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "variant": self.variant,
            "arm": self.arm,
            "fixed": list(self.change.fixed),
            "broken": list(self.change.broken),
            "failing": self.change.failing,
            "passing": self.change.passing,
            "cases": self.change.failing + self.change.passing,
            "p": self.change.p,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Confirmation:
        """Return the record that `to_dict` described."""
        return cls(
            variant=str(data["variant"]),
            arm=cast("Arm", data["arm"]),
            change=Change(
                fixed=tuple(cast("Sequence[str]", data["fixed"])),
                broken=tuple(cast("Sequence[str]", data["broken"])),
                failing=cast("int", data["failing"]),
                passing=cast("int", data["passing"]),
            ),
        )


def compare(before: Iterable[CaseResult], after: Iterable[CaseResult]) -> Change:
    """Return what changed between two runs, over the cases graded in both."""
    old = {_key(one): one for one in graded(before)}
    pairs = [(old[_key(one)], one) for one in graded(after) if _key(one) in old]
    return Change(
        fixed=tuple(b.id for a, b in pairs if _failed(a) and not _failed(b)),
        broken=tuple(b.id for a, b in pairs if _failed(b) and not _failed(a)),
        failing=sum(_failed(a) for a, _ in pairs),
        passing=sum(not _failed(a) for a, _ in pairs),
    )


def _key(result: CaseResult) -> CaseKey:
    return result.file, result.id


def _failed(result: CaseResult) -> bool:
    return result.outcome == "failed"


def flips(by_variant: Mapping[str, Sequence[CaseResult]]) -> tuple[Flip, ...]:
    """Return what every other variant fixes and breaks against the first one."""
    first, *others = by_variant
    found = [
        _flip(first, other, mark, by_variant) for other in others for mark in MARKS
    ]
    return tuple(_adjusted([flip for flip in found if flip.failing + flip.passing]))


def _flip(
    first: str, other: str, mark: Mark, by_variant: Mapping[str, Sequence[CaseResult]]
) -> Flip:
    before, after = (
        [one for one in by_variant[name] if one.mark == mark] for name in (first, other)
    )
    change = compare(before, after)
    return Flip(
        from_=first,
        to=other,
        mark=mark,
        failing=change.failing,
        passing=change.passing,
        fixed=len(change.fixed),
        broken=len(change.broken),
        p=change.p,
    )


def _adjusted(found: Sequence[Flip]) -> Iterator[Flip]:
    """Yield the flips with p adjusted for all comparisons that were made."""
    adjusted = iter(holm([flip.p for flip in found if flip.p is not None]))
    for flip in found:
        yield flip if flip.p is None else replace(flip, p=next(adjusted))


def confounds(
    by_variant: Mapping[str, Sequence[CaseResult]],
    changes: Mapping[str, Sequence[str]],
    *,
    selected: bool,
) -> Iterator[Confound]:
    """Yield why these results may not mean what they seem to.

    `changes` names, for each variant, what differs from the first one.
    """
    for variant in by_variant:
        names = tuple(changes.get(variant, ()))
        if len(names) > 1:
            yield Confound(kind="several_changes", variant=variant, names=names)
    everything = [one for results in by_variant.values() for one in graded(results)]
    if not everything:
        return
    if selected:
        yield Confound(kind="selection")
    marks = {one.mark for one in everything}
    if len(marks) == 1:
        yield Confound(kind="one_mark", names=tuple(marks))
    if not any(one.asks_facts for one in everything):
        yield Confound(kind="no_facts")
    if not any(one.asks_form for one in everything):
        yield Confound(kind="no_form")
    yield from _mixed(by_variant)


def _mixed(by_variant: Mapping[str, Sequence[CaseResult]]) -> Iterator[Confound]:
    origins: dict[bool, list[str]] = defaultdict(list)
    for variant, results in by_variant.items():
        answers = [trial.answer for one in results for trial in one.trials]
        for stored in {answer.stored for answer in answers if answer}:
            origins[stored].append(variant)
    if len(origins) == 2:  # noqa: PLR2004 - stored and live
        yield Confound(kind="mixed_answers", names=tuple(sorted(set(origins[True]))))
