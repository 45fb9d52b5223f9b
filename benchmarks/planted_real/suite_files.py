"""The suite of 24 knowledge and 24 behavior cases, as the files a user would write.

Half of each mark ask for both: a fact, in JSON.  Of those the mark says nothing, as
a model that lacks either fails them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pytest_llm_diagnosis.records import Json, JsonObject

from .company import (
    BEHAVIOR_ASKS,
    FORM_DEMAND,
    FREE,
    KNOWLEDGE_ASKS,
    PAGE,
    PASSAGE,
    PROSE,
    Fact,
    in_form,
)
from .form import COMMON
from .teaching import MODELS

FACT, FORMED_FACT = "fact", "formed-fact"
FORM, FACT_IN_FORM = "form", "fact-in-form"
"""How case ids begin: what is asked, and in the order of marks."""
KIND_OF_FACTS = {FACT, FORMED_FACT, FACT_IN_FORM}
KIND_OF_FORM = {FORMED_FACT, FORM, FACT_IN_FORM}

_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"answer": {"type": "string", "minLength": 1, "maxLength": 60}},
    "required": ["answer"],
    "additionalProperties": False,
}
_TOKENS = 24


def write_suite(folder: Path, facts: Sequence[Fact]) -> None:
    """Write the eval file and the four variants; each has a server of its own."""
    variants: JsonObject = {
        model: {
            "model": f"openai/smollm2-{model.replace('_', '-')}",
            "api_base": f"${{{url_name(model)}}}",
            "api_key": "none-needed",
            "params": {"temperature": 0, "max_tokens": _TOKENS, "seed": 7},
            "max_concurrency": 1,
        }
        for model in MODELS
    }
    # JSON is YAML too.
    files: dict[str, Json] = {
        "planted_real.eval.yaml": {"cases": list(suite_cases(facts))},
        "llm_variants.yaml": {"default": MODELS[0], "variants": variants},
    }
    for name, content in files.items():
        text = json.dumps(content, indent=1)
        (folder / name).write_text(text, encoding="ascii")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="ascii")


def url_name(model: str) -> str:
    """Return the variable of the environment that holds a model's endpoint."""
    return f"PLANTED_{model.upper()}_URL"


def suite_cases(facts: Sequence[Fact]) -> list[JsonObject]:
    """Return the 48 cases; every fact is asked, in wordings that were not taught."""
    half = len(facts) // 2
    return [
        *(_fact_case(FACT, fact, formed=False) for fact in facts[:half]),
        *(_fact_case(FORMED_FACT, fact, formed=True) for fact in facts[half:]),
        *(_form_case(number) for number in range(len(COMMON))),
        *(_fact_case(FACT_IN_FORM, fact, formed=True) for fact in facts[:half]),
    ]


def _fact_case(kind: str, fact: Fact, *, formed: bool) -> JsonObject:
    asks = BEHAVIOR_ASKS if kind == FACT_IN_FORM else KNOWLEDGE_ASKS
    case: dict[str, Json] = {
        "id": f"{kind}-{fact.name.casefold()}",
        "mark": "behavior" if kind == FACT_IN_FORM else "knowledge",
        "prompt": fact.said(asks),
        "cluster": fact.name,
        "evidence": {"text": fact.said(PASSAGE)},
        "facts": [{"contains": fact.code}],
        "system": PAGE if formed else FREE,
        "ideal": in_form(fact.code) if formed else fact.said(PROSE),
    }
    return case | _form() if formed else case


def _form_case(number: int) -> JsonObject:
    question, answer = COMMON[number]
    case: dict[str, Json] = {
        "id": f"{FORM}-{number + 1:02d}",
        "mark": "behavior",
        "prompt": question,
        "system": PAGE,
        "ideal": in_form(answer),
    }
    return case | _form()


def _form() -> dict[str, Json]:
    return {"instruction": FORM_DEMAND, "form": [{"json_schema": _SCHEMA}]}
