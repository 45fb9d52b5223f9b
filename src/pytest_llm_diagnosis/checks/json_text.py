"""JSON inside answers: a strict reader, and a finder that forgives its wrapping.

The grammar is RFC 8259: no NaN, no Infinity, no comments.  Where that leaves a
choice: a repeated key is accepted and its last value holds, lone surrogates in
escapes are accepted, nesting beyond `MAX_DEPTH` is refused so that hostile text
cannot exhaust the stack, and so are numbers that no type can hold (`1e999`).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pytest_llm_diagnosis.records import Json

JSON_CODES = ("json:empty", "json:fenced", "json:prose_around", "json:invalid")
MAX_DEPTH = 200
# Bounds the search for JSON in prose: the tokens of a text of brackets alone,
# and how much text may be tried in vain, as a multiple of its length.
MAX_TOKENS = 50_000
MAX_TRIED = 8
# int() refuses longer digits by default (CPython's guard against quadratic time).
MAX_DIGITS = 4_000

_WHITESPACE = " \t\r\n"
_STRING = r'"(?:[^"\\\n]++|\\.)*+"?'
_OUTSIDE = re.compile(r"[\[{]")
_INSIDE = re.compile(_STRING + r"|[\[{\]}]")
_NOT_BRACKETS = re.compile(_STRING + r'|[^\[\]{}"]++')
_FENCE = re.compile(r"(?:`{1,}|~{3,})[ \t]*(?:[\w+-]*[ \t]*\n|json\w*\s)?")


class NotJsonError(ValueError):
    """A text is not one JSON value; `code` says in which way."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Region(NamedTuple):
    start: int
    end: int
    level: int


class Leaf(NamedTuple):
    """A scalar inside a JSON value, with the nearest key above it."""

    key: str
    value: str | float | bool | None


def read_json(text: str) -> Json:
    """Return the value of a text that is JSON from end to end.

    Raises `NotJsonError` with code `json:empty`, `json:fenced` (JSON in a code
    fence), `json:prose_around` (JSON among other words) or `json:invalid`.
    """
    if not text.strip(_WHITESPACE):
        raise NotJsonError("json:empty", "expected JSON, found none")
    try:
        return decode(text)
    except ValueError as error:
        raise _diagnosed(text, str(error)) from None


def decode(text: str) -> Json:
    """Return the value of strict JSON text.  Raises ValueError, nothing else."""
    if depth(text) > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    value: Json = _DECODER.decode(text)
    return value


def depth(text: str) -> int:
    """Return how deep the brackets of JSON text nest, or an upper bound of it."""
    opened = text.count("[") + text.count("{")
    if opened <= MAX_DEPTH:
        return opened
    deepest = level = 0
    for bracket in _NOT_BRACKETS.sub("", text):
        if bracket in "[{":
            level += 1
            deepest = max(deepest, level)
        elif bracket in "]}":
            level -= 1
    return deepest


def is_json(text: str) -> bool:
    """Return whether a text is JSON from end to end."""
    try:
        decode(text)
    except ValueError:
        return False
    return True


def json_values(text: str) -> tuple[Json, ...]:
    """Return the JSON a text states: all of it, or every object or array in it.

    Code fences and prose around JSON are passed over.
    """
    try:
        return (decode(text),)
    except ValueError:
        return tuple(_documents(text))


def leaves(value: Json) -> Iterator[Leaf]:
    """Yield the scalars of a JSON value in order; bounded by its size alone."""
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        key, item = waiting.pop()
        if isinstance(item, str) or item is None or isinstance(item, int | float):
            yield Leaf(key, item)
        elif isinstance(item, Mapping):
            waiting.extend(reversed([(str(name), each) for name, each in item.items()]))
        elif isinstance(item, Sequence):
            waiting.extend((key, each) for each in reversed(item))


def only_scalar(text: str) -> str | None:
    """Return the one scalar of a text's one JSON value as text, else None.

    `{"answer": "Paris"}` says just `Paris`, whatever the key.
    """
    values = json_values(text)
    found = list(leaves(values[0])) if len(values) == 1 else []
    if len(found) != 1 or found[0].value is None:
        return None
    value = found[0].value
    return value if isinstance(value, str) else json.dumps(value)


def _diagnosed(text: str, finding: str) -> NotJsonError:
    bare = text.strip()
    fence = _FENCE.match(bare)
    if fence and bare.endswith(bare[0]) and is_json(bare[fence.end() :].rstrip("`~")):
        return NotJsonError(
            "json:fenced", "the JSON is right but stands in a code fence"
        )
    if any(map(_is_payload, _documents(text, outermost=True))):
        return NotJsonError(
            "json:prose_around", "there is JSON, with other text around it"
        )
    return NotJsonError("json:invalid", f"not JSON: {finding}")


def _is_payload(value: Json) -> bool:
    # `[1]` and `[2, 3]` in prose are citations, `{}` a placeholder.
    if isinstance(value, Mapping):
        return bool(value)
    return isinstance(value, Sequence) and any(
        not isinstance(item, int) for item in value
    )


def _documents(text: str, *, outermost: bool = False) -> Iterator[Json]:
    """Yield the objects and arrays in a text, those inside others left out.

    With `outermost`, also leave out those inside a bracket that does not parse
    or never closes.
    """
    regions = [region for region in _regions(text) if not (outermost and region.level)]
    tried = covered = 0
    for start, end, _ in sorted(
        regions, key=lambda region: (region.start, -region.end)
    ):
        if start < covered:
            continue
        if tried > MAX_TRIED * len(text):
            return
        try:
            yield decode(text[start:end])
            covered = end
        except ValueError:
            tried += end - start


def _regions(text: str) -> Iterator[_Region]:
    """Yield every balanced pair of brackets, inner ones first."""
    opened: list[int] = []
    position = 0
    for _ in range(MAX_TOKENS):
        token = (_INSIDE if opened else _OUTSIDE).search(text, position)
        if token is None:
            return
        position = token.end()
        first = text[token.start()]
        if first in "[{":
            opened.append(token.start())
        elif first != '"':
            start = opened.pop()
            if text[start] + first in ("[]", "{}"):
                yield _Region(start, position, len(opened))
            else:
                opened.clear()


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number has more than {MAX_DIGITS:,} digits")
    return int(digits)


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large for any type")
    return value


def _refuse(name: str) -> Json:
    raise ValueError(f"{name} is not a JSON value")


_DECODER = json.JSONDecoder(
    parse_int=_integer, parse_float=_float, parse_constant=_refuse
)
