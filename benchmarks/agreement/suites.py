"""Eval files written for a benchmark, read and graded as a user's own are."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import Check, default_registry
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.records import Answer, Case, Grade, Json, JsonObject


class Suite:
    """The cases of an eval file with their bound checks, by case id."""

    def __init__(self, cases: Sequence[JsonObject]) -> None:
        registry = default_registry()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "agreement.eval.yaml"
            # JSON is YAML; a line for each case keeps the file readable.
            lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in cases)
            path.write_text(f'{{"cases": [\n{lines}\n]}}\n', encoding="utf-8")
            loaded = load_cases(path, Path(folder), registry)
        self.cases: Mapping[str, Case] = {case.id: case for case in loaded}
        self._checks: Mapping[str, tuple[Check, ...]] = {
            case.id: tuple(map(registry.bind, case.checks)) for case in loaded
        }

    def grade(self, case_id: str, answer: Answer | str) -> Grade:
        """Return the grade of an answer, or of its text, to a case."""
        if isinstance(answer, str):
            answer = Answer(text=answer)
        return grade(answer, self._checks[case_id])


def case(
    case_id: str,
    prompt: str,
    *,
    facts: Sequence[Json] = (),
    form: Sequence[Json] = (),
    ideal: str = "",
) -> JsonObject:
    """Return a case with these checks, for `Suite`."""
    keys: JsonObject = {"facts": list(facts), "form": list(form), "ideal": ideal}
    given: dict[str, Json] = {key: value for key, value in keys.items() if value}
    mark = "knowledge" if facts else "behavior"
    return {"id": case_id, "mark": mark, "prompt": prompt, **given}


def form_suite(forms: Mapping[str, Sequence[Json]]) -> Suite:
    """Return a suite of a case for each list of form checks, by the case's id."""
    return Suite([case(name, "-", form=form) for name, form in forms.items()])
