"""What asking again found out about a failing case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from .graded import Trial
from .terms import Cause, Json, JsonObject, Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one graded call of an arm showed; None where there was nothing to see.

    `error` marks a call that failed after its retries.  `trial` is what came back
    and how it was graded, None where a report does not say.
    """

    facts: bool | None = None
    form: bool | None = None
    error: bool = False
    trial: Trial | None = None

    @property
    def passed(self) -> bool:
        """Whether everything there was to see passed."""
        seen = [bit for bit in (self.facts, self.form) if bit is not None]
        return bool(seen) and all(seen)

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        data: dict[str, Json] = {"facts": self.facts, "form": self.form}
        if self.error:
            data["error"] = True
        if self.trial is not None:
            data["trial"] = self.trial.to_dict()
        return data

    @classmethod
    def from_dict(cls, data: JsonObject) -> Ask:
        """Return the record that `to_dict` described."""
        trial = cast("JsonObject | None", data.get("trial"))
        return cls(
            facts=cast("bool | None", data.get("facts")),
            form=cast("bool | None", data.get("form")),
            error=bool(data.get("error", False)),
            trial=Trial.from_dict(trial) if trial else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why one case fails, with every ask that says so.

    `rung` names the form fix of a `both` cause.  `probability` is that of the
    cause given the asks, None where it follows from none.  `untested` lists
    arms that could not be asked.  `note` holds details for a person, parted by
    `; `.
    """

    cause: Cause
    rung: Rung | None = None
    probability: float | None = None
    arms: Mapping[str, tuple[Ask, ...]] = field(default_factory=dict)
    untested: tuple[str, ...] = ()
    note: str | None = None

    @property
    def calls(self) -> int:
        """How many extra calls the finding took."""
        return sum(len(asks) for asks in self.arms.values())

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "cause": self.cause,
            "rung": self.rung,
            "probability": self.probability,
            "arms": {
                arm: [ask.to_dict() for ask in asks] for arm, asks in self.arms.items()
            },
            "untested": list(self.untested),
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Finding:
        """Return the record that `to_dict` described."""
        arms = cast("Mapping[str, Sequence[JsonObject]]", data.get("arms", {}))
        return cls(
            cause=cast("Cause", data["cause"]),
            rung=cast("Rung | None", data.get("rung")),
            probability=cast("float | None", data.get("probability")),
            arms={arm: tuple(map(Ask.from_dict, asks)) for arm, asks in arms.items()},
            untested=tuple(cast("Sequence[str]", data.get("untested", ()))),
            note=cast("str | None", data.get("note")),
        )
