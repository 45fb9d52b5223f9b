"""Checks on Markdown: headings, bullets, numbered items, tables, code, none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .counting import (
    Bounds,
    Count,
    Counted,
    Noun,
    counted_parameters,
    counted_type,
    read_bounds,
)
from .markdown_blocks import Kind, blocks
from .protocol import BoundCheck, CheckType, Example
from .showing import shown

# What Markdown can be made of, with words for a reason and an instruction.
PARTS = {
    "heading": "headings",
    "bullet": "bullet points",
    "numbered": "numbered items",
    "code": "code blocks",
    "table": "tables",
    "quote": "block quotes",
    "rule": "rules",
    "emphasis": "stars or underscores for emphasis",
    "inline_code": "backticks",
    "link": "Markdown links",
}
_INLINE = {
    "inline_code": re.compile(r"(?<!`)`[^`\n]++`(?!`)"),
    "link": re.compile(r"!?\[[^\[\]\n]*+\]\([^()\s]++(?: [^()\n]*+)?\)"),
    "emphasis": re.compile(
        r"(?<![\w*\\])\*{1,3}(?=[^\s*])[^*\n]*+(?<=[^\s*])\*{1,3}(?!\*)"
        r"|(?<![\w\\])_{1,3}(?=[^\s_])(?:[^_\n]|(?<=\w)_(?=\w)){0,1000}+"
        r"(?<=[^\s_])_{1,3}(?!\w)"
    ),
}
_PROSE = frozenset({"heading", "bullet", "numbered", "quote", "paragraph", "table"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMarkdown(BoundCheck):
    """The answer holds no Markdown, or only the allowed kinds of it."""

    allowed: tuple[str, ...]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `no_markdown:` and the first kind that was found."""
        for part, found in _parts(answer.text):
            if part not in self.allowed:
                reason = f"expected no {PARTS[part]}, found {shown(found)}"
                return self.failed(f"no_markdown:{part}", reason)
        return self.passed()

    def describe(self) -> str:
        """Ask for plain text."""
        if not self.allowed:
            return "Write plain text without any Markdown."
        kept = ", ".join(PARTS[part] for part in self.allowed)
        return f"Write plain text without any Markdown other than {kept}."


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeBlocks(Counted):
    """The answer has so many code blocks, perhaps of one language."""

    language: str

    def describe(self) -> str:
        """Ask for the blocks."""
        named = f" marked ```{self.language}" if self.language else ""
        return f"Use {self.bounds.words(self.noun)}{named}."


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        _headings(),
        counted_type(
            "bullets",
            "The answer has so many Markdown bullet points, at any depth.",
            Noun("bullet point", "bullet points"),
            _counter("bullet"),
            Example(
                params=2,
                passing=Answer(text="You need:\n\n- boots\n- a coat"),
                failing=Answer(text="You need boots and a coat."),
                code="bullets:under",
            ),
        ),
        counted_type(
            "numbered",
            "The answer has so many items of numbered Markdown lists.",
            Noun("numbered item", "numbered items"),
            _counter("numbered"),
            Example(
                params=2,
                passing=Answer(text="1. Unpack it.\n2. Plug it in."),
                failing=Answer(text="1. Unpack it and plug it in."),
                code="numbered:under",
            ),
        ),
        counted_type(
            "tables",
            "The answer has so many Markdown tables.",
            Noun("Markdown table", "Markdown tables"),
            _counter("table"),
            Example(
                params=1,
                passing=Answer(text="| size | price |\n|---|---|\n| S | 3 |"),
                failing=Answer(text="size | price\nS | 3"),
                code="tables:under",
            ),
        ),
        _code_blocks(),
        _no_markdown(),
    )


def _counter(kind: Kind) -> Count:
    return lambda text: sum(1 for block in blocks(text) if block.kind == kind)


