"""The check for a pick among options: choice.

An answer picks an option by its letter (`B`, `(B)`, `B. Lyon`, `Answer: B`) or
by its text.  What it says last and expressly ("so the answer is B") outweighs
what it discusses on the way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, JsonObject, Verdict

from . import parameters as read
from .json_text import only_scalar
from .normalise import fold, is_silent, without_emphasis
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DEFAULT_LETTERS = 5
_EDGES = " .,;:!?\"'()[]{}"
# Only the end of a very long answer can be its conclusion.
_CONSIDERED = 100_000

_EXPRESS = (
    r"(?:\b(?:answer|choice|option|correct one|right one|best one)\s+"
    r"(?:is|would be|must be|should be)\s*:?"
    r"|\b(?:answer|choice)\s*:"
    r"|\b(?:pick|choose|chose|select|going with|go with)\s"
    r"|\\boxed\{(?:\\text\{)?)"
    r"\s*(?:option|choice|letter)?\s*[\"'(\[]*"
)
_MARKED = (
    r"\(\s*LABEL\s*\)|\*\*LABEL\*\*|(?:^|\n)[ \t*]*LABEL[).:](?!\w)|\b[Oo]ption LABEL\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice(BoundCheck):
    """The answer picks the expected option and no other.

    `options` maps labels to texts; a text may be empty.
    """

    expected: str
    options: Mapping[str, str]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `choice:` and none, several, other or empty."""
        if is_silent(answer):
            return self.failed("choice:empty", f"expected {self}, found nothing")
        picked = self.picked(answer.text)
        if picked == {self.expected}:
            return self.passed()
        found = shown_answer(answer)
        if not picked:
            reason = f"expected {self}, found no option in {found}"
            return self.failed("choice:none", reason)
        code = "choice:other" if len(picked) == 1 else "choice:several"
        names = shown_all(sorted(picked))
        return self.failed(code, f"expected {self}, found {names} in {found}")

    def picked(self, text: str) -> set[str]:
        """Return the labels of the options that a text picks."""
        text = text[-_CONSIDERED:].strip()
        scalar = only_scalar(text)
        if scalar is not None and scalar != text:
            return self.picked(scalar)
        return (
            self._whole(text)
            or self._express(without_emphasis(text))
            or self._labelled(text)
            or self._told(text)
        )

    def describe(self) -> str:
        """List the options, never which is right."""
        listed = ", ".join(self.options)
        return f"Answer with exactly one of these options: {listed}."

    def gold(self) -> tuple[str, ...]:
        """Return the text of the option: a label alone gives nothing away."""
        named = self.options[self.expected] or (
            "" if len(self.expected) == 1 else self.expected
        )
        return (named,) if named and self.seeks_facts else ()

    def __str__(self) -> str:
        """Return the expected option with its text."""
        text = self.options[self.expected]
        return f"{self.expected} ({text})" if text else self.expected

    def _whole(self, text: str) -> set[str]:
        """Return the option that is all of the text."""
        bare = fold(text).strip(_EDGES)
        return {label for label in self.options if bare in self._spellings(label)}

    def _spellings(self, label: str) -> set[str]:
        told = self.options[label]
        both = {f"{label}{mark} {told}" for mark in ("", ".", ")", ":", " -")}
        return {fold(each).strip(_EDGES) for each in (label, told, *both) if each}

    def _express(self, text: str) -> set[str]:
        """Return the option that the text names last and expressly."""
        names = "|".join(map(re.escape, self._names()))
        pattern = re.compile(rf"{_EXPRESS}(?P<name>{names})(?!\w)", re.IGNORECASE)
        matches = list(pattern.finditer(text))
        if not matches or _is_article(matches[-1]["name"], text[matches[-1].end() :]):
            return set()
        return self._called(matches[-1]["name"])

    def _labelled(self, text: str) -> set[str]:
        """Return the options whose label stands marked in the text: `(B)`, `B.`."""
        return {
            label
            for label in self.options
            if re.search(_MARKED.replace("LABEL", re.escape(label)), text)
        }

    def _told(self, text: str) -> set[str]:
        """Return the options whose text stands in the text, longest first."""
        rest = fold(text)
        found: set[str] = set()
        for name in self._names():
            if len(name) == 1:
                continue
            pattern = re.compile(rf"(?<!\w){re.escape(fold(name))}(?!\w)")
            rest, times = pattern.subn(" ", rest)
            found |= self._called(name) if times else set()
        return found

    def _names(self) -> list[str]:
        """Return the labels and texts, longest first so that no name hides another."""
        names = {name for option in self.options.items() for name in option if name}
        return sorted(names, key=len, reverse=True)

    def _called(self, name: str) -> set[str]:
        return {
            label
            for label, told in self.options.items()
            if fold(name) in (fold(label), fold(told))
        }


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = "The answer picks this option, by letter or text, and no other."
    listed: JsonObject = {
        "anyOf": [
            {"type": "array", "items": read.TEXT, "minItems": 2},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ]
    }
    keys = {
        "answer": read.described(
            read.TEXT, "The right option: its letter or its text."
        ),
        "options": read.described(
            listed, "All options: a list (lettered A, B, ...) or letters with texts."
        ),
    }
    longhand = read.options("The right option among all.", keys, ["answer"])
    example = Example(
        params={"answer": "B", "options": ["Paris", "Lyon", "Nice"]},
        passing=Answer(text="Paris is larger, so the answer is (B)."),
        failing=Answer(text="It is Paris or Lyon."),
        code="choice:several",
    )
    return (
        CheckType(
            name="choice",
            summary=summary,
            parameters={"description": summary, "anyOf": [read.TEXT, longhand]},
            bind=_bind,
            example=example,
            codes=tuple(f"choice:{c}" for c in ("none", "several", "other", "empty")),
        ),
    )


def _bind(spec: CheckSpec) -> Choice:
    params = read.mapping(spec, "answer")
    answer = read.text(spec, params.get("answer"), "answer").strip()
    options = _options(spec, params.get("options"), answer)
    expected = [
        label
        for label, told in options.items()
        if fold(answer) in (fold(label), fold(told) or None)
    ]
    if len(expected) != 1:
        listed = ", ".join(options)
        raise read.wrong(spec, f"answer {answer!r} is not one option of: {listed}")
    return Choice(spec=spec, expected=expected[0], options=options)


def _options(spec: CheckSpec, written: Json, answer: str) -> Mapping[str, str]:
    if written is None:
        if len(answer) != 1 or answer.upper() not in _LETTERS:
            raise read.wrong(spec, "without options the answer must be one letter")
        known = max(_DEFAULT_LETTERS, _LETTERS.index(answer.upper()) + 1)
        return dict.fromkeys(_LETTERS[:known], "")
    if isinstance(written, Mapping):
        return {str(label): str(told or "") for label, told in written.items()}
    listed = read.texts(spec, written, "options")
    if len(listed) > len(_LETTERS):
        raise read.wrong(spec, f"takes at most {len(_LETTERS)} options")
    return dict(zip(_LETTERS, listed, strict=False))


def _is_article(label: str, rest: str) -> bool:
    """Whether an `a` that looks like a label is the article: "the answer is a dog"."""
    return label == "a" and rest[:2].strip().isalpha()
