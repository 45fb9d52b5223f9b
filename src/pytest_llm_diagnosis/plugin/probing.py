"""The probes of a process: whose failures are asked again, and what that found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

import pytest

from pytest_llm_diagnosis.engine import Engine
from pytest_llm_diagnosis.probing import (
    Candidate,
    Failing,
    Probed,
    Probes,
    Settles,
    needs_probing,
    select_for_probing,
)
from pytest_llm_diagnosis.records import CaseResult, Variant, VariantKey

from .items import EvalItem
from .live import Waiting
from .options import RunOptions
from .python_tests import cluster_of, is_eval_test, mark_of, variant_of

OpenProbes: TypeAlias = Callable[[Mapping[str, int]], Probes]
"""Takes the ranks of cases by node id."""


class Probing:
    """Chooses among the failing cases of each probed variant, and gathers causes.

    What was refused is added to `notes`.
    """

    def __init__(
        self,
        engine: Engine,
        opened: OpenProbes,
        waiting: Waiting,
        options: RunOptions,
        notes: list[str],
    ) -> None:
        self._engine = engine
        self._opened = opened
        self._waiting = waiting
        self._options = options
        self._notes = notes
        self._of: dict[VariantKey, Probes] = {}

    def rank(self, variants: Iterable[Variant], items: Sequence[pytest.Item]) -> None:
        """Rank the cases of each variant; `items` are those of all shards."""
        for variant in variants:
            candidates = _candidates(items, variant)
            seed = self._options.seed
            order = select_for_probing(candidates, len(candidates), seed)
            ranks = {one.nodeid: rank for rank, one in enumerate(order)}
            self._of[variant.key] = self._opened(ranks)

    def most(self, items: Sequence[pytest.Item]) -> int:
        """Return how many failures of these items may be probed."""
        limit = self._options.probe_max
        return sum(
            min(limit, sum(probes.rank(item.nodeid) is not None for item in items))
            for probes in self._of.values()
        )

    def failed(self, item: EvalItem, result: CaseResult) -> int | None:
        """Take a failing case, which is probed behind the first answers.

        Returns its rank, None if it is not among those that may be probed.
        """
        variant = item.variant
        if variant is None or variant.key not in self._of:
            return None
        failing = Failing(prepared=item.prepared, variant=variant, result=result)
        if not needs_probing(failing.trial.grade):
            return None
        self._of[variant.key].add(failing)
        return self._of[variant.key].rank(item.nodeid)

    def rank_of_test(self, item: pytest.Item) -> int | None:
        """Return the rank of a failing Python test, None if it is not probed."""
        probes = self._of.get(variant_of(item).key)
        rank = probes.rank(item.nodeid) if probes else None
        return rank if rank is not None and rank < self._options.probe_max else None

    def find_causes(
        self, settles: Settles, failing: Mapping[str, Sequence[int]]
    ) -> list[Probed]:
        """Wait for the probes and show progress; what was refused is noted.

        `failing` are the ranks of a variant's failing cases in other processes.
        """
        found: list[Probed] = []
        for (_, variant), probes in self._of.items():
            others = failing.get(variant, ())
            future = self._engine.submit(probes.finish(settles, others))
            self._waiting.wait_for(future)
            probed, refused = future.result()
            found += probed
            if refused:
                what = "1 failure" if len(refused) == 1 else f"{len(refused)} failures"
                self._notes.append(f"{what} not probed: {refused[0]}")
        return found

    def failing(self) -> dict[str, list[int]]:
        """Return the ranks of the failing cases that may be chosen, by variant."""
        ranks: dict[str, list[int]] = {}
        for (_, variant), probes in self._of.items():
            ranks.setdefault(variant, []).extend(probes.failing())
        return ranks

    def found_so_far(self) -> list[Probed]:
        """Return what the probes have found already, without waiting."""
        return [one for probes in self._of.values() for one in probes.finished()]


def _candidates(items: Iterable[pytest.Item], variant: Variant) -> list[Candidate]:
    """Return what could be probed under a variant: its cases and marked tests."""
    found = []
    for item in items:
        mark = mark_of(item)
        if mark is None or item.get_closest_marker("skip"):
            continue
        if isinstance(item, EvalItem) and item.variant == variant:
            cluster = item.prepared.cluster
        elif is_eval_test(item) and variant_of(item) == variant:
            cluster = cluster_of(item)
        else:
            continue
        found.append(Candidate(nodeid=item.nodeid, mark=mark, cluster=cluster))
    return found
