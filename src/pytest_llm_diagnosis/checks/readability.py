"""The check on how hard an answer is to read: reading_level (English)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .prose import passages
from .protocol import BoundCheck, CheckType, Example
from .sentences import sentences

CONSIDERED = 300_000
"""Characters of a text; a megabyte of initials takes over a second."""

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouy\u00e0-\u00f6\u00f8-\u00ff]+")
# Final letters that are written but not spoken: `made`, `makes`, `asked`.
_SILENT = re.compile(r"(?<=[^aeiouyl])e$|(?<=[aeiouy]l)e$|(?<=[^aeioutd])ed$|"
                     r"(?<=[^aeiouscxzg])es$")  # fmt: skip


def grade_level(text: str) -> float | None:
    """Return the Flesch-Kincaid grade level of a text; None without words.

    0.39 words/sentence + 11.8 syllables/word - 15.59 (J. P. Kincaid and others,
    Derivation of New Readability Formulas for Navy Enlisted Personnel, 1975).
    Syllables are counted by groups of vowels, without a silent last one.  Of a
    long text the first `CONSIDERED` characters count.
    """
    considered = passages(text[:CONSIDERED])
    found = [each for passage in considered for each in sentences(passage)]
    spoken = [_WORD.findall(sentence) for sentence in found]
    spoken = [sentence for sentence in spoken if sentence]
    words = [word for sentence in spoken for word in sentence]
    if not words:
        return None
    by_word = sum(map(syllables, words)) / len(words)
    return 0.39 * len(words) / len(spoken) + 11.8 * by_word - 15.59


def syllables(word: str) -> int:
    """Return how many syllables an English word has, at least one."""
    spoken = _SILENT.sub("", word.lower())
    return max(1, len(_VOWELS.findall(spoken)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingLevel(BoundCheck):
    """The answer's grade level lies between the bounds."""

    least: float | None
    most: float | None

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `reading_level:over`, `reading_level:under` or `:empty`."""
        level = grade_level(answer.text)
        if level is None:
            return self.failed("reading_level:empty", "expected words, found none")
        if self.most is not None and level > self.most:
            reason = f"expected grade {self.most:g} at most, found {level:.1f}"
            return self.failed("reading_level:over", reason)
        if self.least is not None and level < self.least:
            reason = f"expected grade {self.least:g} at least, found {level:.1f}"
            return self.failed("reading_level:under", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for easy, or for demanding, language."""
        told = []
        if self.most is not None:
            wanted = f"a reader of school grade {self.most:g} understands it"
            told.append(f"Use short sentences and plain words, so that {wanted}.")
        if self.least is not None:
            told.append(f"Write for readers of school grade {self.least:g} or above.")
        return " ".join(told)


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer's Flesch-Kincaid grade level is at most this (English)."
    number: dict[str, Json] = {"type": "number", "minimum": 0}
    keys: dict[str, Json] = {
        "at_most": read.described(number, "The highest grade level."),
        "at_least": read.described(number, "The lowest grade level."),
    }
    longhand = read.options("The bounds.", keys)
    return (
        CheckType(
            name="reading_level",
            summary=summary,
            parameters={
                "description": summary,
                "anyOf": [number, {**longhand, "minProperties": 1}],
            },
            bind=_bind,
            example=Example(
                params=6,
                passing=Answer(text="Keep the box. Send the boots back in it."),
                failing=Answer(
                    text="Retention of the original packaging facilitates an "
                    "uncomplicated administration of subsequent returns."
                ),
                code="reading_level:over",
            ),
            dimensions=("form",),
            codes=tuple(f"reading_level:{code}" for code in ("over", "under", "empty")),
        ),
    )


def _bind(spec: CheckSpec) -> ReadingLevel:
    params = read.mapping(spec, "at_most")
    least, most = (
        read.quantity(spec, params[key], key) if key in params else None
        for key in ("at_least", "at_most")
    )
    if least is None and most is None:
        raise read.wrong(spec, "needs at_most, at_least or both")
    if least is not None and most is not None and least > most:
        raise read.wrong(spec, f"at_least {least:g} is more than at_most {most:g}")
    return ReadingLevel(spec=spec, least=least, most=most)
