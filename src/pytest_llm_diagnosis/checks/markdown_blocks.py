"""Markdown text to its blocks, line by line (CommonMark 0.31, and GFM tables).

What is told apart: headings (`#` and underlined), bullets and numbered items at
any depth, code fences and indented code, tables, quotes, rules, paragraphs.
Simpler than CommonMark: quotes hold no blocks, HTML is a paragraph, and once a
list has begun any deeper indentation belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, NamedTuple

Kind = Literal[
    "heading", "bullet", "numbered", "code", "table", "quote", "rule", "paragraph"
]

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING_SIGNS = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*([^\s`]*)([^`]*)$")
_BULLET = re.compile(r"[-*+](?:[ \t]+(.*)|)$")
_NUMBERED = re.compile(r"(\d{1,9})[.)](?:[ \t]+(.*)|)$")
_QUOTE = re.compile(r"> ?(.*)$")
_CELL = re.compile(r":?-+:?")
_BAR = re.compile(r"(?<!\\)\|")
# Every block but a table begins with one of these: most lines with none.
_BEGINS = frozenset("#=-*_+>`~0123456789")
_CODE_INDENT = 4


class Block(NamedTuple):
    """A block of a document.

    `level` is a heading's (1 to 6), or an item's indentation; `text` is its
    content, and of a code fence `info` the language named beside it.
    """

    kind: Kind
    text: str
    level: int = 0
    info: str = ""


def blocks(text: str) -> tuple[Block, ...]:
    """Return the blocks of a text in order."""
    return _Reader(text).read()


class _Reader:
    """Reads lines one after the other; what is open may take in the next."""

    def __init__(self, text: str) -> None:
        lines = text.replace("\r\n", "\n").split("\n")
        has_tabs = "\t" in text
        self._lines = [line.expandtabs(4) for line in lines] if has_tabs else lines
        self._found: list[Block] = []
        self._open: list[str] = []
        self._in_list = False
        self._after_blank = True

    def read(self) -> tuple[Block, ...]:
        """Return the blocks."""
        index = 0
        while index < len(self._lines):
            index = self._take(index)
        self._close()
        return tuple(self._found)

    def _take(self, index: int) -> int:
        """Take in the line at an index, and perhaps more; return the next one."""
        line = self._lines[index]
        bare = line.strip()
        indent = len(line) - len(line.lstrip())
        if not bare:
            self._close()
            self._after_blank = True
            return index + 1
        if self._after_blank and not indent and not _is_item(bare):
            self._in_list = False
        deep = indent >= _CODE_INDENT and not self._in_list
        next_index = None if deep else self._structure(index, bare, indent)
        if next_index is None:
            if deep and not self._open and self._after_blank:
                next_index = self._indented_code(index)
            else:
                self._open.append(bare)
                next_index = index + 1
        self._after_blank = False
        return next_index

    def _structure(self, index: int, bare: str, indent: int) -> int | None:
        """Take in a line that is more than text; None when it is not."""
        if bare[0] not in _BEGINS:
            return self._table(index) if "|" in bare else None
        return self._marked(index, bare, indent) or self._table(index)

    def _marked(self, index: int, bare: str, indent: int) -> int | None:
        """Take in a line whose first sign tells what it begins."""
        line = bare if self._in_list else self._lines[index]
        if fence := _FENCE.match(bare):
            return self._fenced(index, fence)
        if self._underline(line) or self._heading(line) or self._rule(line):
            return index + 1
        if self._item(bare, indent) or self._quote(bare):
            return index + 1
        return None

    def _rule(self, line: str) -> bool:
        if found := _RULE.match(line):
            self._add(Block("rule", line.strip()))
        return bool(found)

    def _quote(self, bare: str) -> bool:
        if found := _QUOTE.match(bare):
            self._add(Block("quote", found[1].strip()))
        return bool(found)

    def _heading(self, line: str) -> bool:
        found = _ATX.match(line)
        if not found:
            return False
        title = _CLOSING_SIGNS.sub("", (found[2] or "").strip()).strip()
        self._add(Block("heading", title, len(found[1])))
        return True

    def _underline(self, line: str) -> bool:
        found = _UNDERLINE.match(line)
        if not found or not self._open:
            return False
        title, self._open = " ".join(self._open), []
        self._found.append(Block("heading", title, 1 if found[1][0] == "=" else 2))
        return True

    def _item(self, bare: str, indent: int) -> bool:
        bullet, numbered = _BULLET.match(bare), _NUMBERED.match(bare)
        found = bullet or numbered
        if not found:
            return False
        content = (bullet[1] if bullet else found[2]) or ""
        begins = bool(bullet) or found[1] == "1"
        # What may interrupt a paragraph: an item with text, numbered from 1.
        if self._open and not self._in_list and not (content and begins):
            return False
        self._add(Block("bullet" if bullet else "numbered", content.strip(), indent))
        self._in_list = True
        return True

    def _fenced(self, index: int, fence: re.Match[str]) -> int:
        mark = fence[1]
        closing = re.compile(rf"{re.escape(mark[0])}{{{len(mark)},}}$")
        end = index + 1
        while end < len(self._lines) and not closing.match(self._lines[end].strip()):
            end += 1
        text = "\n".join(self._lines[index + 1 : end])
        self._add(Block("code", text, info=fence[2]))
        return end + 1

    def _indented_code(self, index: int) -> int:
        # Blank lines belong to it when more of it follows.
        end = next_line = index
        while next_line < len(self._lines):
            line = self._lines[next_line]
            next_line += 1
            if line.startswith(" " * _CODE_INDENT) and line.strip():
                end = next_line
            elif line.strip():
                break
        self._add(Block("code", "\n".join(line[4:] for line in self._lines[index:end])))
        return end

    def _table(self, index: int) -> int | None:
        header = self._lines[index].strip()
        below = self._lines[index + 1].strip() if index + 1 < len(self._lines) else ""
        if "|" not in header or not _is_delimiter(below, len(_cells(header))):
            return None
        end = index + 2
        while end < len(self._lines) and self._is_row(end):
            end += 1
        rows = (line.strip() for line in self._lines[index:end])
        self._add(Block("table", "\n".join(rows)))
        return end

    def _is_row(self, index: int) -> bool:
        line = self._lines[index].strip()
        return bool(line) and not (_FENCE.match(line) or _ATX.match(line))

    def _add(self, block: Block) -> None:
        self._close()
        self._found.append(block)
        if block.kind in ("heading", "rule", "table"):
            self._in_list = False

    def _close(self) -> None:
        if not self._open:
            return
        text, self._open = "\n".join(self._open), []
        last = self._found[-1] if self._found else None
        if self._in_list and last and last.kind in ("bullet", "numbered"):
            joined = f"{last.text}\n{text}" if last.text else text
            self._found[-1] = last._replace(text=joined)
        else:
            self._found.append(Block("paragraph", text))


def _is_item(bare: str) -> bool:
    return bool(_BULLET.match(bare) or _NUMBERED.match(bare))


def _cells(row: str) -> Sequence[str]:
    inner = row.strip()
    inner = inner.removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return _BAR.split(inner)


def _is_delimiter(line: str, columns: int) -> bool:
    if "-" not in line or ("|" not in line and ":" not in line):
        return False
    cells = _cells(line)
    fits = all(_CELL.fullmatch(cell.strip()) for cell in cells)
    return fits and len(cells) == columns
