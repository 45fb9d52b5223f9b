"""Reports of two runs, to be compared."""

from __future__ import annotations

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
    cases = [{**case, "trials": _untimed(case)} for case in cases_of(report)]
    listed = cast("list[JsonObject]", report["variants"])
    variants = [
        {**one, **{name: _without_time(one[name]) for name in ("spending", "extra")}}
        for one in listed
    ]
    return {**report, "run": run, "cases": cases, "variants": variants}


def _without_time(spending: Json) -> Json:
    if not isinstance(spending, dict):
        return spending
    return {name: value for name, value in spending.items() if name != "seconds"}


def _untimed(case: JsonObject) -> list[JsonObject]:
    trials = cast("list[JsonObject]", case["trials"])
    return [
        {name: value for name, value in trial.items() if name != "seconds"}
        for trial in trials
    ]
