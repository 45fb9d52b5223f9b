"""Reports of two runs, to be compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from pytest_llm_diagnosis.records import Json, JsonObject

TOTALS = ("started", "calls", "probe_calls", "stored", "waited", "usd")


def cases_of(report: JsonObject) -> list[JsonObject]:
    """Return the cases of a report."""
    return cast("list[JsonObject]", report["cases"])


def cases_by_id(report: JsonObject) -> dict[str, JsonObject]:
    """Return the cases of a report of one variant by their ids."""
    return {str(case["id"]): case for case in cases_of(report)}


def run_of(report: JsonObject) -> JsonObject:
    """Return what a report tells of its run."""
    return cast("JsonObject", report["run"])


def told(report: JsonObject) -> JsonObject:
    """Return a report without what each run has of its own: times and counts."""
    run = {name: fact for name, fact in run_of(report).items() if name not in TOTALS}
    return cast("JsonObject", _untimed({**report, "run": run}))


def _untimed(value: Json) -> Json:
    if isinstance(value, Mapping):
        return {name: _untimed(one) for name, one in value.items() if name != "seconds"}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_untimed(one) for one in value]
    return value
