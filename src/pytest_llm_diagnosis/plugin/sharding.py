"""The items of a shard: every test that asks a variant belongs to one.

A case, with all its variants and trials, and a Python test, with all its
variants, stay together.  Tests that do not use `llm` run in every shard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pytest

from pytest_llm_diagnosis.records import Shard

from .items import EvalItem
from .python_tests import case_id_of, cluster_of, mark_of, parameters_of

_DIGITS = 16


class Split(NamedTuple):
    """Items in their order: those that run here, and those of other shards."""

    here: list[pytest.Item]
    elsewhere: list[pytest.Item]


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
