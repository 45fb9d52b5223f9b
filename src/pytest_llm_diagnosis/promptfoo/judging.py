"""Assertions that a model decides, as `judge` and `similar`."""

from __future__ import annotations

from pytest_llm_diagnosis.records import Dimension, Json

from .asserting import Asserted, Made, only_if
from .values import KeptError, listed, number, said

JUDGE = "openai/gpt-4.1-mini"
"""The judge where a config names none that can be asked."""
EMBEDDING = "openai/text-embedding-3-small"
_LEAST = 0.75

_RULES: dict[str, tuple[Dimension, str]] = {
    "llm-rubric": ("form", "{}"),
    "g-eval": ("form", "{}"),
    "search-rubric": ("facts", "{}"),
    "model-graded-closedqa": ("facts", "{}"),
    "factuality": (
        "facts",
        "The answer agrees with this and contradicts none of it: {}",
    ),
    "model-graded-factuality": (
        "facts",
        "The answer agrees with this and contradicts none of it: {}",
    ),
    "answer-relevance": ("facts", "The answer is about what was asked."),
}


def judged(each: Asserted) -> list[Made]:
    """Return the checks that ask a model what an assertion asks one.

    Raises `KeptError` for kinds that need more than a question and an answer.
    """
    if each.bare in {"similar", "similar:cosine"}:
        return [_similar(each)]
    if each.bare not in _RULES:
        raise KeptError(f"no check of ours is a {each.kind}")
    dimension, pattern = _RULES[each.bare]
    rules = [said(item).strip() for item in listed(each.value)]
    if "{}" in pattern and not any(rules):
        raise KeptError("it states no rule")
    rubric = pattern.format(" ".join(rules))
    if each.negated:
        rubric = f"This is not true of the answer: {rubric}"
    note = "its threshold is not kept" if "threshold" in each.options else ""
    params: dict[str, Json] = {"model": each.judge, "rubric": rubric}
    return [Made(dimension=dimension, name="judge", params=params, note=note)]


def _similar(each: Asserted) -> Made:
    only_if(each, positive=True)
    texts = each.texts()
    if len(texts) > 1:
        raise KeptError("similar to one of several texts")
    least = number(each.options.get("threshold"))
    params: dict[str, Json] = {
        "text": texts[0],
        "model": EMBEDDING,
        "at_least": _LEAST if least is None else least,
    }
    return Made(dimension="facts", name="similar", params=params)
