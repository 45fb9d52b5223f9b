"""max_words, min_words, tokens, seconds and usd."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import bound, graded, outcome, refusal
from pytest_llm_diagnosis.checks.style import word_count
from pytest_llm_diagnosis.records import Answer, Json, Tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("It's well-known: 45 days!", 4),
        ("a - b \u2014 c ...", 3),
        ("**bold** _x_", 2),
        ("\u6771\u4eac is big", 4),
        ("caf\u00e9\u00a0noir", 2),
    ],
)
def test_words_are_counted(text: str, words: int) -> None:
    """A word holds a letter or digit; scripts without spaces count characters."""
    assert word_count(text) == words
    assert outcome("max_words", words, text, "form") is None
    assert outcome("min_words", words, text, "form") is None
    assert outcome("min_words", words + 1, text, "form") == "min_words:under"


@given(st.lists(st.text("ab1", min_size=1), min_size=1))
def test_words_between_spaces(words: list[str]) -> None:
    """Words joined by spaces are counted as they were."""
    text = " ".join(words)
    assert word_count(text) == len(words)
    assert outcome("max_words", len(words) - 1, text, "form") == "max_words:over"


@pytest.mark.parametrize(
    ("name", "limit", "answer", "expected"),
    [
        ("tokens", 40, Answer(tokens=Tokens(completion=40)), "passed"),
        ("tokens", 40, Answer(tokens=Tokens(completion=41)), "tokens:over"),
        ("tokens", 40, Answer(), "tokens:unknown"),
        ("tokens", {"prompt": 9}, Answer(tokens=Tokens(prompt=9)), "passed"),
        (
            "tokens",
            {"total": 9, "completion": 5},
            Answer(tokens=Tokens(prompt=6, completion=4)),
            "tokens:over",
        ),
        ("seconds", 2, Answer(seconds=2.0), "passed"),
        ("seconds", 2, Answer(seconds=2.1), "seconds:over"),
        ("seconds", 2, Answer(), "seconds:unknown"),
        ("usd", 0, Answer(usd=0.0), "passed"),
        ("usd", 0.01, Answer(usd=0.02), "usd:over"),
        ("usd", 0.01, Answer(), "usd:unknown"),
    ],
)
def test_limits(name: str, limit: Json, answer: Answer, expected: str) -> None:
    """A limit holds up to itself; what is unknown is undecided, never 0."""
    verdict = graded(name, limit, answer, "limits")
    assert (verdict.code or "passed") == expected
    decided = {"passed": True, f"{name}:over": False, f"{name}:unknown": None}
    assert verdict.passed is decided[expected]


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("tokens", None, "needs a value"),
        ("tokens", -1, "whole number"),
        ("tokens", 1.5, "whole number"),
        ("tokens", {}, "takes completion, prompt, total"),
        ("tokens", {"answer": 3}, "takes completion, prompt, total"),
        ("seconds", "fast", "number from 0"),
        ("seconds", True, "number from 0"),
        ("seconds", float("inf"), "number from 0"),
        ("usd", -0.1, "number from 0"),
    ],
)
def test_limits_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the limit stands."""
    assert finding in refusal(name, params, "limits").finding


def test_word_limits_that_cannot_work() -> None:
    """A number of words is whole and not negative."""
    assert "whole number" in refusal("max_words", "many").finding
    assert "whole number" in refusal("min_words", -1).finding


def test_descriptions() -> None:
    """Lengths are instructions; limits are not for the model to know."""
    assert bound("max_words", 50, "form").describe() == "Use at most 50 words."
    assert bound("min_words", 5, "form").describe() == "Use at least 5 words."
    assert bound("usd", 1, "limits").describe() == ""
