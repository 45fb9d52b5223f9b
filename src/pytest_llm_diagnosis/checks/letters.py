"""Checks on letters and words: occurrences, capital_words, letter_case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .counting import (
    Bounds,
    Counted,
    Noun,
    counted_parameters,
    counted_type,
    read_bounds,
)
from .normalise import exact
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

Case = Literal["upper", "lower"]

_PIECE = re.compile(r"(?:[^\s,;:@#$%&?!()\[\]{}<>\"\u201c\u201d]|(?<=\d)[,:](?=\d))+")
_CONTRACTION = re.compile(r"(?=n't\Z)|(?='(?:s|m|d|ll|re|ve)\Z)", re.IGNORECASE)


def capital_words(text: str) -> int:
    """Return how many words a text has whose letters are all capitals.

    `I` and `A` count; a contraction counts as its two parts (`DON'T` is two).
    """
    parts = (
        part
        for piece in _PIECE.findall(text.replace("\u2019", "'"))
        for run in piece.replace("--", " ").split()
        for part in _CONTRACTION.split(run)
    )
    return sum(1 for part in parts if part.isupper())


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterCase(BoundCheck):
    """Every letter is a capital, or none is."""

    case: Case

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `letter_case:mixed`, or `letter_case:empty` (no letters)."""
        text = answer.text
        if text.isupper() if self.case == "upper" else text.islower():
            return self.passed()
        if not any(map(str.isalpha, text)):
            reason = f"expected {self._words()}, found no letters"
            return self.failed("letter_case:empty", reason)
        odd = next((word for word in text.split() if not self._fits(word)), text)
        reason = f"expected {self._words()}, found {shown(odd)}"
        return self.failed("letter_case:mixed", reason)

    def describe(self) -> str:
        """Ask for the case."""
        return f"Write in {self._words()}."

    def _fits(self, word: str) -> bool:
        turned = word.upper() if self.case == "upper" else word.lower()
        return word == turned

    def _words(self) -> str:
        if self.case == "upper":
            return "capital letters only"
        return "lower-case letters only"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrences(Counted):
    """A text occurs as often as the bounds allow."""

    text: str
    ignore_case: bool
    whole_words: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `occurrences:under` or `occurrences:over`."""
        number = self._occurrences(answer.text)
        broken = self.bounds.broken_by(number)
        if broken is None:
            return self.passed()
        wanted = f"{shown(self.text)} {self.bounds.words(self.noun)}"
        reason = f"expected {wanted}, found {number:,} in {shown_answer(answer)}"
        return self.failed(f"occurrences:{broken}", reason)

    def describe(self) -> str:
        """Ask for the number of times."""
        return f'Write "{self.text}" {self.bounds.words(self.noun)}.'

    def _occurrences(self, text: str) -> int:
        spoken = exact(text, ignore_case=self.ignore_case)
        wanted = exact(self.text, ignore_case=self.ignore_case)
        if not self.whole_words:
            return spoken.count(wanted)
        return len(re.findall(rf"(?<!\w){re.escape(wanted)}(?!\w)", spoken))


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    loud, calm = Answer(text="STOP NOW, please."), Answer(text="Stop now, please.")
    return (
        _occurrences(),
        counted_type(
            "capital_words",
            "The answer has so many words in capital letters.",
            Noun("word in capital letters", "words in capital letters"),
            capital_words,
            Example(
                params={"at_least": 2},
                passing=loud,
                failing=calm,
                code="capital_words:under",
            ),
        ),
        _letter_case(),
    )


def _occurrences() -> CheckType:
    summary = "A letter, word or other text occurs so many times."
    keys: dict[str, Json] = {
        "text": read.described(read.TEXT, "What is counted."),
        "ignore_case": read.described(
            read.FLAG, "Whether capitals do not matter; false by default."
        ),
        "whole_words": read.described(
            read.FLAG, "Whether one inside a longer word is none; false by default."
        ),
    }
    schema = counted_parameters(summary, keys, bare=False)
    return CheckType(
        name="occurrences",
        summary=summary,
        parameters=schema,
        bind=_bind_occurrences,
        example=Example(
            params={"text": "!", "at_most": 1},
            passing=Answer(text="Thank you!"),
            failing=Answer(text="Thank you!!!"),
            code="occurrences:over",
        ),
        dimensions=("form",),
        codes=("occurrences:under", "occurrences:over"),
    )


def _bind_occurrences(spec: CheckSpec) -> Occurrences:
    params = read.mapping(spec, "text")
    return Occurrences(
        spec=spec,
        bounds=read_bounds(spec, params, Bounds(1, None)),
        noun=Noun("time", "times"),
        count=len,
        verb="Write",
        text=read.text(spec, params.get("text")),
        ignore_case=read.flag(spec, params, "ignore_case", default=False),
        whole_words=read.flag(spec, params, "whole_words", default=False),
    )


def _letter_case() -> CheckType:
    summary = "Every letter of the answer is a capital (upper), or none is (lower)."
    return CheckType(
        name="letter_case",
        summary=summary,
        parameters={"description": summary, "enum": ["upper", "lower"]},
        bind=_bind_letter_case,
        example=Example(
            params="lower",
            passing=Answer(text="all quiet, 3 boats out."),
            failing=Answer(text="All quiet, 3 boats out."),
            code="letter_case:mixed",
        ),
        dimensions=("form",),
        codes=("letter_case:mixed", "letter_case:empty"),
    )


def _bind_letter_case(spec: CheckSpec) -> LetterCase:
    if spec.params not in ("upper", "lower"):
        raise read.wrong(spec, f"must be upper or lower, not {spec.params!r}")
    return LetterCase(spec=spec, case=cast("Case", spec.params))
