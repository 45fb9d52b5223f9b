"""What makes hostile text mere text in Markdown as GitHub shows it."""

from __future__ import annotations

import re

from .lines import one_line

_MOST = 2000
"""Characters of a text that is not cut shorter by whoever writes it."""

# Entities cannot stand for structure (CommonMark, section 2.5), while how a
# backslash before a pipe counts differs between a table and the text around it.
_ENTITIES = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "|": "&#124;",
        "`": "&#96;",
        "\\": "&#92;",
        "$": "&#36;",
        "*": r"\*",
        "_": r"\_",
        "~": r"\~",
        "[": r"\[",
        "]": r"\]",
    }
)
_GAP = "&#8203;"
# GitHub looks for these in the text after Markdown was read, so escapes are of no
# use there: a person, an issue, an address.  An invisible gap breaks them up.
_LINKED = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|\bwww(?=\.)|\b(?:mailto|xmpp):|\bGH-")
_BLOCK = re.compile(r"^(?:(?=[-+=#])|\d+(?=[.)](?:\s|$)))")


def markdown_escaped(text: str, most: int = _MOST) -> str:
    """Return text on one line that Markdown shows as it is, cut to `most`.

    What stays is neither markup nor HTML, links to nothing, mentions nobody, and
    begins no block; control characters are shown as `printable` does.
    """
    flat = one_line(text, most)
    marked = _LINKED.sub(lambda found: f"{found[0]}\0", flat)
    escaped = marked.translate(_ENTITIES).replace("\0", _GAP)
    return _BLOCK.sub(lambda found: f"{found[0]}\\", escaped)
