"""The check for a named person or thing: name."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .names import Name, names, names_in_part, parsed, words_of
from .normalise import is_silent, said
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_all, shown_answer

SEARCHED = 300_000
"""Characters of a text; a megabyte of accents takes about a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming(BoundCheck):
    """The answer names one of these; with `surname` a last name will do."""

    texts: tuple[str, ...]
    wanted: tuple[Name, ...]
    surname: bool

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `name:missing`, `name:partial` (a last name) or `name:empty`."""
        if is_silent(answer):
            reason = f"expected the name {shown_all(self.texts)}, found an empty answer"
            return self.failed("name:empty", reason)
        spoken = [words_of(piece[:SEARCHED]) for piece in said(answer)]
        if any(names(name, words) for name in self.wanted for words in spoken):
            return self.passed()
        partly = any(
            names_in_part(name, words) for name in self.wanted for words in spoken
        )
        if partly and self.surname:
            return self.passed()
        code = "name:partial" if partly else "name:missing"
        found = f"found {shown_answer(answer)}"
        return self.failed(code, f"expected the name {shown_all(self.texts)}, {found}")

    def describe(self) -> str:
        """Ask for the name when it is form."""
        listed = " or ".join(f'"{text}"' for text in self.texts)
        return "" if self.seeks_facts else f"Mention {listed} by name."

    def gold(self) -> tuple[str, ...]:
        """Return the names when they are facts."""
        return self.texts if self.seeks_facts else ()


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    summary = (
        "The answer names this person or thing, or one of a list, in any spelling."
    )
    keys: dict[str, Json] = {
        "text": read.described(read.TEXT_OR_TEXTS, summary),
        "surname": read.described(
            read.FLAG, "Whether a person's last name alone will do; false by default."
        ),
    }
    longhand = read.options("The name, with options.", keys, ["text"])
    example = Example(
        params="Marie Curie",
        passing=Answer(text="It was discovered by Curie, Marie (1867-1934)."),
        failing=Answer(text="Curie discovered it."),
        code="name:partial",
    )
    return (
        CheckType(
            name="name",
            summary=summary,
            parameters={
                "description": summary,
                "anyOf": [read.TEXT, read.TEXTS, longhand],
            },
            bind=_bind,
            codes=("name:empty", "name:missing", "name:partial"),
            example=example,
        ),
    )


def _bind(spec: CheckSpec) -> Naming:
    params = read.mapping(spec, "text")
    texts = read.texts(spec, params.get("text"))
    wanted = tuple(filter(None, map(parsed, texts)))
    if len(wanted) < len(texts):
        raise read.wrong(spec, "a name holds no word")
    surname = read.flag(spec, params, "surname", default=False)
    return Naming(spec=spec, texts=texts, wanted=wanted, surname=surname)
