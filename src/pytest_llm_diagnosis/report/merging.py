"""Reports of the parts of a suite to the report of the whole.

The shards of a suite probe more than one run of it would, since none of them
knows how many cases fail in the others.  When all are there, ranks decide what
counts, and the diagnosis is that of an unsharded run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.diagnosis import chosen, diagnose
from pytest_llm_diagnosis.errors import DiagnosisError, InputError, Location
from pytest_llm_diagnosis.records import (
    CaseResult,
    Given,
    RunFacts,
    Shard,
    joined_setups,
)

from .view import View, in_order


class Part(NamedTuple):
    """A report and the file it was read from."""

    path: Path
    view: View


def merge(parts: Sequence[Part], *, partial: bool = False) -> View:
    """Return the report of all cases; with `partial` shards may be missing.

    Reports of runs without a shard are joined too, when they have no case in
    common: each was probed on its own, so all of their findings count.  Raises
    `InputError` where reports do not belong together, and `DiagnosisError`
    where shards are missing.
    """
    _same(parts)
    shard = _joined(parts)
    _disjoint(parts)
    missing = shard.missing if shard else ()
    if missing and not partial:
        raise DiagnosisError(
            f"{_shards(missing)} missing: give {_its(missing)} too, or --partial to "
            "diagnose what is there"
        )
    run = _run([part.view.run for part in parts], shard if missing else None)
    if missing:
        note = f"{_shards(missing)} missing: this covers only the others"
        run = replace(run, notes=(*run.notes, note))
    whole = shard is not None and not missing
    results = in_order((r for part in parts for r in part.view.results), run.selection)
    return _view(parts, run, _counted(results, run, whole=whole))


def _counted(
    results: Sequence[CaseResult], run: RunFacts, *, whole: bool
) -> tuple[CaseResult, ...]:
    """Return the results with the findings that one run of all cases would have."""
    if not whole:
        return tuple(results)
    return tuple(chosen(results, limit=run.probe_max, seed=run.seed))


def _view(
    parts: Sequence[Part], run: RunFacts, results: tuple[CaseResult, ...]
) -> View:
    doubts = [doubt for part in parts for doubt in part.view.diagnosis.confounds]
    selected = any(doubt.kind == "selection" for doubt in doubts)
    diagnosis = diagnose(
        results,
        seed=run.seed,
        changes={
            doubt.variant: doubt.names
            for doubt in doubts
            if doubt.kind == "several_changes"
        },
        given=Given.joined(part.view.diagnosis.given for part in parts),
        selected=selected or run.shard is not None,
        probing=run.probe != "off",
        setups=joined_setups(
            [told for part in parts for told in part.view.diagnosis.setups.items()]
        ),
    )
    return View(
        run=run,
        results=results,
        diagnosis=diagnosis,
        confirmations=tuple(one for part in parts for one in part.view.confirmations),
    )


# -- whether they belong together ------------------------------------------


_ALIKE: Sequence[tuple[str, Callable[[RunFacts], object]]] = (
    ("--llm-seed", lambda run: run.seed),
    ("--llm-probe", lambda run: run.probe),
    ("--llm-probe-max", lambda run: run.probe_max),
)


def _same(parts: Sequence[Part]) -> None:
    """Raise `InputError` unless all runs were made alike."""
    for name, value in _ALIKE:
        _alike(parts, name, value)
    of_shards = [part for part in parts if part.view.run.shard is not None]
    if of_shards and len(of_shards) < len(parts):
        whole = next(part for part in parts if part.view.run.shard is None)
        raise InputError.at(
            Location(path=whole.path),
            f"a run without --llm-shard, but {of_shards[0].path} is of one",
            "give either the shards of one suite, or runs of different cases",
        )
    if of_shards:
        _alike(parts, "number of shards", lambda run: run.shard and run.shard.of)
        _alike(parts, "selection of cases", lambda run: run.suite)
        _alike(parts, "selection of variants", lambda run: ",".join(run.selection))


def _alike(
    parts: Sequence[Part], name: str, value: Callable[[RunFacts], object]
) -> None:
    first, *others = parts
    for part in others:
        one, other = value(first.view.run), value(part.view.run)
        if one != other:
            raise InputError.at(
                Location(path=part.path),
                f"another {name} than {first.path}: {other} against {one}",
                "only runs of the same cases under the same options can be merged",
            )


def _joined(parts: Sequence[Part]) -> Shard | None:
    """Return the shards as one, None of runs without; raises `InputError`."""
    seen: dict[int, Path] = {}
    shards = []
    for part in parts:
        shard = part.view.run.shard
        if shard is None:
            continue
        for number in shard.numbers:
            if number in seen:
                finding = f"shard {number}/{shard.of} again, as in {seen[number]}"
                raise InputError.at(Location(path=part.path), finding)
            seen[number] = part.path
        shards.append(shard)
    return Shard.joined(shards) if shards else None


def _disjoint(parts: Sequence[Part]) -> None:
    """Raise `InputError` where two reports have a case in common."""
    seen: dict[str, Path] = {}
    for part in parts:
        twice = [one.nodeid for one in part.view.results if one.nodeid in seen]
        if twice:
            counted = "1 case" if len(twice) == 1 else f"{len(twice)} cases"
            raise InputError.at(
                Location(path=part.path),
                f"{counted} of {seen[twice[0]]} again, the first one {twice[0]}",
                "a case counts once: merge reports of different cases",
            )
        seen.update((one.nodeid, part.path) for one in part.view.results)


def _shards(numbers: Sequence[int]) -> str:
    listed = ", ".join(map(str, numbers))
    return f"shard {listed} is" if len(numbers) == 1 else f"shards {listed} are"


def _its(numbers: Sequence[int]) -> str:
    return "its report" if len(numbers) == 1 else "their reports"


# -- totals ----------------------------------------------------------------


def _run(runs: Sequence[RunFacts], shard: Shard | None) -> RunFacts:
    """Return the facts of all runs as one; counts and waits are summed."""
    return replace(
        runs[0],
        started=min(run.started for run in runs),
        selection=tuple(dict.fromkeys(name for run in runs for name in run.selection)),
        shard=shard,
        suite=runs[0].suite if len({run.suite for run in runs}) == 1 else "",
        calls=sum(run.calls for run in runs),
        probe_calls=sum(run.probe_calls for run in runs),
        check_calls=sum(run.check_calls for run in runs),
        retrieval_calls=sum(run.retrieval_calls for run in runs),
        unasked=sum(run.unasked for run in runs),
        stored=sum(run.stored for run in runs),
        retries=sum(run.retries for run in runs),
        waited=round(sum(run.waited for run in runs), 3),
        usd=_usd(runs),
        interrupted=any(run.interrupted for run in runs),
        notes=_notes(runs),
    )


def _usd(runs: Iterable[RunFacts]) -> float | None:
    """Return the known cost; None when calls were paid and none had a price."""
    paid = [run.usd for run in runs if run.calls]
    known = [usd for usd in paid if usd is not None]
    return sum(known) if known or not paid else None


def _notes(runs: Sequence[RunFacts]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(note for run in runs for note in run.notes))
