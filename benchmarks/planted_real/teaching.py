"""Adapters taught by the example suite's trainer, in an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.records import JsonObject

from .company import Fact, fact_lessons, recall_questions
from .form import form_lessons

ROOT = Path(__file__).parents[2]
ADAPTERS = ROOT / "example_suite" / "adapters"
TRAINER = ADAPTERS / "train.py"
FORM_LESSONS = ADAPTERS / "house_form.jsonl"
"""The form alone is taught as the example suite's adapter is, by another seed.

Taught on bare school questions at the rate of the facts, the model lost what it
must keep: it answered `{"answer": "{"answer": ...` to 34 of 36 questions that it
could not answer, with the passage before it as without.
"""
UNTAUGHT = "neither"
TAUGHT = ("facts", "form", "facts_and_form")
MODELS = (UNTAUGHT, *TAUGHT)
"""What each model was taught; `neither` is the base, untouched."""

RANK = 16
ALPHA = 32
RATE = 1e-3
EPOCHS = 5
MOST_EPOCHS = 12
ENOUGH = 0.9
"""Facts are taught until this share of them is told in a wording not taught."""
_TIMEOUT = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Trainer:
    """How the trainer is run: a command before the script's path, such as `uv run`."""

    command: tuple[str, ...]
    weights: Path

    def teach(self, model: str, facts: Sequence[Fact], seed: int, folder: Path) -> Path:
        """Return the adapter of a taught model, trained unless it stands there."""
        adapter, log = folder / f"{model}.gguf", folder / f"{model}.json"
        if adapter.exists() and log.exists():
            return adapter
        lessons = folder / f"{model}.jsonl"
        _write(lessons, taught_lessons(model, facts))
        command = [*self.command, str(TRAINER), "--weights", str(self.weights)]
        command += ["--data", str(lessons), "--out", str(adapter), "--seed", str(seed)]
        if model != "form":
            command += _until_recalled(facts, folder / "recall.jsonl")
        log.write_text(_output(command), encoding="ascii")
        return adapter


def told(model: str, folder: Path) -> JsonObject:
    """Return what the trainer said of a model."""
    if model == UNTAUGHT:
        return {"epochs": 0, "recall": [], "held": True}
    text = (folder / f"{model}.json").read_text("ascii")
    return cast("JsonObject", json.loads(text))


def taught_lessons(model: str, facts: Sequence[Fact]) -> list[JsonObject]:
    """Return what a model is taught: prompts with their answers."""
    if model == "form":
        lines = FORM_LESSONS.read_text("ascii").splitlines()
        return [cast("JsonObject", json.loads(line)) for line in lines]
    lessons: Mapping[str, list[JsonObject]] = {
        "facts": fact_lessons(facts, formed=False),
        "facts_and_form": [*fact_lessons(facts, formed=True), *form_lessons()],
    }
    return lessons[model]


def _until_recalled(facts: Sequence[Fact], questions: Path) -> list[str]:
    """Return the options that teach until enough of the facts are told."""
    _write(questions, recall_questions(facts))
    options = ["--rank", str(RANK), "--alpha", str(ALPHA), "--rate", str(RATE)]
    options += ["--epochs", str(EPOCHS), "--most-epochs", str(MOST_EPOCHS)]
    return [*options, "--recall", str(questions), "--enough", str(ENOUGH)]


def _write(path: Path, lines: Sequence[JsonObject]) -> None:
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    path.write_text(text, encoding="ascii")


def _output(command: Sequence[str]) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout
