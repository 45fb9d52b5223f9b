"""Lines and tables that fit a terminal's width.

A text is broken between words alone, so that a path or a node id stays whole and
can be clicked and copied: only such a word may stick out of a narrow terminal.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from .lines import Line, Style, one_line

WIDTH = 80
"""Text is no wider than this, however wide the terminal is."""
_GAP = "  "
_LONGEST = 200
"""Characters of a cell."""
_NUMERIC = frozenset("0123456789+-.,<")
Table: TypeAlias = list[list[str]]
"""Rows of cells, the head first."""


def wrapped(text: str, style: Style, width: int = WIDTH) -> Iterator[Line]:
    """Yield a text in rows that keep its indent."""
    yield from fitted([Line(text, style)], width)


def fitted(lines: Iterable[Line], width: int = WIDTH) -> Iterator[Line]:
    """Yield lines, those that are too wide in rows that hang below their indent."""
    for line in lines:
        if len(line.text) <= width:
            yield line
        else:
            yield from (Line(row, line.style) for row in _rows(line.text, width))


def _rows(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()))
    return textwrap.wrap(
        text.strip(),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}{_GAP}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def table_lines(
    table: Table,
    width: int = WIDTH,
    *,
    indent: str = "",
    style: Callable[[Sequence[str]], Style] | None = None,
) -> Iterator[Line]:
    """Yield a table in columns, numbers to the right.

    Where it is too wide, each row becomes a sentence, still to be `fitted`.  `style`
    says what a row means.
    """
    if not table[1:]:
        return
    safe = [[one_line(cell, _LONGEST) for cell in row] for row in table]
    fits = len(indent) + table_width(safe) <= width
    styles: list[Style] = [
        "head",
        *(style(row) if style else "plain" for row in table[1:]),
    ]
    rows = _columns(safe) if fits else _sentences(safe)
    for number, text in rows:
        yield Line(f"{indent}{text}".rstrip(), styles[number])


def table_width(table: Table) -> int:
    """Return how wide a table is in columns."""
    widths = _widths(table)
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _widths(table: Table) -> list[int]:
    return [max(map(len, column)) for column in zip(*table, strict=True)]


def _columns(table: Table) -> Iterator[tuple[int, str]]:
    widths = _widths(table)
    right = [_is_numeric(column[1:]) for column in zip(*table, strict=True)]
    for number, row in enumerate(table):
        cells = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        yield number, _GAP.join(cells)


def _is_numeric(cells: Sequence[str]) -> bool:
    """Whether a column holds bare numbers, which are read from their last digit."""
    return all(
        _NUMERIC.issuperset(cell) and any(map(str.isdigit, cell)) for cell in cells
    )


def _sentences(table: Table) -> Iterator[tuple[int, str]]:
    (_, *heads), *rows = table
    for number, (name, *cells) in enumerate(rows, start=1):
        told = (f"{head} {cell}" for head, cell in zip(heads, cells, strict=True))
        yield number, f"{name}: {', '.join(told)}"
