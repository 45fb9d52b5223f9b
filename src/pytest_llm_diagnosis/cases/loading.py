"""An eval file to its cases, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import Case, Dimension, JsonObject
from pytest_llm_diagnosis.schema import Validator, eval_schema, located
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, Spot, place, read

from .defaults import Defaults, read_defaults
from .expanding import Expansion, row_problems
from .filling import has_braces
from .making import Maker
from .meaning import contradictions
from .rows import Tables

_OUTLINE: JsonObject = {
    "type": "object",
    "properties": {
        "defaults": {"type": "object"},
        "cases": {"type": "array", "minItems": 1},
    },
    "required": ["cases"],
    "additionalProperties": False,
}


class Checks(Protocol):
    """The checks that cases can name."""

    def parameter_schemas(self, dimension: Dimension) -> Mapping[str, JsonObject]:
        """Return the schema of each check's parameters, by the check's name."""
        ...


class Loaded(NamedTuple):
    """The cases of a file that are right, and what is wrong with the others."""

    cases: tuple[Case, ...]
    problems: tuple[Problem, ...]


def read_cases(path: Path, root: Path, checks: Checks) -> Loaded:
    """Return the cases of an eval file, in the order of the file and its rows.

    Evidence, prompt files and rows are looked up from the file's folder and
    stay below `root`.  Checks are not bound yet.  Raises `InputError` when the
    file cannot be read at all.
    """
    loader = _Loader(path, root, checks)
    cases = loader.cases(read(path))
    return Loaded(cases, tuple(dict.fromkeys(loader.problems)))


def load_cases(path: Path, root: Path, checks: Checks) -> tuple[Case, ...]:
    """Return the cases of `read_cases`; raises `InputError` with all problems."""
    loaded = read_cases(path, root, checks)
    if loaded.problems:
        raise InputError(loaded.problems)
    return loaded.cases


class _Outcome(NamedTuple):
    """A case, or what is wrong with it."""

    case: Case | None
    problems: Sequence[Problem] = ()


class _Loader:
    """Reads the cases of one file and collects its problems."""

    def __init__(self, path: Path, root: Path, checks: Checks) -> None:
        self.problems: list[Problem] = []
        self._path = path
        self._root = root
        schema = eval_schema(
            checks.parameter_schemas("facts"),
            checks.parameter_schemas("form"),
            checks.parameter_schemas("limits"),
        )
        self._validator = Validator(schema, "case", "a case")
        self._maker = Maker(path, root)
        self._tables = Tables(path, root)
        self._ids: dict[str, Spot] = {}
        empty = MapNode(Location(path=path))
        self._defaults = Defaults(node=empty, unsettled=empty)

    def cases(self, outline: Node) -> tuple[Case, ...]:
        """Return the cases that are right; `problems` tells of the others."""
        self.problems += Validator(_OUTLINE).problems(outline, self._path)
        if not isinstance(outline, MapNode):
            return ()
        if isinstance(defaults := outline.get("defaults"), MapNode):
            found = read_defaults(defaults, self._validator, self._path)
            self._defaults, problems = found
            self.problems += problems
        items = outline.get("cases")
        if not isinstance(items, ListNode):
            return ()
        return tuple(
            outcome.case
            for item, spot in zip(items, items.spots, strict=True)
            for outcome in self._item(item, spot)
            if outcome.case is not None
        )

    def _item(self, item: Node, spot: Spot) -> Sequence[_Outcome]:
        if not isinstance(item, MapNode):
            location = place(spot, self._path)
            self.problems += [
                Problem(location=location, finding=fault.text, hint=fault.hint)
                for fault in self._validator.faults(item)
            ]
            return ()
        if "each" in item or "each" in self._defaults.node:
            return self._each(item)
        outcome = self._one(item, self._defaults)
        self.problems += outcome.problems
        return (outcome,)

    def _each(self, own: MapNode) -> Sequence[_Outcome]:
        giver = own if "each" in own else self._defaults.node
        location = place(giver.spots["each"][1], self._path)
        case, defaults = self._settled(own)
        wrong = self._validator.problems(giver.only(["each"]), self._path)
        self.problems += wrong
        if wrong:
            return ()
        try:
            table = self._tables.table(giver["each"], location)
        except InputError as error:
            self.problems += error.problems
            return ()
        expansion = Expansion(case, defaults, table, self._path)
        self.problems += expansion.problems
        return () if expansion.problems else self._rows(own, expansion)

    def _settled(self, own: MapNode) -> tuple[MapNode, Defaults]:
        """Report what is wrong whatever the rows hold, and leave it out.

        Otherwise ten thousand rows would each be found to have it.
        """
        case = own.without(["each"])
        settled = case.only(key for key, value in case.items() if not has_braces(value))
        faults = self._validator.faults(settled)
        self.problems += [located(fault, settled, self._path) for fault in faults]
        faulty = {str(fault.trail[0]) for fault in faults}
        return case.without(faulty), self._defaults.blaming(faulty)

    def _rows(self, own: MapNode, expansion: Expansion) -> Sequence[_Outcome]:
        outcomes = []
        found = []
        for filled in expansion.filled(self._validator):
            outcome = (
                _Outcome(None, filled.problems)
                if filled.problems
                else self._one(filled.own, filled.defaults)
            )
            outcomes.append(outcome)
            found.append((filled.row, outcome.problems))
        self.problems += row_problems(found, own, self._path)
        return outcomes

    def _one(self, own: MapNode, defaults: Defaults) -> _Outcome:
        checked = own.over(defaults.unsettled) if defaults.unsettled else own
        faults = self._validator.faults(checked)
        problems = [located(fault, checked, self._path) for fault in faults]
        faulty = defaults.faulty.union(str(fault.trail[0]) for fault in faults)
        node = defaults.below(own)
        node = node.without(faulty) if faulty else node
        problems += contradictions(node, faulty, self._path)
        problems += self._repeated_id(node)
        try:
            given = self._maker.given(node)
        except InputError as error:
            problems += error.problems
        if problems or faulty:
            return _Outcome(None, problems)
        return _Outcome(self._maker.case(node, given))

    def _repeated_id(self, node: MapNode) -> list[Problem]:
        if not isinstance(identifier := node.get("id"), str):
            return []
        spot = node.spots["id"][1]
        first = self._ids.get(identifier)
        if first is None:
            self._ids[identifier] = spot
            return []
        finding = f"duplicate id {identifier!r}"
        earlier = place(first, self._path)
        hint = f"it is first given in {earlier.path.name}:{earlier.line}"
        location = place(spot, self._path)
        return [Problem(location=location, finding=finding, hint=hint)]
