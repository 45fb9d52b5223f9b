"""Found text made safe and short enough for a reason."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_llm_diagnosis.records import Answer, Json

LIMIT = 120
LISTED = 5


def shown(text: str, limit: int = LIMIT) -> str:
    """Return text in quotes, its control characters escaped, cut with a count."""
    rest = len(text) - limit
    if rest <= 0:
        return repr(text)
    return f"{text[:limit]!r}... ({rest:,} more characters)"


def shown_json(value: Json, limit: int = LIMIT) -> str:
    """Return a JSON value as compact JSON, cut with a count."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return shown(repr(value), limit)
    text = text.encode("utf-8", "backslashreplace").decode()
    rest = len(text) - limit
    return text if rest <= 0 else f"{text[:limit]}... ({rest:,} more characters)"


def shown_all(texts: Sequence[str]) -> str:
    """Return the first few texts in quotes, with a count of the others."""
    listed = ", ".join(shown(text) for text in texts[:LISTED])
    rest = len(texts) - LISTED
    return listed if rest <= 0 else f"{listed} and {rest:,} more"


def shown_answer(answer: Answer) -> str:
    """Return what an answer is, for the end of a reason."""
    if answer.text.strip():
        return shown(answer.text.strip())
    if answer.tool_calls:
        names = ", ".join(shown(call.name, 40) for call in answer.tool_calls[:LISTED])
        return f"no text, only tool calls: {names}"
    return "an empty answer"
