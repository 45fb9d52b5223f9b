"""A case with `each` to one case per row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from pytest_llm_diagnosis.errors import InputError, Problem
from pytest_llm_diagnosis.schema import Validator
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, place, resolve

from .defaults import Defaults
from .filling import Row, Template, said
from .rows import Table

_Trail: TypeAlias = tuple[str | int, ...]


class Filled(NamedTuple):
    """A row with the case and the defaults it filled, or what hindered it."""

    row: Row
    own: MapNode
    defaults: Defaults
    problems: tuple[Problem, ...] = ()


class Expansion:
    """The rows of a table, filled into one case.

    A value that fills a whole text takes the type that the place wants: a cell
    of a CSV file may become a number, a number of a JSON row may become text.
    """

    def __init__(
        self, own: MapNode, defaults: Defaults, table: Table, path: Path
    ) -> None:
        self._own = own
        self._defaults = defaults
        self._table = table
        self._template = Template(own, table.columns, path, shared=False)
        self._shared = Template(defaults.unsettled, table.columns, path, shared=True)
        self._retyped: set[tuple[_Trail, type]] = set()

    @property
    def problems(self) -> Sequence[Problem]:
        """What is wrong with the case before any row is looked at."""
        return self._template.problems

    def filled(self, validator: Validator) -> Iterator[Filled]:
        """Yield each row, filled in."""
        for row in self._table.rows:
            try:
                own = self._template.fill(row)
                below = self._shared.fill(row)
            except InputError as error:
                yield Filled(row, self._own, self._defaults, error.problems)
                continue
            self._give_types(own, below, validator)
            yield Filled(row, own, self._defaults.filled(below))

    def _give_types(self, own: MapNode, below: MapNode, validator: Validator) -> None:
        def holder(trail: _Trail) -> MapNode:
            return own if trail[0] in own else below

        for trail, kind in self._retyped:
            if type(_at(holder(trail), trail)) is kind:
                _retype(holder(trail), trail)
        faults = validator.faults(own.over(below))
        wrong = {fault.trail for fault in faults if self._is_filled_whole(fault.trail)}
        before = {trail: _at(holder(trail), trail) for trail in wrong}
        for trail in wrong:
            _retype(holder(trail), trail)
        if wrong and len(validator.faults(own.over(below))) < len(faults):
            self._retyped |= {(trail, type(value)) for trail, value in before.items()}
        else:
            for trail, value in before.items():
                _set(holder(trail), trail, value)

    def _is_filled_whole(self, trail: _Trail) -> bool:
        return (
            self._template.lone_column(_at(self._own, trail)) is not None
            or self._shared.lone_column(_at(self._defaults.unsettled, trail))
            is not None
        )


def row_problems(
    found: Iterable[tuple[Row, Sequence[Problem]]], case: MapNode, path: Path
) -> Iterator[Problem]:
    """Yield the problems of all rows, each naming its row.

    What is wrong in every row alike is wrong with the case: it is said once.
    """
    rows: dict[Problem, list[Row]] = defaultdict(list)
    total = 0
    for row, problems in found:
        total += 1
        for problem in problems:
            rows[problem].append(row)
    origin = place(case.start, path)
    for problem, affected in rows.items():
        row = affected[0]
        spots = {
            place(spot, path) for pair in row.values.spots.values() for spot in pair
        }
        if len(affected) == total and problem.location not in spots:
            yield problem
            continue
        others = f" and {len(affected) - 1} more" if len(affected) > 1 else ""
        hint = problem.hint
        if problem.location.path != path:
            case_at = f"in the case at {origin.path.name}:{origin.line}"
            hint = f"{hint}; {case_at}" if hint else case_at
        yield Problem(
            location=problem.location,
            finding=f"row {row.number}{others}: {problem.finding}",
            hint=hint,
        )


def _at(node: Node, trail: _Trail) -> Node:
    for step in trail:
        if isinstance(node, MapNode) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, ListNode) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def _set(node: MapNode, trail: _Trail, value: Node) -> None:
    parent = _at(node, trail[:-1])
    step = trail[-1]
    if isinstance(parent, MapNode):
        parent[str(step)] = value
    elif isinstance(parent, ListNode):
        parent[int(step)] = value


def _retype(node: MapNode, trail: _Trail) -> None:
    value = _at(node, trail)
    if isinstance(value, str):
        _set(node, trail, resolve(value))
    elif isinstance(value, bool | int | float):
        _set(node, trail, said(value))
