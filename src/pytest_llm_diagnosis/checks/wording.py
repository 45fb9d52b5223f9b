"""Checks that look for wording: a base, and contains, contains_any, excludes.

Under `facts` they compare folded text and look into JSON strings and tool
arguments too; under `form` they compare the answer as it is written (see
`normalise`).  A wording may stand inside a longer word, but one that begins or
ends with a digit never matches inside a longer number.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, JsonObject, Verdict

from . import parameters as read
from .normalise import exact, fold, is_silent, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

# A pattern per text would be compiled anew for each case of a large suite.
_NUMBER_BEFORE = re.compile(r"(?:\d|\d[.,])$")
_NUMBER_AFTER = re.compile(r"\d|[.,]\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording(BoundCheck, ABC):
    """A base for checks that hold texts and compare them with the answer."""

    texts: tuple[str, ...]
    ignore_case: bool
    whole_words: bool = False
    other_codes: ClassVar[tuple[str, ...]] = ("empty",)

    def gold(self) -> tuple[str, ...]:
        """Return the texts themselves when they are facts."""
        return self.texts if self.seeks_facts else ()

    def describe(self) -> str:
        """Return the instruction when the wording is form."""
        listed = ", ".join(f'"{text}"' for text in self.texts)
        return "" if self.seeks_facts else self.instruction(listed)

    @abstractmethod
    def grade(self, answer: Answer) -> Verdict:
        """Return the verdict on one answer."""

    @abstractmethod
    def instruction(self, listed: str) -> str:
        """Return the instruction, given the texts in quotes."""

    def comparable(self, text: str) -> str:
        """Return a text in the shape in which this check compares."""
        shape = fold if self.seeks_facts else exact
        return shape(text, ignore_case=self.ignore_case)

    def found(self, answer: Answer) -> list[str]:
        """Return those of the texts that the answer says."""
        pieces = said(answer) if self.seeks_facts else (answer.text,)
        spoken = "\n".join(map(self.comparable, pieces))
        return [text for text in self.texts if self._stands_in(spoken, text)]

    def silence(self) -> Verdict:
        """Return the verdict on an answer that says nothing."""
        reason = f"expected {shown_all(self.texts)}, found an empty answer"
        return self.failed(f"{self.spec.name}:empty", reason)

    def _stands_in(self, spoken: str, text: str) -> bool:
        wanted = self.comparable(text)
        at = spoken.find(wanted)
        while at >= 0:
            if self._is_apart(spoken, at, at + len(wanted)):
                return True
            at = spoken.find(wanted, at + 1)
        return False

    def _is_apart(self, spoken: str, start: int, end: int) -> bool:
        """Return whether what stands there is no part of a number, or of a word."""
        before, after = spoken[max(0, start - 2) : start], spoken[end : end + 2]
        if spoken[start].isdigit() and _NUMBER_BEFORE.search(before):
            return False
        if spoken[end - 1].isdigit() and _NUMBER_AFTER.match(after):
            return False
        return not self.whole_words or (
            not (_is_word(spoken[start]) and _is_word(before[-1:]))
            and not (_is_word(spoken[end - 1]) and _is_word(after[:1]))
        )


class Contains(Wording):
    """Every text is said."""

    __slots__ = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `contains:missing`, or `contains:empty`."""
        if is_silent(answer):
            return self.silence()
        found = self.found(answer)
        missing = [text for text in self.texts if text not in found]
        if not missing:
            return self.passed()
        reason = f"expected {shown_all(missing)}, found {shown_answer(answer)}"
        return self.failed("contains:missing", reason)

    def instruction(self, listed: str) -> str:
        """Ask for the wording."""
        return f"Include, word for word: {listed}."


class ContainsAny(Wording):
    """At least one of the texts is said."""

    __slots__ = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `contains_any:missing`, or `contains_any:empty`."""
        if is_silent(answer):
            return self.silence()
        if self.found(answer):
            return self.passed()
        reason = f"expected one of {shown_all(self.texts)}"
        reason = f"{reason}, found {shown_answer(answer)}"
        return self.failed("contains_any:missing", reason)

    def instruction(self, listed: str) -> str:
        """Ask for one of the wordings."""
        return f"Include at least one of: {listed}."


class Excludes(Wording):
    """None of the texts is said."""

    __slots__ = ()
    other_codes: ClassVar[tuple[str, ...]] = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `excludes:present`; an empty answer passes."""
        found = self.found(answer)
        if not found:
            return self.passed()
        reason = f"expected no {shown_all(found)}, found it in {shown_answer(answer)}"
        return self.failed("excludes:present", reason)

    def instruction(self, listed: str) -> str:
        """Forbid the wording."""
        return f"Do not write: {listed}."

    def gold(self) -> tuple[str, ...]:
        """Return nothing: what must not be said is not the answer."""
        return ()


def wording_type(
    check: type[Wording], name: str, summary: str, example: Example
) -> CheckType:
    """Return the registration of a check on texts."""
    codes = (example.code, *(f"{name}:{code}" for code in check.other_codes))
    return CheckType(
        name=name,
        summary=summary,
        parameters=_schema(check, summary),
        bind=_binder(check),
        example=example,
        codes=tuple(dict.fromkeys(codes)),
    )


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    yes, no = Answer(text="You have **45 days**."), Answer(text="You have a month.")
    return (
        wording_type(
            Contains,
            "contains",
            "The answer says this text, or every text of a list.",
            Example(params="45 days", passing=yes, failing=no, code="contains:missing"),
        ),
        wording_type(
            ContainsAny,
            "contains_any",
            "The answer says at least one of these texts.",
            Example(
                params=["45 days", "forty-five days"],
                passing=yes,
                failing=no,
                code="contains_any:missing",
            ),
        ),
        wording_type(
            Excludes,
            "excludes",
            "The answer says none of these texts.",
            Example(params="a month", passing=yes, failing=no, code="excludes:present"),
        ),
    )


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _binder(check: type[Wording]) -> Callable[[CheckSpec], Wording]:
    def bind(spec: CheckSpec) -> Wording:
        params = read.mapping(spec, "text")
        seeks_facts = spec.dimension == "facts"
        bound = check(
            spec=spec,
            texts=read.texts(spec, params.get("text")),
            ignore_case=read.flag(spec, params, "ignore_case", default=seeks_facts),
            whole_words=read.flag(spec, params, "whole_words", default=False),
        )
        if not all(map(bound.comparable, bound.texts)):
            raise read.wrong(spec, "a text holds nothing that could be seen")
        return bound

    return bind


def _schema(check: type[Wording], summary: str) -> JsonObject:
    keys: dict[str, Json] = {
        "text": read.described(read.TEXT_OR_TEXTS, summary),
        "ignore_case": read.described(
            read.FLAG, "Whether capitals do not matter; by default only under facts."
        ),
    }
    if check in (Contains, ContainsAny, Excludes):
        keys["whole_words"] = read.described(
            read.FLAG, "Whether a match inside a longer word is none; false by default."
        )
    longhand = read.options("The texts, with options.", keys, ["text"])
    return {"description": summary, "anyOf": [read.TEXT, read.TEXTS, longhand]}
