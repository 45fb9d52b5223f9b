"""Values against a schema, with every problem at its line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.errors import Location, Problem
from pytest_llm_diagnosis.records import JsonObject
from pytest_llm_diagnosis.source import ListNode, MapNode, Node, locate

from .accepting import acceptor
from .wording import Fault, SchemaError, faults, placed


class Validator:
    """A schema that many values are held against.

    With `definition` the values meet that entry of the schema's `$defs`.
    `what` names a value in problems ("the file", "a case").
    """

    def __init__(
        self, schema: JsonObject, definition: str = "", what: str = "the file"
    ) -> None:
        self._schema = schema
        if definition:
            reference = f"#/$defs/{definition}"
            self._schema = {"$ref": reference, "$defs": schema["$defs"]}
        self._what = what
        self._accepts = acceptor(self._schema, self._schema)

    def faults(self, node: Node) -> list[Fault]:
        """Return everything in a value that breaks the schema, not yet located."""
        if self._accepts(node):
            return []
        found = (faults(error, self._what) for error in self._errors(node))
        told = (placed(fault, self._schema) for group in found for fault in group)
        return list(dict.fromkeys(told))

    def problems(self, node: Node, path: Path) -> list[Problem]:
        """Return everything in a value that breaks the schema, at its line."""
        return [located(fault, node, path) for fault in self.faults(node)]

    def _errors(self, node: Node) -> Iterable[SchemaError]:
        # Imported for what is wrong or unusual only: see `accepting`.
        from jsonschema import Draft202012Validator

        errors = Draft202012Validator(self._schema).iter_errors(node)
        return cast("Iterable[SchemaError]", errors)


def validate(node: Node, schema: JsonObject, path: Path) -> list[Problem]:
    """Return everything in the nodes of the file at `path` that breaks a schema."""
    return Validator(schema).problems(node, path)


def located(fault: Fault, node: Node, path: Path) -> Problem:
    """Return a fault of a value as a problem of the file at `path`."""
    location = Location(path=path)
    if isinstance(node, MapNode | ListNode):
        location = locate(node, fault.trail, path, key=fault.key)
    return Problem(location=location, finding=fault.text, hint=fault.hint)
