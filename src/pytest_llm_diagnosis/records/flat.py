"""The dict round trip of records that hold nothing but plain values."""

from __future__ import annotations

from dataclasses import fields
from typing import Self

from .terms import Json, JsonObject


class Flat:
    """A record of plain values; keys that it does not know are ignored."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            one.name: getattr(self, one.name)
            for one in fields(self)  # type: ignore[arg-type]
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Self:
        """Return the record that `to_dict` described."""
        known = [one.name for one in fields(cls)]  # type: ignore[arg-type]
        return cls(**{name: data[name] for name in known if name in data})
