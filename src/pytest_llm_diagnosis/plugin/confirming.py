"""`--llm-confirm`: one more run of the suite, under the fix that a verdict names.

xdist's workers are gone when the verdict is known, so its controller collects
the cases again and asks for itself, from the same store and of what the budget
has left.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.probing import Probed
from pytest_llm_diagnosis.records import CaseResult

from . import SUFFIX
from .items import EvalFile, EvalItem
from .options import RunOptions
from .running import Running

if TYPE_CHECKING:
    from .gathering import Gathered
    from .session import EvalSession


def confirm(
    running: Running,
    gathered: Gathered,
    items: Sequence[pytest.Item],
    probed: Sequence[Probed] = (),
) -> None:
    """Run each probed variant once more, under the fix its verdict names."""
    for variant, arm in gathered.advice(probed):
        results = running.confirm(items, variant, arm)
        gathered.confirm(variant, arm, results)


class Collected(NamedTuple):
    """What a controller asks with, and the items that its workers ran."""

    running: Running
    items: list[EvalItem]


def collect_again(session: pytest.Session, evals: EvalSession) -> Collected | None:
    """Return what it takes to confirm after the workers have ended.

    None where there is nothing to confirm.  Raises `DiagnosisError` where the
    cases cannot be collected here.
    """
    gathered = evals.gathered
    if not any(gathered.advice()):
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the workers have warned already
        items = list(_items(session, evals, gathered.results.values()))
    options = _remaining(evals.options, gathered)
    running = Running(session.config, evals.suite, options)
    running.begin(items, items)
    return Collected(running, items)


def _items(
    session: pytest.Session, evals: EvalSession, results: Iterable[CaseResult]
) -> Iterator[EvalItem]:
    """Yield the items that the workers ran."""
    ran = {one.nodeid: one.file for one in results if one.file.endswith(SUFFIX)}
    for file in dict.fromkeys(ran.values()):
        path = session.config.rootpath / file
        if not path.is_file():
            raise DiagnosisError(f"--llm-confirm: {path} is not here to ask again")
        for item in EvalFile.build(session, path, evals).collect():
            if isinstance(item, EvalItem) and item.nodeid in ran:
                yield item


def _remaining(options: RunOptions, gathered: Gathered) -> RunOptions:
    """Return the options with what the workers have left of the budget."""
    calls, usd = gathered.spent
    return replace(
        options,
        max_calls=None if options.max_calls is None else options.max_calls - calls,
        budget=None if options.budget is None else max(0.0, options.budget - usd),
    )
