"""Checks on how an answer is divided: sentences, paragraphs, sentence length."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .counting import (
    Bounds,
    Noun,
    counted_parameters,
    counted_type,
    read_bounds,
)
from .prose import passages
from .protocol import BoundCheck, CheckType, Example
from .sentences import sentences, words
from .showing import shown

SENTENCES = Noun("sentence", "sentences")
PARAGRAPHS = Noun("paragraph", "paragraphs")

_BLANK_LINE = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_FIRST_WORD = re.compile(r"\W*(\w[\w'\u2019-]*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraphs(BoundCheck):
    """The answer has so many paragraphs; perhaps one begins with a word.

    Without a `separator` blank lines divide them.  `number` counts from 1.
    """

    bounds: Bounds
    separator: str
    different: bool
    number: int
    first_word: str

    def grade(self, answer: Answer) -> Verdict:
        """Fail with a `paragraphs:` code.

        Those are empty (nothing between two separators), under, over, same and
        first_word.
        """
        parts = self._parts(answer.text)
        if any(not part for part in parts):
            reason = f"expected text between every two {shown(self.separator)}"
            return self.failed("paragraphs:empty", f"{reason}, found none")
        broken = self.bounds.broken_by(len(parts))
        if broken is not None:
            wanted = self.bounds.words(PARAGRAPHS)
            reason = f"expected {wanted}{self._divided()}, found {len(parts):,}"
            return self.failed(f"paragraphs:{broken}", reason)
        if self.different and len(set(parts)) < len(parts):
            reason = f"expected paragraphs that differ, found {shown(parts[-1])} again"
            return self.failed("paragraphs:same", reason)
        return self._begun(parts)

    def describe(self) -> str:
        """Ask for the division."""
        differ = ", all different" if self.different else ""
        told = f"Write {self.bounds.words(PARAGRAPHS)}{self._divided()}{differ}."
        if not self.first_word:
            return told
        return (
            f'{told} Begin paragraph {self.number} with the word "{self.first_word}".'
        )

    def _parts(self, text: str) -> list[str]:
        if not self.separator:
            parts = [part.strip() for part in _BLANK_LINE.split(text)]
            return [part for part in parts if part]
        parts = [part.strip() for part in text.split(self.separator)]
        # A separator may also stand before the first and after the last part.
        start = 0 if parts[0] else 1
        end = len(parts) if parts[-1] else len(parts) - 1
        return parts[start:end]

    def _begun(self, parts: list[str]) -> Verdict:
        if not self.first_word:
            return self.passed()
        part = parts[self.number - 1] if self.number <= len(parts) else ""
        found = _FIRST_WORD.match(part)
        if found and _bare(found[1]) == _bare(self.first_word):
            return self.passed()
        wanted = f"{shown(self.first_word)} first in paragraph {self.number}"
        reason = f"expected {wanted}, found {shown(part[:60])}"
        return self.failed("paragraphs:first_word", reason)

    def _divided(self) -> str:
        return f" divided by {self.separator}" if self.separator else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentenceWords(BoundCheck):
    """No sentence is longer than so many words."""

    most: int

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `max_sentence_words:over`."""
        for passage in passages(answer.text):
            for sentence in sentences(passage):
                length = len(words(sentence))
                if length > self.most:
                    wanted = f"at most {self.most:,} words a sentence"
                    reason = f"expected {wanted}, found {length:,}: {shown(sentence)}"
                    return self.failed("max_sentence_words:over", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for short sentences."""
        return f"Use at most {self.most:,} words in each sentence."


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    short = Answer(text="It is on its way. Dr. Sand will bring it.")
    long = Answer(text="It is on its way. It left today. It comes tomorrow.")
    return (
        counted_type(
            "sentences",
            "The answer has so many sentences; line ends alone end none.",
            SENTENCES,
            lambda text: len(sentences(text)),
            Example(params=2, passing=short, failing=long, code="sentences:over"),
        ),
        _paragraphs(),
        _sentence_words(),
    )


def _paragraphs() -> CheckType:
    summary = (
        "The answer has so many paragraphs, divided by blank lines or a separator."
    )
    keys: dict[str, Json] = {
        "separator": read.described(read.TEXT, "What divides them, such as `***`."),
        "different": read.described(read.FLAG, "Whether no two may be the same."),
        "number": {
            "description": "Which paragraph `first_word` is about, counted from 1.",
            "type": "integer",
            "minimum": 1,
        },
        "first_word": read.described(read.TEXT, "The word it begins with, any case."),
    }
    return CheckType(
        name="paragraphs",
        summary=summary,
        parameters=counted_parameters(summary, keys),
        bind=_bind_paragraphs,
        example=Example(
            params={"exactly": 2, "separator": "***", "different": True},
            passing=Answer(text="Good morning!\n***\nGood evening!"),
            failing=Answer(text="Hello!\n***\nHello!"),
            code="paragraphs:same",
        ),
        dimensions=("form",),
        codes=tuple(
            f"paragraphs:{code}"
            for code in ("empty", "under", "over", "same", "first_word")
        ),
    )


def _bind_paragraphs(spec: CheckSpec) -> Paragraphs:
    params = read.mapping(spec, "exactly")
    word, separator = params.get("first_word"), params.get("separator")
    number = read.count(spec, params.get("number", 1), "number")
    default = Bounds(number, None) if word is not None else None
    bounds = read_bounds(spec, params, default)
    if not number or (bounds.most is not None and number > max(bounds.most, 1)):
        raise read.wrong(spec, f"there can be no paragraph {number}")
    first = "" if word is None else read.text(spec, word, "first_word").strip()
    divider = "" if separator is None else read.text(spec, separator, "separator")
    if separator is not None and not divider.strip():
        raise read.wrong(spec, "separator must be more than spaces")
    return Paragraphs(
        spec=spec,
        bounds=bounds,
        separator=divider,
        different=read.flag(spec, params, "different", default=False),
        number=number,
        first_word=first,
    )


def _sentence_words() -> CheckType:
    summary = "No sentence of the answer has more words than this."
    return CheckType(
        name="max_sentence_words",
        summary=summary,
        parameters={"description": summary, "type": "integer", "minimum": 1},
        bind=lambda spec: SentenceWords(
            spec=spec, most=read.count(spec, spec.params, "words")
        ),
        example=Example(
            params=5,
            passing=Answer(text="It is on its way. It comes tomorrow."),
            failing=Answer(text="It is on its way and comes tomorrow."),
            code="max_sentence_words:over",
        ),
        dimensions=("form",),
        codes=("max_sentence_words:over",),
    )


def _bare(word: str) -> str:
    return word.casefold().replace("\u2019", "'").strip("'")
