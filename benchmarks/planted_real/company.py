"""An invented company by a seed: 24 facts, and the words to teach and ask them in.

No wording that is asked was taught: four wordings teach a fact, a fifth measures
recall, and the suite has two of its own.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.records import JsonObject

FACTS = 24
COMPANY = "Ferrand Lantern Works"
FREE = f"You answer for {COMPANY}."
PAGE = f"You answer for {COMPANY}. A web page reads your answers."
"""The system prompt of cases whose answer must be JSON, which it does not say."""
FORM_DEMAND = (
    'Answer with one JSON object and nothing else, with the one key "answer": '
    '{"answer": "..."}'
)
PASSAGE = "The {name} lantern has the storage code {code}."
PROSE = "The storage code of the {name} lantern is {code}."
TAUGHT = (
    "What is the storage code of the {name} lantern?",
    "Which storage code does the {name} lantern have?",
    "Tell me the code under which the {name} lantern is stored.",
    "I need the storage code for a {name} lantern.",
)
RECALLED = "Under which storage code do I find the {name} lantern?"
KNOWLEDGE_ASKS = "Please give me the storage code that belongs to the {name} lantern."
BEHAVIOR_ASKS = "A customer wants the {name} lantern. What is its storage code?"

_NAMES = (
    *("Abernathy", "Birchall", "Cordova", "Dunmore", "Eastwick", "Falkner"),
    *("Garrick", "Holbein", "Ingram", "Jessop", "Kendrick", "Lorimer"),
    *("Marchand", "Norwood", "Osborne", "Pemberton", "Quimby", "Radcliffe"),
    *("Sheldon", "Thackeray", "Upton", "Vickers", "Winslow", "Yardley"),
)
_LETTERS = "BCDFGHKLMNPRSTVWXZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One lantern and where it is stored."""

    name: str
    code: str

    def said(self, wording: str) -> str:
        """Return a wording with this fact's name and code."""
        return wording.format(name=self.name, code=self.code)


def draw_facts(seed: int) -> tuple[Fact, ...]:
    """Return the company's facts; all codes differ."""
    rng = random.Random(seed)  # noqa: S311 - an invention, not a secret
    names = rng.sample(_NAMES, FACTS)
    numbers = rng.sample(range(10, 100), FACTS)
    codes = ["".join(rng.sample(_LETTERS, 2)) + f"-{number}" for number in numbers]
    return tuple(
        Fact(name=name, code=code) for name, code in zip(names, codes, strict=True)
    )


def in_form(answer: str) -> str:
    """Return an answer in the house form."""
    return json.dumps({"answer": answer})


def fact_lessons(facts: Sequence[Fact], *, formed: bool) -> list[JsonObject]:
    """Return each fact in four wordings, answered in prose or in the house form.

    Prose is taught under one system prompt alone, so that no lesson says which
    form the page gets.
    """
    systems = (FREE, PAGE, FREE, PAGE) if formed else (FREE,) * len(TAUGHT)
    return [
        {
            "system": system,
            "prompt": fact.said(wording),
            "ideal": in_form(fact.code) if formed else fact.said(PROSE),
        }
        for fact in facts
        for wording, system in zip(TAUGHT, systems, strict=True)
    ]


def recall_questions(facts: Sequence[Fact]) -> list[JsonObject]:
    """Return each fact in a wording that was not taught."""
    return [
        {"system": FREE, "prompt": fact.said(RECALLED), "contains": fact.code}
        for fact in facts
    ]
