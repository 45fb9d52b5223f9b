"""The planted model as a user's application, for `plugin_road`.

It sees what any model sees, the request, and tells the arm from the words in
it.  The hidden states lie in `planted.json` in the current folder.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from pytest_llm_diagnosis.records import Arm, Message

from .suite_files import CODE, FORM, INSTRUCTION, PASSAGE, STATES
from .world import PlantedCase

_NAME = re.compile(r"(case-(\d+)): what is its code")


class Asked(Protocol):
    """The part of a request that the model looks at."""

    messages: Sequence[Message]


class PlantedModel:
    """Answers from hidden states, every call with noise of its own."""

    def __init__(self, path: Path) -> None:
        hidden = json.loads(path.read_text(encoding="utf-8"))
        self._seed = hidden["seed"]
        self._cases = {state["name"]: PlantedCase(**state) for state in hidden["cases"]}
        self._calls: Counter[str] = Counter()

    async def __call__(self, request: Asked) -> str:
        """Return one answer; the n-th answer to a case is always the same."""
        text = str(request.messages[-1]["content"])
        name, number = _asked(text)
        self._calls[name] += 1
        call = self._calls[name]
        rng = random.Random(f"{self._seed}:{name}:{call}")  # noqa: S311 - noise
        examples = any(turn["role"] == "assistant" for turn in request.messages)
        arm = _arm(text, PASSAGE.format(name=name, code=_code(number)), examples)
        ask = self._cases[name].answer(arm, rng)
        said = _code(number) if ask.facts else "not known to me"
        # The call's number keeps noisy answers from looking like a replay.
        return f"{FORM if ask.form else 'Well,'} {said} ({call})"


def _asked(text: str) -> tuple[str, int]:
    found = _NAME.search(text)
    assert found, text
    return found[1], int(found[2])


def _code(number: int) -> str:
    return CODE.format(number=number)


def _arm(text: str, passage: str, examples: bool) -> Arm:  # noqa: FBT001 - one of three signs
    evidence = "E" if passage in text else ""
    if "in any form" in text:
        return "EF" if evidence else "F"
    if examples:
        return "EX" if evidence else "X"
    if INSTRUCTION in text:
        return "ES" if evidence else "S"
    return "E" if evidence else "first"


answer = PlantedModel(Path(STATES))
