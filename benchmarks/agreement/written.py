"""Eval files written for the benchmarks of form, loaded and graded by the product."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import Check, default_registry
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.records import Answer, Grade, Json, JsonObject


class Written:
    """Lists of form checks, each a case of an eval file, by the case's id."""

    def __init__(self, forms: Mapping[str, Sequence[Json]]) -> None:
        registry = default_registry()
        cases = [_case(name, form) for name, form in forms.items()]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "agreement.eval.yaml"
            # JSON is YAML; each case has a line.
            lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
            path.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
            loaded = load_cases(path, Path(folder), registry)
        self._checks: Mapping[str, tuple[Check, ...]] = {
            case.id: tuple(map(registry.bind, case.checks)) for case in loaded
        }

    def grade(self, name: str, answer: Answer) -> Grade:
        """Return the grade of an answer to a case."""
        return grade(answer, self._checks[name])


def rows(path: Path) -> Sequence[JsonObject]:
    r"""Return the objects of a JSON Lines file; only `\n` ends a line."""
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def _case(name: str, form: Sequence[Json]) -> JsonObject:
    return {"id": name, "mark": "behavior", "prompt": "-", "form": list(form)}
