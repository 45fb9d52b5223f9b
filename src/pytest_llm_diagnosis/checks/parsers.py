"""Real parsers for formats, safe and in bounds on hostile text.

Each raises `Misparsed` with what is wrong, `UnparsedError` for a text that
it cannot tell of, and nothing else.  Nothing is executed, expanded or
fetched: YAML is read as events, XML refuses entities, Python stops at its tree.
"""

from __future__ import annotations

import ast
import csv
import re
import tomllib
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from xml.parsers import expat

from .json_text import MAX_DEPTH, decode, depth

# What takes half a second, also where the words around it are tried without.
MAX_PYTHON = 500_000
MAX_SQL = 30_000
MAX_TOML = 500_000
MAX_YAML = 500_000
# tomllib takes quadratic time for the parts of one key.
_LONG_KEY = re.compile(r"(?<![\w.-])(?:[\w-]++[ \t]*+\.[ \t]*+){50}")
_ENDS = (".", "!", "?", ":")

Parse = Callable[[str], None]


class Misparsed(ValueError):  # noqa: N818 (what it tells is no fault of ours)
    """A text is not of the format; the message says why."""


class UnparsedError(Exception):
    """The parser cannot tell of a text: it is `too_large`, or `unsupported`."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def parse_json(text: str) -> None:
    """Accept one JSON value (RFC 8259)."""
    try:
        decode(text)
    except ValueError as error:
        raise Misparsed(str(error)) from None


def parse_yaml(text: str) -> None:
    """Accept one YAML document that is a mapping or a list.

    A plain text is YAML too, but nobody who asks for YAML means that.  Custom
    tags and aliases are accepted, for nothing is built from them.
    """
    import yaml

    _bounded(text, MAX_YAML)
    level = documents = 0
    for event in _yaml_events(text):
        documents += isinstance(event, yaml.DocumentStartEvent)
        level += isinstance(event, yaml.CollectionStartEvent)
        level -= isinstance(event, yaml.CollectionEndEvent)
        if not level and isinstance(event, yaml.ScalarEvent):
            raise Misparsed("it is a single text, neither a mapping nor a list")
        if level > MAX_DEPTH:
            raise Misparsed(f"nested deeper than {MAX_DEPTH} levels")
    if documents != 1:
        raise Misparsed(f"expected one document, found {documents}")


def _yaml_events(text: str) -> Iterator[object]:
    """Yield the events of YAML text, faults of the text as `Misparsed`."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        line = f" (line {error.problem_mark.line + 1})" if error.problem_mark else ""
        raise Misparsed(f"{error.problem}{line}") from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise Misparsed(str(error)) from None


def parse_xml(text: str) -> None:
    """Accept one XML document; entities of its own are refused."""
    parser: Any = expat.ParserCreate()
    level = 0

    def refuse(*_: object) -> None:
        raise Misparsed("it declares entities")

    def begin(*_: object) -> None:
        nonlocal level
        level += 1
        if level > MAX_DEPTH:
            raise Misparsed(f"nested deeper than {MAX_DEPTH} levels")

    def end(*_: object) -> None:
        nonlocal level
        level -= 1

    parser.EntityDeclHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(text.strip().encode("utf-8"), True)
    except (expat.ExpatError, UnicodeEncodeError) as error:
        raise Misparsed(str(error)) from None


def parse_toml(text: str) -> None:
    """Accept a TOML document with at least one key."""
    _bounded(text, MAX_TOML)
    if depth(text) > MAX_DEPTH:
        raise Misparsed(f"nested deeper than {MAX_DEPTH} levels")
    if _LONG_KEY.search(text):
        raise Misparsed("a key has over 50 parts")
    try:
        found = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise Misparsed(str(error)) from None
    if not found:
        raise Misparsed("it has no key")


def parse_csv(text: str) -> None:
    """Accept CSV (RFC 4180): two columns or more, the same number in each row.

    A single row with a space behind a comma, or with a mark at its end, may as
    well be words (`Here, you go.`), and is none.
    """
    columns = number = 0
    row: Sequence[str] = ()
    try:
        for number, row in enumerate(csv.reader(_lines(text), strict=True), 1):
            columns = columns or len(row)
            if len(row) != columns:
                raise Misparsed(f"row {number} has {len(row)} fields, not {columns}")
    except csv.Error as error:
        raise Misparsed(str(error)) from None
    if columns < len("ab"):
        raise Misparsed("it has a single column")
    if number == 1 and (row[-1].endswith(_ENDS) or any(map(_begins_apart, row[1:]))):
        raise Misparsed("it is a single row that reads as words")


def parse_python(text: str) -> None:
    """Accept Python source, which is parsed and never run."""
    _bounded(text, MAX_PYTHON)
    try:
        with warnings.catch_warnings():
            # A warning about the answer's code is none of the suite's.
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise Misparsed(str(error) or "nested too deep") from None
    if not tree.body:
        raise Misparsed("it holds no statement")


def sql_parser(dialect: str) -> Parse:
    """Return a parser of SQL statements in a dialect of sqlglot, "" for any."""

    def parse_sql(text: str) -> None:
        from sqlglot import expressions

        found = _statements(text, dialect)
        # A lone word is an expression.
        words = (expressions.Condition, expressions.Alias)
        odd = [each for each in found if isinstance(each, words)]
        if not found or any(not isinstance(each, expressions.Query) for each in odd):
            raise Misparsed("it is no SQL statement")
        if any(isinstance(each, expressions.Command) for each in found):
            told = "of a statement only the first word is known; name its dialect"
            raise UnparsedError("unsupported", told)

    return parse_sql


def _statements(text: str, dialect: str) -> Sequence[object]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    _bounded(text, MAX_SQL)
    if depth(text.replace("(", "[").replace(")", "]")) > MAX_DEPTH:
        raise Misparsed(f"nested deeper than {MAX_DEPTH} levels")
    try:
        found = sqlglot.parse(text, dialect=dialect or None)
    except SqlglotError as error:
        raise Misparsed(_first_line(error)) from None
    except RecursionError:
        raise Misparsed("nested too deep") from None
    return [each for each in found if each is not None]


PARSERS: Mapping[str, Parse] = {
    "json": parse_json,
    "yaml": parse_yaml,
    "xml": parse_xml,
    "toml": parse_toml,
    "csv": parse_csv,
    "python": parse_python,
    "sql": sql_parser(""),
}


def _begins_apart(field: str) -> bool:
    return field[:1].isspace()


def _bounded(text: str, limit: int) -> None:
    if len(text) > limit:
        told = f"over {limit:,} characters cannot be parsed in time"
        raise UnparsedError("too_large", told)


def _lines(text: str) -> list[str]:
    return text.strip("\r\n").splitlines(keepends=True)


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).partition("\n")[0]
