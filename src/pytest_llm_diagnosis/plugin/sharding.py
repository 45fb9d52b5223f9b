"""What was collected, and the part of it that is this run's shard.

Every test that asks a variant belongs to one shard.  A case, with all its
variants and trials, and a Python test, with all its variants, stay together.
Tests that do not use `llm` run in every shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_llm_diagnosis.records import Json, JsonObject, Shard

from .distribution import is_controller
from .items import EvalItem
from .options import RunOptions
from .python_tests import case_id_of, cluster_of, mark_of, parameters_of

if TYPE_CHECKING:
    from .suite import Suite

_DIGITS = 16


class Split(NamedTuple):
    """Items in their order: those that run here, and those of other shards."""

    here: list[pytest.Item]
    elsewhere: list[pytest.Item]


class Collected:
    """Registered as a plugin beside the session: sees items before they run."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self._config = config
        self._options = options
        self._whole: list[pytest.Item] = []
        self._selected = False
        self._tests: dict[str, list[str]] = {}
        self.elsewhere: Sequence[pytest.Item] = ()
        config.pluginmanager.register(self, "llm-diagnosis-collected")

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Remember which Python tests there are, where recordings are pruned.

        Given by node ids, a file is not collected as a whole.
        """
        if not self._options.prune_recordings or not isinstance(item, pytest.Function):
            return
        if not any("::" in argument for argument in self._config.args):
            file = item.nodeid.partition("::")[0]
            self._tests.setdefault(file, []).append(_case(item) or item.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the items of this shard, after pytest's own selection."""
        shard = self._options.shard
        if shard is None:
            return
        self._whole = list(items)
        items[:], self.elsewhere = split(items, shard)
        if self.elsewhere:
            self._config.hook.pytest_deselected(items=self.elsewhere)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that only a part of the suite runs; shards make a whole."""
        if items is not self.elsewhere:
            self._selected |= any(isinstance(item, EvalItem) for item in items)

    def whole_of(self, items: Sequence[pytest.Item]) -> Sequence[pytest.Item]:
        """Return the items of all shards, given those that run here."""
        self._whole = self._whole or list(items)
        return self._whole

    def totals(self) -> dict[str, Json]:
        """Return what belongs to the process as a whole, JSON-ready."""
        return {
            "selected": self._selected,
            "elsewhere": bool(self.elsewhere),
            "suite": digest(self._whole),
        }

    def known(self, suite: Suite) -> JsonObject | None:
        """Return which cases there are, where recordings are pruned of the rest."""
        if not self._options.prune_recordings or is_controller(self._config):
            return None
        return suite.known(self._tests).to_dict()


def split(items: Sequence[pytest.Item], shard: Shard) -> Split:
    """Return which items a shard runs."""
    parts = Split([], [])
    for item in items:
        case = _case(item)
        here = case is None or shard.holds(case)
        (parts.here if here else parts.elsewhere).append(item)
    return parts


def digest(items: Iterable[pytest.Item]) -> str:
    """Return what two shards of the same cases, ranked alike, have in common."""
    told = sorted(filter(None, map(_told, items)))
    text = "\n".join(told).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_DIGITS] if told else ""


def _case(item: pytest.Item) -> str | None:
    """Return what keeps a case's variants together; None of other tests."""
    if isinstance(item, EvalItem):
        return item.prepared.nodeid
    return case_id_of(item) if "llm" in parameters_of(item) else None


def _told(item: pytest.Item) -> str:
    if isinstance(item, EvalItem):
        cluster = item.prepared.cluster
    elif "llm" in parameters_of(item) and mark_of(item):
        cluster = cluster_of(item)
    else:
        return ""
    return f"{item.nodeid}\t{mark_of(item)}\t{cluster}"
