"""The rows behind `each`: a CSV file, a JSONL file, or a list in the eval file."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import Json
from pytest_llm_diagnosis.source import (
    ListNode,
    MapNode,
    Node,
    inside,
    nodes,
    read_text,
)

from .filling import Row

_MAX_DEPTH = 32


class Table(NamedTuple):
    """Rows, and the columns that some of them have."""

    rows: tuple[Row, ...]
    columns: tuple[str, ...]


class Tables:
    """The tables that the cases of one eval file name, each read once."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._root = root
        self._files: dict[str, Table] = {}

    def table(self, each: Node, location: Location) -> Table:
        """Return the rows that `each` gives.

        Raises `InputError` at `location` when there is no such file, and in the
        file for every row that cannot be read.
        """
        if isinstance(each, ListNode):
            mappings = [item for item in each if isinstance(item, MapNode)]
            return _table(mappings)
        written = str(each)
        if written not in self._files:
            self._files[written] = self._read(written, location)
        return self._files[written]

    def _read(self, written: str, location: Location) -> Table:
        readers = {".csv": _csv_rows, ".jsonl": _jsonl_rows}
        reader = readers.get(Path(written).suffix.lower())
        if reader is None:
            raise InputError.at(
                location,
                f"'each' cannot read {written!r}",
                "valid: a .csv file, a .jsonl file, or a list of mappings",
            )
        path = inside(
            written,
            folder=self._path.parent,
            root=self._root,
            location=location,
            what="each",
        )
        problems: list[Problem] = []
        values = list(reader(read_text(path), path, problems))
        if not values and not problems:
            raise InputError.at(Location(path=path), "the file has no rows")
        if problems:
            raise InputError(problems)
        return _table(values)


def _table(values: Sequence[MapNode]) -> Table:
    rows = tuple(Row(number, mapping) for number, mapping in enumerate(values, 1))
    columns = dict.fromkeys(column for mapping in values for column in mapping)
    return Table(rows, tuple(columns))


def _csv_rows(text: str, path: Path, problems: list[Problem]) -> Iterator[MapNode]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    line = 1
    try:
        for cells in reader:
            location = Location(path=path, line=line)
            line = reader.line_num + 1
            if not cells:
                continue
            if not header:
                header = cells
                problems += _header_problems(header, location)
            elif len(cells) != len(header):
                finding = f"{len(cells)} cells below {len(header)} columns"
                hint = "a cell that holds a comma needs quotes"
                problems.append(Problem(location=location, finding=finding, hint=hint))
            else:
                yield _row(dict(zip(header, cells, strict=True)), location)
    except csv.Error as error:
        location = Location(path=path, line=line)
        problems.append(Problem(location=location, finding=f"not CSV: {error}"))


def _header_problems(header: Sequence[str], location: Location) -> Iterator[Problem]:
    for index, column in enumerate(header):
        if not column.strip():
            finding = f"column {index + 1} has no name"
            yield Problem(location=location, finding=finding)
        elif column in header[:index]:
            yield Problem(location=location, finding=f"duplicate column {column!r}")


def _jsonl_rows(text: str, path: Path, problems: list[Problem]) -> Iterator[MapNode]:
    # Only "\n" ends a line: JSON text may hold every other separator.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        location = Location(path=path, line=number)
        try:
            value = json.loads(
                line,
                object_pairs_hook=_without_repeats,
                parse_constant=_no_constant,
                parse_float=_finite,
            )
            _check_text(line, value)
            _check_depth(value, _MAX_DEPTH)
        # Deep nesting ends the parser's recursion; long digits are a ValueError.
        except (ValueError, RecursionError) as error:
            problems.append(Problem(location=location, finding=f"not JSON: {error}"))
            continue
        if isinstance(value, dict):
            yield _row(value, location)
        else:
            finding = "a row must be a JSON object"
            problems.append(Problem(location=location, finding=finding))


def _row(values: dict[str, Json], location: Location) -> MapNode:
    row = nodes(values, location)
    if not isinstance(row, MapNode):
        raise TypeError(values)
    return row


def _without_repeats(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"duplicate key {repeated!r}")
    return values


def _no_constant(name: str) -> Json:
    raise ValueError(f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError(f"{digits} is too large")
    return value


def _check_text(line: str, value: Json) -> None:
    """Refuse lone surrogates: no file or request can hold them."""
    if "\\u" in line:
        json.dumps(value, ensure_ascii=False).encode()


def _check_depth(value: Json, left: int) -> None:
    if not left:
        raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for child in value:
            _check_depth(child, left - 1)
