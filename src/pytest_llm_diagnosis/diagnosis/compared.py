"""What two variants differ in, as records with their dict round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from pytest_llm_diagnosis.records import Json, JsonObject, Mark

ConfoundKind: TypeAlias = Literal[
    "several_changes",
    "selection",
    "one_mark",
    "mixed_answers",
    "no_facts",
    "no_form",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """What `to` fixes and breaks of the cases of one mark, against `from_`.

    `fixed` of the `failing` ones, `broken` of the `passing` ones.  `p` is the
    McNemar mid-p, Holm-adjusted when there are several such pairs; None below
    5 discordant pairs, where no difference can be told.
    """

    from_: str
    to: str
    mark: Mark
    failing: int
    passing: int
    fixed: int
    broken: int
    p: float | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict, with `from` for `from_`."""
        return {
            "from": self.from_,
            "to": self.to,
            "mark": self.mark,
            "failing": self.failing,
            "passing": self.passing,
            "fixed": self.fixed,
            "broken": self.broken,
            "p": self.p,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Flip:
        """Return the record that `to_dict` described."""
        return cls(
            from_=str(data["from"]),
            to=str(data["to"]),
            mark=cast("Mark", data["mark"]),
            failing=cast("int", data["failing"]),
            passing=cast("int", data["passing"]),
            fixed=cast("int", data["fixed"]),
            broken=cast("int", data["broken"]),
            p=cast("float | None", data["p"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Confound:
    """A reason not to read a comparison as it looks; `names` are what differs."""

    kind: ConfoundKind
    variant: str = ""
    names: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {"kind": self.kind, "variant": self.variant, "names": list(self.names)}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Confound:
        """Return the record that `to_dict` described."""
        return cls(
            kind=cast("ConfoundKind", data["kind"]),
            variant=str(data["variant"]),
            names=tuple(cast("Sequence[str]", data["names"])),
        )
