"""Checks on length: max_words, min_words.

A word is a run between spaces that holds a letter or a digit; each character of
a script without spaces (Chinese, Japanese) counts as one.  With `parts`, every
run of letters and digits is a word: `well-known` and `it's` are two each.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, JsonObject, Verdict

from . import parameters as read
from .protocol import BoundCheck, CheckType, Example
from .sentences import words as runs
from .showing import shown_answer

_SPACELESS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_SPACELESS_CHARACTER = re.compile(f"[{_SPACELESS}]")


def word_count(text: str) -> int:
    """Return how many words a text has."""
    parts = _SPACELESS_CHARACTER.sub(r" \g<0> ", text).split()
    return sum(1 for part in parts if any(map(str.isalnum, part)))


@dataclass(frozen=True, slots=True, kw_only=True)
class WordCount(BoundCheck):
    """The answer's words number at least `least` and at most `most`."""

    least: int
    most: int | None
    parts: bool = False

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `max_words:over` or `min_words:under`."""
        text = answer.text
        words = len(runs(text)) if self.parts else word_count(text)
        found = f"found {words:,}: {shown_answer(answer)}"
        if words < self.least:
            reason = f"expected at least {self.least:,} words, {found}"
            return self.failed("min_words:under", reason)
        if self.most is not None and words > self.most:
            reason = f"expected at most {self.most:,} words, {found}"
            return self.failed("max_words:over", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for the length."""
        if self.most is None:
            return f"Use at least {self.least:,} words."
        return f"Use at most {self.most:,} words."


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    short, long = Answer(text="Forty-five days."), Answer(text="It is, I am sure, 45.")
    return (
        _type(
            "max_words",
            "The answer has at most this many words.",
            _bind_most,
            Example(params=3, passing=short, failing=long, code="max_words:over"),
        ),
        _type(
            "min_words",
            "The answer has at least this many words.",
            _bind_least,
            Example(params=5, passing=long, failing=short, code="min_words:under"),
        ),
    )


def _bind_most(spec: CheckSpec) -> WordCount:
    most, parts = _limit(spec)
    return WordCount(spec=spec, least=0, most=most, parts=parts)


def _bind_least(spec: CheckSpec) -> WordCount:
    least, parts = _limit(spec)
    return WordCount(spec=spec, least=least, most=None, parts=parts)


def _limit(spec: CheckSpec) -> tuple[int, bool]:
    params = {"words": None} if spec.params is None else read.mapping(spec, "words")
    words = read.count(spec, params.get("words"), "words")
    return words, read.flag(spec, params, "parts", default=False)


def _type(
    name: str, summary: str, bind: Callable[[CheckSpec], WordCount], example: Example
) -> CheckType:
    words: JsonObject = {"type": "integer", "minimum": 0}
    parts = read.described(
        read.FLAG, "Whether well-known counts as two; false by default."
    )
    keys = {"words": read.described(words, summary), "parts": parts}
    longhand = read.options("The limit, with options.", keys, ["words"])
    return CheckType(
        name=name,
        summary=summary,
        parameters={"description": summary, "anyOf": [words, longhand]},
        bind=bind,
        example=example,
        dimensions=("form", "facts"),
        codes=(example.code,),
    )
