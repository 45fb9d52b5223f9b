"""The check that an answer is of a format: parses_as.

Under `form` the whole answer must parse.  Under `facts` it also counts inside a
code fence or among other words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from pytest_llm_diagnosis.errors import valid_choices
from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Verdict

from . import parameters as read
from .json_text import NotJsonError, json_values, read_json
from .markdown_blocks import blocks
from .parsers import PARSERS, Misparsed, Parse, UnparsedError, sql_parser
from .protocol import BoundCheck, CheckType, Example
from .showing import shown, shown_answer

Fence = Literal["forbidden", "allowed", "required"]
FENCES: tuple[Fence, ...] = ("forbidden", "allowed", "required")
EXTRA = "sql"
_UNDECIDED = {
    "yaml": ("too_large",),
    "toml": ("too_large",),
    "python": ("too_large",),
    "sql": ("too_large", "unsupported"),
}
# Blocks of code in an answer that are tried; each may take long.
_TRIED = 3

_FENCE = re.compile(r"(`{3,}|~{3,})[^`\n]*+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsesAs(BoundCheck):
    """The answer is text of a format, in a code fence or not."""

    needs_form: ClassVar[bool] = True

    format: str
    parse: Parse
    fence: Fence

    def grade(self, answer: Answer) -> Verdict:
        """Fail with the format's name and empty, fenced, bare, prose_around, invalid.

        `bare` is the lack of a required fence.  Undecided is a text that is
        too_large, or unsupported: SQL of which the parser knows a word alone.
        """
        try:
            return self._judged(answer)
        except UnparsedError as error:
            return self.undecided(f"{self.format}:{error.code}", str(error))

    def describe(self) -> str:
        """Ask for the format."""
        name = self.format if self.format in ("python", "toml") else self.format.upper()
        told = f"Answer with {name.replace('python', 'Python').replace('toml', 'TOML')}"
        if self.fence == "required":
            return f"{told} in one code fence and nothing else."
        fence = "" if self.fence == "allowed" else "no code fence, "
        return f"{told} and nothing else: {fence}no words around it."

    def _judged(self, answer: Answer) -> Verdict:
        text = answer.text.strip()
        if not text:
            return self._failed("empty", f"expected {self.format}", answer)
        flaw = self._flaw(text)
        inner = _inside_fence(text)
        if flaw is None and (self.fence != "required" or self.seeks_facts):
            return self.passed()
        if inner is not None and self._flaw(inner) is None:
            if self.fence != "forbidden" or self.seeks_facts:
                return self.passed()
            told = f"the {self.format} is right but stands in a code fence"
            return self._failed("fenced", told, answer)
        if flaw is None:
            told = f"the {self.format} is right but stands in no code fence"
            return self._failed("bare", told, answer)
        return self._amid_prose(text, flaw, answer)

    def _amid_prose(self, text: str, flaw: str, answer: Answer) -> Verdict:
        for part in _parts(text, self.format):
            if self._flaw(part) is None:
                if self.seeks_facts:
                    return self.passed()
                told = f"there is {self.format}, with other text around it"
                return self._failed("prose_around", told, answer)
        return self._failed("invalid", f"not {self.format}: {shown(flaw)}", answer)

    def _flaw(self, text: str) -> str | None:
        try:
            self.parse(text)
        except Misparsed as error:
            return str(error)
        return None

    def _failed(self, code: str, told: str, answer: Answer) -> Verdict:
        reason = f"{told}, found {shown_answer(answer)}"
        return self.failed(f"{self.format}:{code}", reason)


def types() -> tuple[CheckType, ...]:
    """Return the check of this module."""
    formats: dict[str, Json] = {"enum": list(PARSERS)}
    summary = f"The whole answer parses as {', '.join(PARSERS)} (sql needs the extra)."
    keys: dict[str, Json] = {
        "format": read.described(
            formats,
            "The format. Some words are of a format too and pass: `Sorry: no` is YAML, "
            "`hello` is Python; a check beside it can tell more.",
        ),
        "fence": {
            "description": "Whether it may stand in a code fence; forbidden by "
            "default.",
            "enum": list(FENCES),
        },
        "dialect": read.described(read.TEXT, "With sql: a dialect of sqlglot."),
    }
    longhand = read.options("The format, with options.", keys, ["format"])
    return (
        CheckType(
            name="parses_as",
            summary=summary,
            parameters={"description": summary, "anyOf": [formats, longhand]},
            bind=_bind,
            example=Example(
                params="toml",
                passing=Answer(text='[boots]\nsize = "M"'),
                failing=Answer(text='```toml\n[boots]\nsize = "M"\n```'),
                code="toml:fenced",
            ),
            dimensions=("form", "facts"),
            codes=tuple(
                f"{format_}:{code}"
                for format_ in PARSERS
                for code in (
                    "empty",
                    "fenced",
                    "bare",
                    "prose_around",
                    "invalid",
                    *_UNDECIDED.get(format_, ()),
                )
            ),
        ),
    )


def _bind(spec: CheckSpec) -> ParsesAs:
    params = read.mapping(spec, "format")
    name = read.text(spec, params.get("format"), "format")
    fence = params.get("fence", "forbidden")
    if name not in PARSERS:
        hint = valid_choices(name, [*PARSERS], "formats")
        raise read.wrong(spec, f"unknown format {shown(name)}", hint)
    if fence not in FENCES:
        raise read.wrong(spec, f"fence must be {', '.join(FENCES)}, not {fence!r}")
    parse = _sql(spec, params.get("dialect")) if name == "sql" else PARSERS[name]
    return ParsesAs(spec=spec, format=name, parse=parse, fence=fence)


def _sql(spec: CheckSpec, dialect: Json) -> Parse:
    read.need(spec, "sqlglot", EXTRA)
    if dialect is None:
        return PARSERS["sql"]
    from sqlglot.dialects import Dialect

    named = read.text(spec, dialect, "dialect").lower()
    if named not in Dialect.classes:
        hint = valid_choices(named, sorted(filter(None, Dialect.classes)), "dialects")
        raise read.wrong(spec, f"unknown dialect {shown(named)}", hint)
    return sql_parser(named)


def _inside_fence(text: str) -> str | None:
    """Return what stands in the one code fence that a text is, if it is one."""
    lines = text.split("\n")
    opened = _FENCE.match(lines[0].rstrip())
    if opened is None or len(lines) < len(("open", "close")):
        return None
    closing = (
        index
        for index, line in enumerate(lines[1:], 1)
        if line.strip().startswith(opened[1])
    )
    last = len(lines) - 1
    return "\n".join(lines[1:last]) if next(closing, None) == last else None


def _parts(text: str, format_: str) -> Iterator[str]:
    """Yield what may be the format among other words: fences, then the rest.

    Without a fence the first or last line or paragraph may be words, if it has
    the look of a sentence.
    """
    code = [block.text for block in blocks(text) if block.kind == "code"]
    yield from code[:_TRIED]
    if format_ == "json":
        yield from (json.dumps(value) for value in _payloads(text))
    elif format_ == "xml":
        yield text[text.find("<") : text.rfind(">") + 1]
    else:
        for divider in ("\n\n", "\n"):
            yield from _without_words(text, divider)


def _without_words(text: str, divider: str) -> Iterator[str]:
    """Yield a text without its first, its last or both parts where they are words."""
    first, _, after = text.partition(divider)
    before, _, last = text.rpartition(divider)
    led, trailed = _is_sentence(first), _is_sentence(last)
    if led:
        yield after.strip()
    if trailed:
        yield before.strip()
    if led and trailed:
        yield after.rpartition(divider)[0].strip()


def _is_sentence(part: str) -> bool:
    """Return whether one line has a letter first, a space, and a mark at its end."""
    line = part.strip()
    begins, ends = line[:1].isalpha(), line[-1:] in tuple(".:!?")
    return begins and ends and " " in line and "\n" not in line


def _payloads(text: str) -> Sequence[Json]:
    """Return JSON among words; `[1]` in prose is a citation and none."""
    try:
        read_json(text)
    except NotJsonError as error:
        return json_values(text)[:1] if error.code == "json:prose_around" else ()
    return ()
