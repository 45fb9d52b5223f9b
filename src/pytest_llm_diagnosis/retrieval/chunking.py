"""Long sections to pieces of so many words, each under its section's headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pytest_llm_diagnosis.passage_ids import piece_of
from pytest_llm_diagnosis.records import Chunk, Passage

from .unspaced import UNSPACED

# A sign of a script written without spaces counts as a word of its own.
_WORD = re.compile(rf"[{UNSPACED}]|[^\s{UNSPACED}]+")
_HEADINGS = re.compile(r"(?:#{1,6} [^\n]*\n)+\n")


class Span(NamedTuple):
    """Where a piece stands in its text, end exclusive."""

    start: int
    end: int


def chunked(passages: Iterable[Passage], chunk: Chunk | None) -> Iterator[Passage]:
    """Yield the passages, those of more than `chunk.words` words as their pieces.

    A piece begins with the headings of its section and is named `path#slug/2`,
    from 1; a section that is not cut keeps its id.  None cuts nothing.
    """
    for passage in passages:
        if chunk is None:
            yield passage
        else:
            yield from _pieces(passage, chunk)


def spans(text: str, chunk: Chunk) -> list[Span]:
    """Return where the pieces of a text stand: together they hold every word.

    Each has `chunk.words` words, the last one at most so many, and begins with
    the last `chunk.overlap` words of the one before it.
    """
    words = [match.span() for match in _WORD.finditer(text)]
    step = chunk.words - chunk.overlap
    starts = range(0, max(1, len(words) - chunk.overlap), step)
    cut = [words[start : start + chunk.words] for start in starts]
    return [Span(piece[0][0], piece[-1][1]) for piece in cut if piece]


def _pieces(passage: Passage, chunk: Chunk) -> Iterator[Passage]:
    head, body = _parted(passage)
    cut = spans(body, chunk)
    if len(cut) < 2:  # noqa: PLR2004 - one piece is the section itself
        yield passage
        return
    for number, span in enumerate(cut, start=1):
        yield Passage(
            id=piece_of(passage.id, number),
            text=f"{head}{body[span.start : span.end]}",
        )


def _parted(passage: Passage) -> tuple[str, str]:
    """Return the headings a section's text begins with, and what follows."""
    found = _HEADINGS.match(passage.text) if "#" in passage.id else None
    at = found.end() if found else 0
    return passage.text[:at], passage.text[at:]
