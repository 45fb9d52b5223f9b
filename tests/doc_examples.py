"""The examples of a Markdown page: YAML blocks, and commands with what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(
    r"^```(?P<language>\w+)[^\n]*\n(?P<text>.*?)^```\n", re.MULTILINE | re.DOTALL
)
_STATUS = re.compile(r"<!-- status: (?P<statuses>[\d ]+) -->")
_FILE = re.compile(r"# (?P<name>[\w./-]+\.yaml)$")
_PROMPT = "$ "


class Block(NamedTuple):
    """A fenced block: where it begins, its language, its text, what stands below."""

    line: int
    language: str
    text: str
    below: str

    @property
    def file_name(self) -> str | None:
        """The file that its first line says it is."""
        named = _FILE.match(self.text.partition("\n")[0])
        return named["name"] if named else None

    @property
    def statuses(self) -> tuple[int, ...]:
        """The exit statuses that a comment below it says, one a command."""
        told = _STATUS.match(self.below)
        return tuple(map(int, told["statuses"].split())) if told else ()


class Command(NamedTuple):
    """A command of a console block and the lines that it is said to print."""

    line: int
    text: str
    printed: tuple[str, ...]
    status: int


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, those of no language left out."""
    text = page.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(line, found["language"], found["text"], text[found.end() :])


def commands(block: Block) -> Iterator[Command]:
    """Yield the commands of a console block, each with what follows it."""
    lines = block.text.splitlines()
    starts = [at for at, line in enumerate(lines) if line.startswith(_PROMPT)]
    statuses = block.statuses or (0,) * len(starts)
    for start, end, status in zip(
        starts, [*starts[1:], len(lines)], statuses, strict=True
    ):
        yield Command(
            line=block.line + 1 + start,
            text=lines[start].removeprefix(_PROMPT),
            printed=tuple(line for line in lines[start + 1 : end] if line.strip()),
            status=status,
        )
