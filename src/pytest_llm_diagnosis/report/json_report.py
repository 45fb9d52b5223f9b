"""`report.json`: everything of a run, for other tools and for a later diagnosis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from pytest_llm_diagnosis.diagnosis import Comparison, Confirmation, Diagnosis
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.new_files import replace_file
from pytest_llm_diagnosis.records import CaseResult, JsonObject, RunFacts

from .view import View
from .wording import diagnosis_dict

SCHEMA = 1


def write_json(path: Path, view: View) -> None:
    """Write the report, a case a line, in one step; raises `OSError`.

    Text is ASCII-escaped: model text may hold what UTF-8 cannot encode.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, _chunks(view), encoding="ascii")


def read_json(path: Path) -> View:
    """Return a saved report; raises `InputError` when it is none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        if data["schema"] != SCHEMA:
            found = f"schema {data['schema']!r}, this version reads {SCHEMA}"
            raise InputError.at(Location(path=path), found)
        return View(
            run=RunFacts.from_dict(data["run"]),
            results=tuple(map(CaseResult.from_dict, data["cases"])),
            diagnosis=Diagnosis.from_dict(data),
            confirmations=tuple(
                map(Confirmation.from_dict, data.get("confirmations", ()))
            ),
            comparison=_comparison(data.get("baseline")),
        )
    # Deep nesting ends the parser's recursion.
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        finding = f"not a report of this plugin: {error}"
        raise InputError.at(Location(path=path), finding) from error


def _comparison(data: JsonObject | None) -> Comparison | None:
    return None if data is None else Comparison.from_dict(data)


def _chunks(view: View) -> Iterator[str]:
    yield f'{{"schema": {SCHEMA},\n"run": {json.dumps(view.run.to_dict())},\n"cases": ['
    for number, result in enumerate(view.results):
        yield f"{',' if number else ''}\n{json.dumps(result.to_dict())}"
    diagnosis = diagnosis_dict(view.diagnosis)
    diagnosis["confirmations"] = [one.to_dict() for one in view.confirmations]
    if view.comparison is not None:
        diagnosis["baseline"] = view.comparison.to_dict()
    yield "],\n"
    yield ",\n".join(
        f'"{key}": {json.dumps(value)}' for key, value in diagnosis.items()
    )
    yield "}\n"
