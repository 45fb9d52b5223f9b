"""`{column}` in text, filled in from a row."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError, Problem, valid_choices
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, Spot, place, plain

_BRACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_BRACES = "write {{ and }} for braces that stand for themselves"


class Row(NamedTuple):
    """One row that a case is filled from: its number from 1, and its values."""

    number: int
    values: MapNode


class _Text(NamedTuple):
    """Text cut at its columns: literal, column, literal, ..., literal."""

    pieces: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.pieces[1::2]

    @property
    def lone(self) -> str | None:
        """The column that is all of the text, if it is."""
        return self.columns[0] if len(self.columns) == 1 and self._is_bare else None

    @property
    def _is_bare(self) -> bool:
        return not any(self.pieces[::2])


class Template:
    """A mapping whose text is filled in from rows.

    A shared template comes from `defaults`: in it only `{column}` of a known
    column is filled in.  Otherwise every brace counts, and `problems` tells
    which ones make no sense.
    """

    def __init__(
        self, node: MapNode, columns: Collection[str], path: Path, *, shared: bool
    ) -> None:
        self.problems: list[Problem] = []
        self._node = node
        self._columns = list(columns)
        self._path = path
        self._texts: dict[str, _Text] = {}
        known = "|".join(map(re.escape, sorted(columns, key=len, reverse=True)))
        self._known = re.compile(rf"\{{({known})\}}") if known else None
        for text, spot in _texts(node, node.start):
            if text not in self._texts and ("{" in text or "}" in text):
                self._texts[text] = (
                    self._cut_known(text) if shared else self._cut(text, spot)
                )

    def fill(self, row: Row) -> MapNode:
        """Return the mapping with a row's values; what they fill in stands there.

        Raises `InputError` at the row when it lacks a column.
        """
        filled = MapNode(self._node.start)
        for key, value in self._node.items():
            spots = self._node.spots[key]
            part, spot = self._fill(value, spots[1], row)
            filled.put(key, part, (spots[0], spot))
        return filled

    def lone_column(self, text: Node) -> str | None:
        """Return the column that a text of the template wholly consists of."""
        cut = self._texts.get(text) if isinstance(text, str) else None
        return cut.lone if cut else None

    def _fill(self, value: Node, spot: Spot, row: Row) -> tuple[Node, Spot]:
        if isinstance(value, str):
            cut = self._texts.get(value)
            return (value, spot) if cut is None else self._fill_text(cut, spot, row)
        if isinstance(value, MapNode):
            filled = MapNode(value.start)
            for key, entry in value.items():
                key_spot, entry_spot = value.spots[key]
                part, part_spot = self._fill(entry, entry_spot, row)
                filled.put(key, part, (key_spot, part_spot))
            return filled, spot
        if isinstance(value, ListNode):
            items = ListNode(value.start)
            for item, item_spot in zip(value, value.spots, strict=True):
                items.put(*self._fill(item, item_spot, row))
            return items, spot
        return value, spot

    def _fill_text(self, cut: _Text, spot: Spot, row: Row) -> tuple[Node, Spot]:
        if not cut.columns:
            return cut.pieces[0], spot
        for column in cut.columns:
            if column not in row.values:
                location = place(row.values.start, self._path)
                raise InputError.at(location, f"no value for the column {column!r}")
        where = row.values.spots[cut.columns[0]][1]
        if cut.lone is not None:
            return row.values[cut.lone], where
        pieces = [
            said(row.values[piece]) if index % 2 else piece
            for index, piece in enumerate(cut.pieces)
        ]
        return "".join(pieces), where

    def _cut_known(self, text: str) -> _Text:
        return _Text(tuple(self._known.split(text)) if self._known else (text,))

    def _cut(self, text: str, spot: Spot) -> _Text:
        pieces = [""]
        end = 0
        for match in _BRACE.finditer(text):
            pieces[-1] += text[end : match.start()]
            end = match.end()
            if match[0] in {"{{", "}}"}:
                pieces[-1] += match[0][0]
            elif match[0] in {"{", "}"}:
                self._problem(spot, f"a lone {match[0]!r}", _BRACES)
            else:
                self._check_column(match[1], spot)
                pieces += [match[1], ""]
        pieces[-1] += text[end:]
        return _Text(tuple(pieces))

    def _check_column(self, column: str, spot: Spot) -> None:
        if column not in self._columns:
            hint = valid_choices(column, self._columns, "columns")
            self._problem(spot, f"unknown column {column!r}", f"{hint}; {_BRACES}")

    def _problem(self, spot: Spot, finding: str, hint: str) -> None:
        location = place(spot, self._path)
        self.problems.append(Problem(location=location, finding=finding, hint=hint))


def has_braces(node: Node) -> bool:
    """Return whether some text in a node may be meant to be filled in."""
    if isinstance(node, str):
        return "{" in node
    if isinstance(node, MapNode):
        return any(map(has_braces, node.values()))
    return isinstance(node, ListNode) and any(map(has_braces, node))


def _texts(node: Node, spot: Spot) -> Iterator[tuple[str, Spot]]:
    if isinstance(node, str):
        yield node, spot
    elif isinstance(node, MapNode):
        for key, value in node.items():
            yield from _texts(value, node.spots[key][1])
    elif isinstance(node, ListNode):
        for item, item_spot in zip(node, node.spots, strict=True):
            yield from _texts(item, item_spot)


def said(value: Node) -> str:
    """Return a value as it stands within a text: itself, or as JSON says it."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(plain(value), ensure_ascii=False)
    )
