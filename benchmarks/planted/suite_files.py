"""A planted suite as the files that a user would write."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from pytest_llm_diagnosis.records import Json, JsonObject

from .world import PlantedCase

STATES = "planted.json"
CODE = "fact{number:05d}"
FORM = "FORM:"
PASSAGE = "The code of {name} is {code}."
INSTRUCTION = f"Begin the answer with {FORM}"
VARIANTS = """\
default: planted
variants:
  planted: {call: "benchmarks.planted.planted_model:answer"}
"""


def write_suite(folder: Path, cases: Sequence[PlantedCase], seed: int) -> None:
    """Write an eval file, its variant, and the hidden states beside them."""
    # JSON is YAML too.
    written = [_case(case, number) for number, case in enumerate(cases)]
    states = [dataclasses.asdict(case) for case in cases]
    files = {
        "planted.eval.yaml": json.dumps({"cases": written}, indent=1),
        STATES: json.dumps({"seed": seed, "cases": states}),
        "llm_variants.yaml": VARIANTS,
        "pytest.ini": "[pytest]\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def _case(case: PlantedCase, number: int) -> JsonObject:
    code = CODE.format(number=number)
    written: dict[str, Json] = {
        "id": case.name,
        "mark": case.mark,
        "cluster": case.cluster,
        "prompt": f"{case.name}: what is its code?",
        "instruction": INSTRUCTION,
        "ideal": f"{FORM} {code}",
    }
    if case.has_passage:
        text = PASSAGE.format(name=case.name, code=code)
        written["evidence"] = {"text": text}
    if case.checks_facts:
        written["facts"] = [{"contains": code}]
    if case.checks_form:
        written["form"] = [{"starts_with": FORM}]
    return written