def _headings() -> CheckType:
    summary = "The answer has so many Markdown headings, perhaps of one level."
    level: Json = {
        "description": "The level that counts, 1 to 6; any by default.",
        "type": "integer",
        "minimum": 1,
        "maximum": 6,
    }

    def bind(spec: CheckSpec) -> Counted:
        params = read.mapping(spec, "exactly")
        bounds = read_bounds(spec, params, Bounds(1, None))
        wanted = read.count(spec, params.get("level", 0), "level")

        def count(text: str) -> int:
            return sum(
                1
                for block in blocks(text)
                if block.kind == "heading" and wanted in (0, block.level)
            )

        at = f" of level {wanted}" if wanted else ""
        noun = Noun(f"Markdown heading{at}", f"Markdown headings{at}")
        return Counted(spec=spec, bounds=bounds, noun=noun, count=count, verb="Use")

    return CheckType(
        name="headings",
        summary=summary,
        parameters=counted_parameters(summary, {"level": level}),
        bind=bind,
        example=Example(
            params={"at_least": 1, "level": 2},
            passing=Answer(text="## Returns\n\n45 days."),
            failing=Answer(text="**Returns**\n\n45 days."),
            code="headings:under",
        ),
        dimensions=("form",),
        codes=("headings:under", "headings:over"),
    )


def _code_blocks() -> CheckType:
    summary = "The answer has so many code blocks, perhaps of one language."
    language = read.described(read.TEXT, "The language named beside the fence.")

    def bind(spec: CheckSpec) -> CodeBlocks:
        params = read.mapping(spec, "exactly")
        given = params.get("language")
        named = "" if given is None else read.text(spec, given, "language").lower()

        def count(text: str) -> int:
            code = (block for block in blocks(text) if block.kind == "code")
            return sum(1 for block in code if named in ("", block.info.lower()))

        return CodeBlocks(
            spec=spec,
            bounds=read_bounds(spec, params, Bounds(1, None)),
            noun=Noun("code block", "code blocks"),
            count=count,
            verb="Use",
            language=named,
        )

    return CheckType(
        name="code_blocks",
        summary=summary,
        parameters=counted_parameters(summary, {"language": language}),
        bind=bind,
        example=Example(
            params={"exactly": 1, "language": "sh"},
            passing=Answer(text="Run this:\n```sh\nmake\n```"),
            failing=Answer(text="Run `make`."),
            code="code_blocks:under",
        ),
        dimensions=("form",),
        codes=("code_blocks:under", "code_blocks:over"),
    )


def _no_markdown() -> CheckType:
    summary = "The answer holds no Markdown, or only the kinds under allow."
    kinds: Json = {"enum": list(PARTS)}
    allow: Json = {
        "description": "Kinds of Markdown that do no harm.",
        "type": "array",
        "items": kinds,
        "minItems": 1,
    }
    longhand = read.options("With exceptions.", {"allow": allow}, ["allow"])
    return CheckType(
        name="no_markdown",
        summary=summary,
        parameters={"description": summary, "anyOf": [{"type": "null"}, longhand]},
        bind=_bind_no_markdown,
        example=Example(
            params=None,
            passing=Answer(text="You have 45 days."),
            failing=Answer(text="You have **45 days**."),
            code="no_markdown:emphasis",
        ),
        dimensions=("form",),
        codes=tuple(f"no_markdown:{part}" for part in PARTS),
    )


def _bind_no_markdown(spec: CheckSpec) -> NoMarkdown:
    params = {} if spec.params is None else read.mapping(spec, "allow")
    given = params.get("allow")
    allowed = () if given is None else read.texts(spec, given, "allow")
    unknown = [part for part in allowed if part not in PARTS]
    if unknown:
        hint = f"valid: {', '.join(PARTS)}"
        raise read.wrong(spec, f"unknown kind of Markdown {unknown[0]!r}", hint)
    return NoMarkdown(spec=spec, allowed=allowed)


def _parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds of Markdown in a text, each with what it says."""
    for block in blocks(text):
        if block.kind != "paragraph":
            yield block.kind, block.text
        if block.kind in _PROSE:
            for part, pattern in _INLINE.items():
                if found := pattern.search(block.text):
                    yield part, found[0]
