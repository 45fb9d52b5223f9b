"""The check for an honest "I do not know": abstains.

An answer abstains when it says that it does not know, or that its sources do
not say, and does not go on to answer all the same.  It is read clause by clause
(English): a clause may abstain, be filler, speak about the sources, or state
something.  A guess, a figure, a direct statement ("it is ...") or anything
stated after "but" makes the whole an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from pytest_llm_diagnosis.records import Answer, CheckSpec, Verdict

from . import abstention_phrases as phrases
from . import parameters as read
from .json_text import json_values, leaves
from .normalise import fold
from .numerals import numerals, prepared
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

Sort = Literal["abstention", "filler", "sources", "answer", "other"]

# Nobody takes this many characters to say nothing.
_CONSIDERED = 20_000

_SENTENCE = re.compile(r"(?<=[.!?])[\s\"')*]+|[\n;{}\[\]]+")
_CLAUSE = re.compile(
    r"(,\s|:\s|\s-\s|--|\s(?=(?:but|however|although|though|yet)\b))",
    re.IGNORECASE,
)


class Clause(NamedTuple):
    """A clause with what it does in the answer."""

    text: str
    sort: Sort


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstains(BoundCheck):
    """The answer says that it does not know, and leaves it at that."""

    phrases: tuple[str, ...]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `abstains:empty`, `abstains:none` or `abstains:answered`."""
        if not answer.text.strip():
            reason = (
                f"expected words that it does not know, found {shown_answer(answer)}"
            )
            return self.failed("abstains:empty", reason)
        clauses = list(self.clauses(_spoken(answer.text)))
        if not any(clause.sort == "abstention" for clause in clauses):
            reason = (
                f"expected words that it does not know, found {shown_answer(answer)}"
            )
            return self.failed("abstains:none", reason)
        answers = [clause.text for clause in clauses if clause.sort == "answer"]
        if answers or len(answer.text) > _CONSIDERED:
            found = shown(answers[0] if answers else answer.text)
            reason = f"expected no answer beside the abstention, found {found}"
            return self.failed("abstains:answered", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for honesty."""
        return (
            "If you do not know, or the sources do not say, say so and give no answer."
        )

    def clauses(self, text: str) -> Iterator[Clause]:
        """Yield the clauses of a text with their sorts."""
        for sentence in _SENTENCE.split(text[:_CONSIDERED]):
            conceded, about_sources, wonders = False, False, False
            for mark, part in _parts(sentence):
                clause = phrases.COURTESY.sub("", fold(part))
                led = conceded or bool(phrases.CONTRAST.search(clause))
                sort = self._sort(clause, led=led, about_sources=about_sources)
                if sort == "other" and wonders and mark == ":":
                    sort = "answer"
                about_sources = sort == "sources"
                wonders = bool(phrases.WONDER.search(clause))
                conceded = bool(phrases.CONCESSION.search(clause))
                yield Clause(clause, sort)

    def _sort(self, clause: str, *, led: bool, about_sources: bool) -> Sort:
        if phrases.ABSTENTION.search(clause) or any(
            fold(phrase) in clause for phrase in self.phrases
        ):
            # "I know of no limit other than 45 days" tells the limit.
            excepted = phrases.EXCEPTION.search(clause)
            told = excepted is not None and _has_figure(clause[excepted.end() :])
            return "answer" if told else "abstention"
        if phrases.FILLER.search(clause) or phrases.QUESTION.search(clause):
            return "filler"
        figure = _has_figure(clause)
        if about_sources or phrases.ABOUT_SOURCES.search(clause):
            tells = led and figure and not phrases.ONLY.search(clause)
            return "answer" if tells else "sources"
        if led or figure or phrases.GUESS.search(clause):
            return "answer"
        return "answer" if phrases.DIRECT.search(clause) else "other"


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = (
        "The answer says that it does not know, or the sources do not say it "
        "(English; for other languages add `phrases`)."
    )
    keys = {
        "phrases": read.described(
            read.TEXTS, "Other words that count as saying so, such as a house phrase."
        )
    }
    longhand = read.options("With options.", keys)
    return (
        CheckType(
            name="abstains",
            summary=summary,
            parameters={
                "description": summary,
                "anyOf": [{"type": "null"}, longhand],
            },
            bind=_bind,
            example=Example(
                params=None,
                passing=Answer(text="The documents do not say how long it takes."),
                failing=Answer(text="I don't know why, but it is 45 days."),
                code="abstains:answered",
            ),
            codes=("abstains:empty", "abstains:none", "abstains:answered"),
        ),
    )


def _bind(spec: CheckSpec) -> Abstains:
    params = {} if spec.params is None else read.mapping(spec, "phrases")
    told = params.get("phrases")
    return Abstains(
        spec=spec, phrases=() if told is None else read.texts(spec, told, "phrases")
    )


def _parts(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield the clauses of a sentence, each with the mark before it."""
    pieces = ["", *_CLAUSE.split(sentence)]
    for mark, part in zip(pieces[::2], pieces[1::2], strict=True):
        if part:
            yield mark.strip(), part


def _spoken(text: str) -> str:
    """Return the text to read: of a JSON answer with one value, that value."""
    values = json_values(text)
    found = list(leaves(values[0])) if len(values) == 1 else []
    if len(found) != 1:
        return text
    return "unknown" if found[0].value in (None, "") else str(found[0].value)


def _has_figure(clause: str) -> bool:
    return bool(numerals(prepared(clause)))
