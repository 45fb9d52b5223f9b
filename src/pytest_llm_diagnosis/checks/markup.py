"""Checks on agreed marks: quoted, title, postscript, placeholders, and so on."""

from __future__ import annotations

import re
from dataclasses import dataclass

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
from .protocol import BoundCheck, CheckType, Example
from .showing import shown_answer

_PLACEHOLDER = re.compile(r"\[[^\[\]\n]*+\]")
_STARS = re.compile(r"\*+")


def placeholders(text: str) -> int:
    """Return how many `[placeholders]` a text has."""
    return len(_PLACEHOLDER.findall(text))


def highlights(text: str) -> int:
    """Return how many parts of a text stand between stars: `*so*` or `**so**`.

    A part within another counts too; both begin and end on one line.
    """
    return sum(map(_highlights_of_line, text.split("\n")))


def _highlights_of_line(line: str) -> int:
    found = 0
    opened: list[int] = []
    for run in _STARS.finditer(line):
        stars = len(run[0])
        before = line[max(0, run.start() - 1) : run.start()]
        if before.strip():
            while stars and opened:
                found += 1
                used = min(opened[-1], stars)
                stars -= used
                opened[-1] -= used
                if not opened[-1]:
                    opened.pop()
        if stars and line[run.end() : run.end() + 1].strip():
            opened.append(stars)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted(BoundCheck):
    """The whole answer stands between double quotation marks."""

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `quoted:bare`."""
        text = answer.text.strip()
        if len(text) > 1 and text[0] in '"\u201c' and text[-1] in '"\u201d':
            return self.passed()
        reason = f"expected all in double quotation marks, found {shown_answer(answer)}"
        return self.failed("quoted:bare", reason)

    def describe(self) -> str:
        """Ask for the marks."""
        return "Put your whole answer in double quotation marks."


@dataclass(frozen=True, slots=True, kw_only=True)
class Title(BoundCheck):
    """The answer has a title between an opening and a closing mark, on one line."""

    opening: str
    closing: str

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `title:missing` or `title:empty` (nothing between the marks)."""
        inner = [
            self._inner(line)
            for line in answer.text.splitlines()
            if self.opening in line
        ]
        if any(inner):
            return self.passed()
        code = "title:missing" if all(each is None for each in inner) else "title:empty"
        wanted = f"a title as in {self.opening}title{self.closing}"
        return self.failed(code, f"expected {wanted}, found {shown_answer(answer)}")

    def describe(self) -> str:
        """Ask for the title."""
        return f"Give a title, written as {self.opening}title{self.closing}."

    def _inner(self, line: str) -> str | None:
        """Return what stands between the outermost marks of a line."""
        _, _, rest = line.partition(self.opening)
        inner, mark, _ = rest.rpartition(self.closing)
        marks = self.opening + self.closing
        return inner.strip(marks + " \t") if mark else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Postscript(BoundCheck):
    """The answer has a postscript that begins with a marker."""

    marker: str
    pattern: re.Pattern[str]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `postscript:missing`."""
        if self.pattern.search(answer.text):
            return self.passed()
        reason = f"expected a postscript with {self.marker}"
        reason = f"{reason}, found {shown_answer(answer)}"
        return self.failed("postscript:missing", reason)

    def describe(self) -> str:
        """Ask for the postscript."""
        return f"At the end, add a postscript that begins with {self.marker}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections(Counted):
    """The answer has so many sections that a word and a number begin."""

    marker: str

    def describe(self) -> str:
        """Ask for the sections."""
        told = f"Write {self.bounds.words(self.noun)}"
        return f"{told}; begin each with {self.marker} and its number."


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        _quoted(),
        _title(),
        _postscript(),
        _sections(),
        counted_type(
            "placeholders",
            "The answer has so many placeholders in square brackets: `[address]`.",
            Noun("placeholder in square brackets", "placeholders in square brackets"),
            placeholders,
            Example(
                params={"at_least": 2},
                passing=Answer(text="Dear [name], we write to [address]."),
                failing=Answer(text="Dear [name], we write to you."),
                code="placeholders:under",
            ),
        ),
        counted_type(
            "highlights",
            "The answer has so many parts between stars: `*so*` or `**so**`.",
            Noun("part *highlighted* by stars", "parts *highlighted* by stars"),
            highlights,
            Example(
                params={"at_least": 2},
                passing=Answer(text="**Boots** are *dry* again."),
                failing=Answer(text="**Boots** are dry again."),
                code="highlights:under",
            ),
        ),
    )


def _quoted() -> CheckType:
    summary = "The whole answer stands in double quotation marks."
    return CheckType(
        name="quoted",
        summary=summary,
        parameters={"description": summary, "type": "null"},
        bind=lambda spec: Quoted(spec=spec),
        example=Example(
            params=None,
            passing=Answer(text='"All is well."'),
            failing=Answer(text='He says "All is well."'),
            code="quoted:bare",
        ),
        dimensions=("form",),
        codes=("quoted:bare",),
    )


def _title() -> CheckType:
    summary = "The answer has a title between marks, by default `<<title>>`."
    keys: dict[str, Json] = {
        "open": read.described(read.TEXT, "The mark before it; << by default."),
        "close": read.described(read.TEXT, "The mark after it; >> by default."),
    }
    longhand = read.options("With other marks.", keys)
    return CheckType(
        name="title",
        summary=summary,
        parameters={"description": summary, "anyOf": [{"type": "null"}, longhand]},
        bind=_bind_title,
        example=Example(
            params=None,
            passing=Answer(text="<<The Long Way>>\nIt rained."),
            failing=Answer(text="The Long Way\nIt rained."),
            code="title:missing",
        ),
        dimensions=("form",),
        codes=("title:missing", "title:empty"),
    )


def _bind_title(spec: CheckSpec) -> Title:
    params = {} if spec.params is None else read.mapping(spec, "open")
    opening = read.text(spec, params.get("open", "<<"), "open")
    return Title(
        spec=spec,
        opening=opening,
        closing=read.text(spec, params.get("close", ">>"), "close"),
    )


def _postscript() -> CheckType:
    summary = "The answer has a postscript that begins with this marker, any case."
    return CheckType(
        name="postscript",
        summary=summary,
        parameters={"description": summary, **read.TEXT},
        bind=_bind_postscript,
        example=Example(
            params="P.S.",
            passing=Answer(text="It is on its way.\n\nP.S. Bring a coat."),
            failing=Answer(text="It is on its way."),
            code="postscript:missing",
        ),
        dimensions=("form",),
        codes=("postscript:missing",),
    )


def _bind_postscript(spec: CheckSpec) -> Postscript:
    marker = read.text(spec, spec.params, "marker").strip()
    if not marker:
        raise read.wrong(spec, "the marker must be more than spaces")
    # P.S., P. S. and p.s. are one; a last period is not insisted on in P.P.S.
    parts = [re.escape(part) for part in re.findall(r"[^.\s]+\.?", marker)] or [
        re.escape(marker)
    ]
    pattern = re.compile(r"\s?".join(parts), re.IGNORECASE)
    return Postscript(spec=spec, marker=marker, pattern=pattern)


def _sections() -> CheckType:
    summary = "The answer has so many sections, each begun by a word and a number."
    marker = read.described(read.TEXT, "The word; Section by default.")
    return CheckType(
        name="sections",
        summary=summary,
        parameters=counted_parameters(summary, {"marker": marker}),
        bind=_bind_sections,
        example=Example(
            params={"at_least": 2, "marker": "Part"},
            passing=Answer(text="Part 1\nBoots.\n\nPart 2\nCoats."),
            failing=Answer(text="Part 1\nBoots and coats."),
            code="sections:under",
        ),
        dimensions=("form",),
        codes=("sections:under", "sections:over"),
    )


def _bind_sections(spec: CheckSpec) -> Sections:
    params = read.mapping(spec, "exactly")
    marker = read.text(spec, params.get("marker", "Section"), "marker").strip()
    pattern = re.compile(rf"{re.escape(marker)}\s?\d+")
    bounds = read_bounds(spec, params, Bounds(1, None) if marker else None)
    return Sections(
        spec=spec,
        bounds=bounds,
        noun=Noun("section", "sections"),
        count=lambda text: len(pattern.findall(text)),
        verb="Write",
        marker=marker,
    )
