"""The prose of an answer, cut where a reader would pause anyway.

Headings, list items and paragraphs end a sentence though they lack a period;
code blocks and tables are no prose.
"""

from __future__ import annotations

from .markdown_blocks import blocks

_PROSE = frozenset({"heading", "bullet", "numbered", "quote", "paragraph"})


def passages(text: str) -> tuple[str, ...]:
    """Return the texts of the headings, items and paragraphs of an answer."""
    return tuple(
        block.text for block in blocks(text) if block.kind in _PROSE and block.text
    )
