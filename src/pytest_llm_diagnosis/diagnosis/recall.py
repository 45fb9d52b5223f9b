"""How often a variant retrieved the passage that holds the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import cast

from pytest_llm_diagnosis.records import Json, JsonObject
from pytest_llm_diagnosis.stats import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """In how many of the `cases` with a gold passage it was among those retrieved.

    `k` passages are retrieved, None where that varies.  The gold passage was among
    them in `retrieved` cases (with its 95% interval) and the best in `first`.  Of
    all `gold` passages `found` were retrieved: recall at k.  Of the failing cases
    that were asked again `missed` would be right with the passage, `distracted`
    ones had it among others, `unused` are wrong with it alone.
    """

    cases: int
    retrieved: int
    first: int
    found: int
    gold: int
    k: int | None = None
    interval: Interval | None = None
    missed: int = 0
    distracted: int = 0
    unused: int = 0

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "cases": self.cases,
            "k": self.k,
            "retrieved": self.retrieved,
            "interval": list(self.interval) if self.interval else None,
            "first": self.first,
            "found": self.found,
            "gold": self.gold,
            "recall": self.found / self.gold if self.gold else None,
            "missed": self.missed,
            "distracted": self.distracted,
            "unused": self.unused,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Recall:
        """Return the record that `to_dict` described."""
        ends = cast("Sequence[float] | None", data["interval"])
        counts = {
            one.name: cast("int", data[one.name])
            for one in fields(cls)
            if one.name != "interval"
        }
        return cls(**counts, interval=Interval(*ends) if ends else None)


def recall_of(data: JsonObject) -> Recall | None:
    """Return the recall of a variant's dict, None where it has none."""
    stated = cast("JsonObject | None", data.get("recall"))
    return Recall.from_dict(stated) if stated else None
