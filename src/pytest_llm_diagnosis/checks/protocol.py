"""What a check is, and what a family writes to offer one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

from pytest_llm_diagnosis.records import (
    NOT_EXPOSED,
    Answer,
    CheckSpec,
    Dimension,
    Json,
    JsonObject,
    Verdict,
)

CONTENT: tuple[Dimension, ...] = ("facts", "form")


class Check(Protocol):
    """A check bound to its parameters."""

    @property
    def spec(self) -> CheckSpec:
        """The check as the case states it."""
        ...

    def grade(self, answer: Answer) -> Verdict:
        """Return the verdict on one answer; never changes the answer."""
        ...

    def describe(self) -> str:
        """Return the instruction a prompt writer would give, or an empty string.

        It never gives away a fact that the check looks for.
        """
        ...

    def gold(self) -> tuple[str, ...]:
        """Return the texts that give the answer away; none for pure form."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCheck:
    """A base for checks: holds the spec and makes its verdicts.

    A check for its own package may use it or meet `Check` in its own way.
    `needs_form` says that prose can never pass it, even under `facts`: what it
    looks for is a call, a JSON value or code, so the free form tells nothing.
    """

    needs_form: ClassVar[bool] = False

    spec: CheckSpec

    @property
    def seeks_facts(self) -> bool:
        """Whether the check stands under `facts`, so that any form will do."""
        return self.spec.dimension == "facts"

    def describe(self) -> str:
        """Return no instruction."""
        return ""

    def gold(self) -> tuple[str, ...]:
        """Return no text: nothing gives this answer away."""
        return ()

    def passed(self) -> Verdict:
        """Return the verdict of a check that holds."""
        return Verdict(check=self.spec.name, passed=True)

    def failed(self, code: str, reason: str) -> Verdict:
        """Return the verdict of a check that does not hold."""
        return Verdict(check=self.spec.name, passed=False, code=code, reason=reason)

    def undecided(self, code: str, reason: str) -> Verdict:
        """Return the verdict of a check that could not tell."""
        return Verdict(check=self.spec.name, passed=None, code=code, reason=reason)

    def not_exposed(self, reason: str) -> Verdict:
        """Return the verdict of a check that this answer cannot be held to."""
        return self.undecided(f"{self.spec.name}{NOT_EXPOSED}", reason)


def needs_form(check: Check) -> bool:
    """Return whether a check says of itself that prose can never pass it."""
    return bool(getattr(check, "needs_form", False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One use of a check, run as a test and shown on its reference page.

    `failing` fails with `code`.  The replies are what the model of a check that
    asks one said about each.
    """

    params: Json
    passing: Answer
    failing: Answer
    code: str
    passing_replies: tuple[Answer, ...] = ()
    failing_replies: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckType:
    """A check that cases can name.

    `parameters` is the JSON Schema (2020-12, plain keywords only) of what
    stands behind the name in YAML.  `bind` turns a spec into a check and
    raises `InputError` at the spec's location when the parameters cannot work.
    The example is bound under the first of `dimensions`.  `codes` lists every
    code of its verdicts, for the reference page.
    """

    name: str
    summary: str
    parameters: JsonObject
    bind: Callable[[CheckSpec], Check]
    example: Example
    dimensions: tuple[Dimension, ...] = CONTENT
    codes: tuple[str, ...] = ()
