"""Checks on length: max_words, min_words.

A word is a run between spaces that holds a letter or a digit; each character of
a script without spaces (Chinese, Japanese) counts as one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Verdict

from . import parameters as read
from .protocol import BoundCheck, CheckType, Example
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

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `max_words:over` or `min_words:under`."""
        words = word_count(answer.text)
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
    return WordCount(spec=spec, least=0, most=read.count(spec, spec.params, "words"))


def _bind_least(spec: CheckSpec) -> WordCount:
    return WordCount(spec=spec, least=read.count(spec, spec.params, "words"), most=None)


def _type(
    name: str, summary: str, bind: Callable[[CheckSpec], WordCount], example: Example
) -> CheckType:
    return CheckType(
        name=name,
        summary=summary,
        parameters={"description": summary, "type": "integer", "minimum": 0},
        bind=bind,
        example=example,
        dimensions=("form", "facts"),
    )
