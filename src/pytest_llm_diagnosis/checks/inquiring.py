"""Checks that ask a model of their own before they can decide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import (
    Answer,
    CheckSpec,
    Inquiry,
    JsonObject,
    Verdict,
)

from .parameters import TEXT, described, text, wrong
from .protocol import BoundCheck

Reply: TypeAlias = Answer | ModelError
"""What came of an inquiry."""

ENDPOINT: JsonObject = {
    "model": described(TEXT, "the model to ask, by litellm's name for it"),
    "api_base": described(TEXT, "where it answers; ${NAME} is filled in"),
}

_REFERENCE = re.compile(r"\$\{[A-Za-z_]\w*\}")


@runtime_checkable
class Inquiring(Protocol):
    """A check whose verdict rests on the replies of another model.

    What `judges` is an opinion: it is not asked for where causes are looked for.
    """

    judges: bool

    def inquiries(self, answer: Answer, question: str) -> tuple[Inquiry, ...]:
        """Return what must be asked about an answer; `question` is the case's."""
        ...

    def decide(self, answer: Answer, replies: Sequence[Reply]) -> Verdict:
        """Return the verdict, given the replies in the order of the inquiries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingCheck(BoundCheck):
    """A base for checks that ask: without replies they cannot decide."""

    model: str
    api_base: str | None
    judges: bool = False

    def grade(self, answer: Answer) -> Verdict:  # noqa: ARG002 - nothing is known of it yet
        """Return no decision: nobody was asked."""
        found = self.undecided(f"{self.spec.name}:not_asked", "no model was asked")
        return replace(found, judged=self.judges)


def endpoint(spec: CheckSpec, params: JsonObject) -> tuple[str, str | None]:
    """Return the model and its address; raises `InputError` at the spec."""
    model = text(spec, params.get("model"), "model")
    written = params.get("api_base")
    api_base = None if written is None else text(spec, written, "api_base")
    if "${" in _REFERENCE.sub("", f"{model}{api_base or ''}"):
        raise wrong(spec, "a variable is written ${NAME}")
    return model, api_base
