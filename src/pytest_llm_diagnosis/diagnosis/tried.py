"""What was tried and what it changed, as records with their dict round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

from pytest_llm_diagnosis.records import Json, JsonObject, Mark

from .spending import Spending

FixKind: TypeAlias = Literal[
    "instruction",
    "examples",
    "passage",
    "long_context",
    "retrieval",
    "weights",
    "model",
    "app",
]
LADDER: tuple[FixKind, ...] = (
    "instruction",
    "examples",
    "passage",
    "long_context",
    "retrieval",
    "weights",
    "model",
    "app",
)
"""The fixes from the cheapest to try to the dearest."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Changed:
    """A case whose outcome changed, and where it stands now."""

    file: str
    line: int
    id: str

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {"file": self.file, "line": self.line, "id": self.id}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Changed:
        """Return the record that `to_dict` described."""
        return cls(
            file=str(data["file"]), line=cast("int", data["line"]), id=str(data["id"])
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A fix that was tried on the failing cases of a variant.

    `kinds` are what it gives, together; by probes in `arm`, or by `variant`.
    `fixed` of the `tried` failing cases pass under it.  A variant ran the passing
    ones too, and broke `broken` of `passing`; for an arm both are None.  `extra`
    is what a case costs beyond what it costs without the fix.
    """

    kinds: tuple[FixKind, ...]
    fixed: int
    tried: int
    extra: Spending
    arm: str = ""
    variant: str = ""
    broken: int | None = None
    passing: int | None = None

    @property
    def tokens(self) -> float | None:
        """How many tokens more a case takes, prompt and answer together."""
        prompt, completion = self.extra.prompt_tokens, self.extra.completion_tokens
        if prompt is None or completion is None:
            return None
        return prompt + completion

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "kinds": list(self.kinds),
            "arm": self.arm,
            "variant": self.variant,
            "fixed": self.fixed,
            "tried": self.tried,
            "broken": self.broken,
            "passing": self.passing,
            "tokens": self.tokens,
            "extra": self.extra.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Fix:
        """Return the record that `to_dict` described."""
        return cls(
            kinds=tuple(cast("Sequence[FixKind]", data["kinds"])),
            arm=str(data["arm"]),
            variant=str(data["variant"]),
            fixed=cast("int", data["fixed"]),
            tried=cast("int", data["tried"]),
            broken=cast("int | None", data["broken"]),
            passing=cast("int | None", data["passing"]),
            extra=Spending.from_dict(cast("JsonObject", data["extra"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkEffect:
    """What changed in the cases of one mark.

    `fixed` of the `failing` ones, `broken` of the `passing` ones.  `p` is the
    McNemar mid-p, adjusted after Holm; None below 5 changed cases.
    """

    mark: Mark
    failing: int
    passing: int
    fixed: tuple[Changed, ...] = ()
    broken: tuple[Changed, ...] = ()
    p: float | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "mark": self.mark,
            "failing": self.failing,
            "passing": self.passing,
            "fixed": [one.to_dict() for one in self.fixed],
            "broken": [one.to_dict() for one in self.broken],
            "p": self.p,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> MarkEffect:
        """Return the record that `to_dict` described."""
        return cls(
            mark=cast("Mark", data["mark"]),
            failing=cast("int", data["failing"]),
            passing=cast("int", data["passing"]),
            fixed=_changed(data, "fixed"),
            broken=_changed(data, "broken"),
            p=cast("float | None", data["p"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffects:
    """A tuned variant beside its `base`, which differs in its weights alone.

    `facts` counts the cases whose facts and form were graded under both.  Of
    these, `styled` are answered wrongly in the house style: under `variant` the
    facts fail and the form passes, under `base` the form fails.  In `knew` of
    them the base had the facts right.
    """

    variant: str
    base: str
    marks: tuple[MarkEffect, ...] = ()
    facts: int = 0
    styled: tuple[Changed, ...] = ()
    knew: int = 0

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "variant": self.variant,
            "base": self.base,
            "marks": [one.to_dict() for one in self.marks],
            "facts": self.facts,
            "styled": [one.to_dict() for one in self.styled],
            "knew": self.knew,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> SideEffects:
        """Return the record that `to_dict` described."""
        marks = cast("Sequence[JsonObject]", data["marks"])
        return cls(
            variant=str(data["variant"]),
            base=str(data["base"]),
            marks=tuple(map(MarkEffect.from_dict, marks)),
            facts=cast("int", data["facts"]),
            styled=_changed(data, "styled"),
            knew=cast("int", data["knew"]),
        )


def _changed(data: JsonObject, name: str) -> tuple[Changed, ...]:
    return tuple(map(Changed.from_dict, cast("Sequence[JsonObject]", data[name])))
