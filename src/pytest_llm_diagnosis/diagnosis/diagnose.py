"""All results of a run to its diagnosis."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import get_args

from pytest_llm_diagnosis.records import MARKS, CaseResult, Cause, Given, Mark, Setup
from pytest_llm_diagnosis.stats import detectable_change

from .counted import Rate
from .counting import (
    Found,
    costumes,
    disguised,
    doubtful_marks,
    failed_part,
    found,
    graded,
    mark_rate,
    recall,
    side_share,
    side_spread,
    unspoken,
    votes,
)
from .flips import confounds, flips
from .ladder import ladder
from .records import Diagnosis, VariantDiagnosis
from .side_effects import side_effects
from .spending import extra_spending, spending
from .verdict import suite_verdict

_CAUSES: tuple[Cause, ...] = get_args(Cause)


def diagnose(  # noqa: PLR0913 - what a run knows beside its results, each optional
    results: Sequence[CaseResult],
    *,
    seed: int,
    changes: Mapping[str, Sequence[str]] | None = None,
    given: Sequence[Given] = (),
    selected: bool = False,
    probing: bool = False,
    setups: Mapping[str, Setup] | None = None,
) -> Diagnosis:
    """Return the diagnosis of a run's results, the first variant's first.

    Nothing but `results` and `seed` decides the numbers: variants come in the
    order of their first result, and the order within one does not matter.
    `changes` names, for each variant, what differs from the first one; `given`
    says what the variants are, without which no fix but a probe is known, and
    `setups` how each is set up; `selected` says that the run left out cases of the
    suite, `probing` that it was to ask failing ones again.
    """
    by_variant: dict[str, list[CaseResult]] = defaultdict(list)
    for one in results:
        by_variant[one.variant].append(one)
    if not by_variant:
        return Diagnosis(seed=seed, probing=probing)
    cases = max(len(graded(group)) for group in by_variant.values())
    variants = (_variant(name, group, seed) for name, group in by_variant.items())
    fixed = _with_fixes(variants, by_variant, given)
    changed = flips(by_variant)
    return Diagnosis(
        seed=seed,
        variants=tuple(_costed(fixed, results, setups or {})),
        flips=changed,
        confounds=tuple(confounds(by_variant, changes or {}, selected=selected)),
        detectable=detectable_change(cases),
        probing=probing,
        given=tuple(given),
        side_effects=side_effects(by_variant, given, changed),
    )


def _costed(
    variants: Iterable[VariantDiagnosis],
    results: Sequence[CaseResult],
    setups: Mapping[str, Setup],
) -> Iterator[VariantDiagnosis]:
    """Yield the variants with how they are set up, and what that costs."""
    spent = spending(results)
    for one in variants:
        setup = setups.get(one.name)
        plain = setup.plain if setup else ""
        extra = None
        if plain in spent and one.name in spent:
            extra = extra_spending(results, base=plain, other=one.name)
        yield replace(one, setup=setup, spending=spent.get(one.name), extra=extra)


def _with_fixes(
    variants: Iterable[VariantDiagnosis],
    by_variant: Mapping[str, Sequence[CaseResult]],
    given: Sequence[Given],
) -> Iterator[VariantDiagnosis]:
    """Yield the variants; those that are to be fixed with what was tried on them."""
    for number, one in enumerate(variants):
        diagnosed = one.probed or not number
        fixes = ladder(one.name, by_variant, given) if diagnosed else ()
        yield replace(one, fixes=fixes)


def _variant(name: str, results: Sequence[CaseResult], seed: int) -> VariantDiagnosis:
    asked = found(results)
    cast = votes(results) if asked else []
    shares = _present({mark: side_share(cast, mark, seed) for mark in MARKS})
    outcomes = Counter(one.outcome for one in results)
    return VariantDiagnosis(
        name=name,
        cases=outcomes["passed"] + outcomes["failed"],
        failing=outcomes["failed"],
        errors=outcomes["error"],
        skipped=outcomes["skipped"],
        rates=_present({mark: mark_rate(results, mark, seed) for mark in MARKS}),
        failed_part=failed_part(results),
        verdict=suite_verdict(results, seed),
        probed=len(asked),
        calls=sum(one.finding.calls for one in asked),
        causes=_causes(asked),
        rungs=_counted(one.finding.rung for one in asked),
        exposure={mark: share.cases for mark, share in shares.items()},
        shares=shares,
        spread={mark: side_spread(cast, mark) for mark in shares},
        detectable=detectable_change(outcomes["passed"] + outcomes["failed"]),
        costumes=costumes(asked),
        untested=_counted(arm for one in asked for arm in one.finding.untested),
        notes=_counted([*_notes(asked), *(_left_out(results) if asked else ())]),
        recall=recall(results),
        doubtful_marks=doubtful_marks(asked),
        disguised=disguised(asked),
        suspects=tuple(
            sorted(
                one.spotted() for one in asked if one.finding.cause == "check_suspect"
            )
        ),
    )


def _notes(asked: Iterable[Found]) -> Iterator[str]:
    for one in asked:
        yield from (one.finding.note or "").split("; ")


def _left_out(results: Iterable[CaseResult]) -> Iterator[str]:
    for mark in unspoken(results):
        yield f"not probed, marked {mark}: left out of the rates"


def _present(rates: Mapping[Mark, Rate]) -> dict[Mark, Rate]:
    return {mark: rate for mark, rate in rates.items() if rate.cases}


def _causes(asked: Iterable[Found]) -> dict[Cause, int]:
    counts = Counter(one.finding.cause for one in asked)
    return {cause: counts[cause] for cause in _CAUSES if counts[cause]}


def _counted(names: Iterable[str | None]) -> dict[str, int]:
    return dict(sorted(Counter(name for name in names if name).items()))
