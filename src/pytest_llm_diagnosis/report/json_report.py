"""`report.json`: everything of a run, for other tools and for a later diagnosis."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from .view import View
from .wording import diagnosis_dict

SCHEMA = 1


def write_json(path: Path, view: View) -> None:
    """Write the report, a case a line; raises `OSError`.

    Text is ASCII-escaped: model text may hold what UTF-8 cannot encode.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="ascii", newline="\n") as file:
        file.writelines(_chunks(view))


def _chunks(view: View) -> Iterator[str]:
    yield f'{{"schema": {SCHEMA},\n"run": {json.dumps(view.run.to_dict())},\n"cases": ['
    for number, result in enumerate(view.results):
        yield f"{',' if number else ''}\n{json.dumps(result.to_dict())}"
    diagnosis = diagnosis_dict(view.diagnosis)
    diagnosis["confirmations"] = [one.to_dict() for one in view.confirmations]
    yield "],\n"
    yield ",\n".join(
        f'"{key}": {json.dumps(value)}' for key, value in diagnosis.items()
    )
    yield "}\n"
