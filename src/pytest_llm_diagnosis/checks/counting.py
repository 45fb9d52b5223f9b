"""How many of something an answer may have: bounds, and checks that count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, JsonObject, Verdict

from . import parameters as read
from .protocol import BoundCheck, CheckType, Example

Count = Callable[[str], int]

BOUND_KEYS = ("exactly", "at_least", "at_most")
_COUNT: JsonObject = {"type": "integer", "minimum": 0}


class Noun(NamedTuple):
    """What is counted, in the singular and the plural."""

    one: str
    many: str

    def counted(self, number: int) -> str:
        """Return a number of them."""
        return f"{number:,} {self.one if number == 1 else self.many}"


class Bounds(NamedTuple):
    """The least and the most that there may be; None is no limit."""

    least: int
    most: int | None

    def words(self, noun: Noun) -> str:
        """Return the bounds as an expectation: `at least 3 bullet points`."""
        if self.most is None:
            return f"at least {noun.counted(self.least)}"
        if self.least == self.most:
            return f"exactly {noun.counted(self.least)}" if self.most else _no(noun)
        if not self.least:
            return f"at most {noun.counted(self.most)}"
        return f"{self.least:,} to {noun.counted(self.most)}"

    def broken_by(self, number: int) -> str | None:
        """Return `under` or `over` for a number outside the bounds."""
        if number < self.least:
            return "under"
        return "over" if self.most is not None and number > self.most else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted(BoundCheck):
    """The answer has as many of something as the bounds allow."""

    bounds: Bounds
    noun: Noun
    count: Count
    verb: str

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `<name>:under` or `<name>:over`."""
        number = self.count(answer.text)
        broken = self.bounds.broken_by(number)
        if broken is None:
            return self.passed()
        reason = f"expected {self.bounds.words(self.noun)}, found {number:,}"
        return self.failed(f"{self.spec.name}:{broken}", reason)

    def describe(self) -> str:
        """Ask for the number."""
        return f"{self.verb} {self.bounds.words(self.noun)}."


def bound_keys() -> dict[str, Json]:
    """Return the schemas of the keys that state bounds."""
    return {
        "exactly": read.described(_COUNT, "How many there are."),
        "at_least": read.described(_COUNT, "How many there are at least."),
        "at_most": read.described(_COUNT, "How many there are at most."),
    }


def read_bounds(
    spec: CheckSpec, params: JsonObject, default: Bounds | None = None
) -> Bounds:
    """Return the bounds that parameters state.

    Without any the default holds; without a default that is an input error, as
    are bounds that nothing can meet.
    """
    stated = {
        key: read.count(spec, params[key], key) for key in BOUND_KEYS if key in params
    }
    if not stated and default is not None:
        return default
    if not stated or ("exactly" in stated and len(stated) > 1):
        raise read.wrong(spec, "needs exactly, or at_least, at_most or both")
    exact = stated.get("exactly")
    least = stated.get("at_least", 0) if exact is None else exact
    most = stated.get("at_most") if exact is None else exact
    if most is not None and least > most:
        raise read.wrong(spec, f"at_least {least} is more than at_most {most}")
    return Bounds(least, most)


def counted_type(
    name: str,
    summary: str,
    noun: Noun,
    count: Count,
    example: Example,
    verb: str = "Use",
) -> CheckType:
    """Return a check that counts: a bare number means exactly so many."""

    def bind(spec: CheckSpec) -> Counted:
        bounds = read_bounds(spec, read.mapping(spec, "exactly"))
        return Counted(spec=spec, bounds=bounds, noun=noun, count=count, verb=verb)

    return CheckType(
        name=name,
        summary=summary,
        parameters=counted_parameters(summary),
        bind=bind,
        example=example,
        dimensions=("form",),
        codes=(f"{name}:under", f"{name}:over"),
    )


def counted_parameters(
    summary: str, keys: JsonObject | None = None, *, bare: bool = True
) -> JsonObject:
    """Return the schema of bounds with further keys, or of a bare exact number."""
    longhand = read.options("The bounds.", {**bound_keys(), **(keys or {})})
    return {
        "description": summary,
        "anyOf": [*([_COUNT] if bare else []), {**longhand, "minProperties": 1}],
    }


def _no(noun: Noun) -> str:
    return f"no {noun.many}"
