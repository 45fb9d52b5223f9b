"""Text made comparable, and everything an answer says.

Under `facts` texts are compared *folded*: Unicode compatibility forms (NFKC),
one shape of quotes, dashes and spaces, no invisible characters, no Markdown
emphasis, and no case unless asked.  Under `form` they are compared *exactly*,
save for canonical composition (NFC) and line ends, because there a dash or a
capital may be the very point.
"""

from __future__ import annotations

import re
import unicodedata

from pytest_llm_diagnosis.records import Answer, Json, ToolCall

from .json_text import json_values, leaves

_SHAPES = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"),
        **dict.fromkeys("\u200b\u2060\ufeff\u00ad\u200e\u200f", None),
    }
)
# Each run of marks is tried once, from its start, so that a megabyte of them
# takes linear time.
_EMPHASIS = re.compile(
    r"(?<![\w*`])[*`]++(?=\S)|(?<=[^\s*`])[*`]++(?!\w)"
    r"|(?<!\w)_++(?=[^\W_])|(?<=[^\W_])_++(?![^\W_])"
)


def fold(text: str, *, ignore_case: bool = True) -> str:
    """Return a text reduced to what it says, on one line.

    Folding is idempotent, and equal for texts that differ only in case (if
    ignored), compatibility forms, quotes, dashes, spaces or emphasis.
    """
    text = without_emphasis(same_shapes(text))
    if ignore_case:
        text = _caseless(text)
    return " ".join(text.split())


def same_shapes(text: str) -> str:
    """Return a text with one shape of quotes, dashes and compatibility forms."""
    if text.isascii():
        return text
    # The shapes come first: NFKC would take some of them apart.
    return unicodedata.normalize("NFKC", text.translate(_SHAPES)).translate(_SHAPES)


def without_emphasis(text: str) -> str:
    """Return a text without Markdown's stars, underscores and backticks.

    Those between two letters or two spaces stay: `2*3`, `snake_case`, bullets.
    """
    return _EMPHASIS.sub("", text)


def exact(text: str, *, ignore_case: bool = False) -> str:
    r"""Return a text as written, canonically composed, its lines ended by `\n`."""
    text = text.replace("\r\n", "\n")
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return _caseless(text) if ignore_case else text


def said(answer: Answer) -> tuple[str, ...]:
    r"""Return every text an answer states, its own text first.

    Then come the JSON strings in it that escapes hide (`\u00e9`), and the
    arguments of its tool calls, as lines of `key: value`.
    """
    hidden = json_values(answer.text) if "\\" in answer.text else ()
    called = tuple(_arguments(call) for call in answer.tool_calls)
    return (answer.text, *map(_lines, hidden), *called)


def is_silent(answer: Answer) -> bool:
    """Whether an answer has neither text nor tool calls."""
    return not answer.tool_calls and not answer.text.strip()


def _arguments(call: ToolCall) -> str:
    arguments = call.arguments
    return arguments if isinstance(arguments, str) else _lines(arguments)


def _lines(value: Json) -> str:
    return "\n".join(
        f"{key}: {item}" if key else str(item) for key, item in leaves(value)
    )


def _caseless(text: str) -> str:
    if text.isascii():
        return text.lower()
    # The Unicode Standard, definition D146: folding can undo a composition,
    # and composing can bring a foldable character back.
    decomposed = unicodedata.normalize("NFD", text)
    folded = unicodedata.normalize("NFKC", decomposed.casefold())
    return unicodedata.normalize("NFKC", folded.casefold())
