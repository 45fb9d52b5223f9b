"""Checks on where wording stands: equals, starts_with, ends_with."""

from __future__ import annotations

import re
from typing import ClassVar

from pytest_llm_diagnosis.records import Answer, Verdict

from .json_text import only_scalar
from .normalise import is_silent
from .protocol import CheckType, Example
from .showing import shown, shown_all, shown_answer
from .wording import Wording, wording_type

_LABEL = re.compile(
    r"^\W*(?:the |my )?(?:final |short )?answer(?: is|:)\s*", re.IGNORECASE
)
_EDGES = " .,;:!?\"'()"
_QUOTES = '"\u201d'
_NEAR = 60


class Equals(Wording):
    """The whole answer is one of the texts."""

    __slots__ = ()
    other_codes: ClassVar[tuple[str, ...]] = ("other", "empty")

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `equals:surrounded` (said, among other words) or `equals:other`.

        Under `facts` the wrapping does not matter: the only value of a JSON
        answer, a label such as `Answer:`, punctuation at the ends.
        """
        if is_silent(answer):
            return self.silence()
        readings = {self._bare(reading) for reading in self._readings(answer.text)}
        if readings & {self._bare(text) for text in self.texts}:
            return self.passed()
        code = "equals:surrounded" if self.found(answer) else "equals:other"
        reason = f"expected {shown_all(self.texts)}, found {shown_answer(answer)}"
        return self.failed(code, reason)

    def instruction(self, listed: str) -> str:
        """Ask for the exact text."""
        start = "Answer with" if len(self.texts) == 1 else "Answer with one of"
        return f"{start} {listed} and nothing else."

    def _readings(self, text: str) -> tuple[str, ...]:
        if not self.seeks_facts:
            return (text,)
        scalar = only_scalar(text)
        wrapped = () if scalar is None else (scalar,)
        return (text, _LABEL.sub("", text), *wrapped)

    def _bare(self, text: str) -> str:
        comparable = self.comparable(text)
        if not self.seeks_facts:
            return comparable.strip()
        return comparable.strip(_EDGES) or comparable


class StartsWith(Wording):
    """The answer begins with one of the texts, spaces before it aside."""

    __slots__ = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `starts_with:other`, or `starts_with:empty`."""
        spoken = self.comparable(answer.text).lstrip()
        if not spoken:
            return self.silence()
        if spoken.startswith(tuple(map(self.comparable, self.texts))):
            return self.passed()
        begin = shown(answer.text.lstrip()[:_NEAR])
        reason = f"expected {shown_all(self.texts)} first, found {begin}"
        return self.failed("starts_with:other", reason)

    def instruction(self, listed: str) -> str:
        """Ask for the beginning."""
        return f"Begin your answer with {_one(self, listed)}."


class EndsWith(Wording):
    """The answer ends with one of the texts, spaces after it aside."""

    __slots__ = ()

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `ends_with:other`, or `ends_with:empty`."""
        spoken = self.comparable(answer.text).rstrip()
        if not spoken:
            return self.silence()
        wanted = tuple(map(self.comparable, self.texts))
        # What is quoted as a whole still ends with its last words.
        if spoken.endswith(wanted) or spoken.rstrip(_QUOTES).endswith(wanted):
            return self.passed()
        end = shown(answer.text.rstrip()[-_NEAR:])
        reason = f"expected {shown_all(self.texts)} last, found {end}"
        return self.failed("ends_with:other", reason)

    def instruction(self, listed: str) -> str:
        """Ask for the end."""
        return f"End your answer with {_one(self, listed)}."


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        wording_type(
            Equals,
            "equals",
            "The whole answer is this text, or one of a list of aliases.",
            Example(
                params=["Paris", "City of Paris"],
                passing=Answer(text="Paris."),
                failing=Answer(text="It is Paris."),
                code="equals:surrounded",
            ),
        ),
        wording_type(
            StartsWith,
            "starts_with",
            "The answer begins with this text, or with one of a list.",
            Example(
                params="Dear customer",
                passing=Answer(text="Dear customer, thank you."),
                failing=Answer(text="Hi there!"),
                code="starts_with:other",
            ),
        ),
        wording_type(
            EndsWith,
            "ends_with",
            "The answer ends with this text, or with one of a list.",
            Example(
                params="Kind regards",
                passing=Answer(text="It is on its way.\n\nKind regards"),
                failing=Answer(text="It is on its way."),
                code="ends_with:other",
            ),
        ),
    )


def _one(check: Wording, listed: str) -> str:
    return listed if len(check.texts) == 1 else f"one of {listed}"
