"""What a variant is, for those who read its results without its file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from .terms import Json, JsonObject, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a variant gives its model, and which model that is.

    `model` stands as the variants file writes it, empty where none is named;
    `provider` is who serves it, empty where that cannot be told.  `gives` names
    what it puts before the model (`system`, `examples`, `context`, `retrieve`),
    `changes`, for each other variant of the run, what differs from it.
    """

    name: str
    kind: Kind
    model: str = ""
    provider: str = ""
    gives: tuple[str, ...] = ()
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "name": self.name,
            "kind": self.kind,
            "model": self.model,
            "provider": self.provider,
            "gives": list(self.gives),
            "changes": {other: list(names) for other, names in self.changes.items()},
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Given:
        """Return the record that `to_dict` described."""
        changes = cast("Mapping[str, Sequence[str]]", data.get("changes", {}))
        return cls(
            name=str(data["name"]),
            kind=cast("Kind", data["kind"]),
            model=str(data.get("model", "")),
            provider=str(data.get("provider", "")),
            gives=tuple(cast("Sequence[str]", data.get("gives", ()))),
            changes={other: tuple(names) for other, names in changes.items()},
        )

    @classmethod
    def joined(cls, groups: Iterable[Iterable[Given]]) -> tuple[Given, ...]:
        """Return what several processes or reports know, each name once."""
        known: dict[str, Given] = {}
        for one in (one for group in groups for one in group):
            earlier = known.get(one.name, one)
            known[one.name] = replace(one, changes={**one.changes, **earlier.changes})
        return tuple(known.values())
