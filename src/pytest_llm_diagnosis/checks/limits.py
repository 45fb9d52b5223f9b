"""Limits on what an answer may take: tokens, seconds, usd.

A limit can fail a case but says nothing about its cause.  A measurement that
the model or the caller did not give leaves the check undecided: unknown is
never 0.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_llm_diagnosis.records import Answer, CheckSpec, Json, Tokens, Verdict

from . import parameters as read
from .protocol import BoundCheck, CheckType, Example

Measured = Callable[[Answer], float | None]

_PARTS: Mapping[str, Callable[[Tokens], int]] = {
    "completion": lambda tokens: tokens.completion,
    "prompt": lambda tokens: tokens.prompt,
    "total": lambda tokens: tokens.prompt + tokens.completion,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit(BoundCheck):
    """Measurements of the answer stay at or below their limits.

    `limits` maps what is measured to its limit; the names are for reasons.
    """

    limits: Mapping[str, float]
    measured: Mapping[str, Measured]

    def grade(self, answer: Answer) -> Verdict:
        """Fail with `<name>:over`; undecided is `<name>:unknown`."""
        name = self.spec.name
        found = {part: self.measured[part](answer) for part in self.limits}
        for part, limit in self.limits.items():
            value = found[part]
            if value is not None and value > limit:
                reason = f"expected at most {limit:g} {part}, found {value:g}"
                return self.failed(f"{name}:over", reason)
        unknown = [part for part, value in found.items() if value is None]
        if unknown:
            reason = f"{' and '.join(unknown)} of this answer are not known"
            return self.undecided(f"{name}:unknown", reason)
        return self.passed()


def types() -> tuple[CheckType, ...]:
    """Return the checks of this module."""
    return (
        _tokens(),
        _amount(
            "seconds",
            "The answer took at most this many seconds.",
            lambda answer: answer.seconds,
            Example(
                params=2.5,
                passing=Answer(seconds=1.0),
                failing=Answer(seconds=4.0),
                code="seconds:over",
            ),
        ),
        _amount(
            "usd",
            "The answer cost at most this many US dollars.",
            lambda answer: answer.usd,
            Example(
                params=0.01,
                passing=Answer(usd=0.002),
                failing=Answer(usd=0.2),
                code="usd:over",
            ),
        ),
    )


def _amount(name: str, summary: str, measured: Measured, example: Example) -> CheckType:
    def bind(spec: CheckSpec) -> Limit:
        limit = read.quantity(spec, spec.params, name)
        return Limit(spec=spec, limits={name: limit}, measured={name: measured})

    return CheckType(
        name=name,
        summary=summary,
        parameters={"description": summary, "type": "number", "minimum": 0},
        bind=bind,
        example=example,
        dimensions=("limits",),
        codes=(f"{name}:over", f"{name}:unknown"),
    )


def _tokens() -> CheckType:
    summary = "The answer has at most this many tokens; a mapping limits its parts."
    count: dict[str, Json] = {"type": "integer", "minimum": 0}
    longhand = read.options(
        "Limits by part.",
        {
            "completion": read.described(count, "The tokens of the answer."),
            "prompt": read.described(count, "The tokens that the model was given."),
            "total": read.described(count, "Both together."),
        },
    )
    return CheckType(
        name="tokens",
        summary=summary,
        parameters={"description": summary, "anyOf": [count, longhand]},
        bind=_bind_tokens,
        example=Example(
            params=200,
            passing=Answer(tokens=Tokens(prompt=900, completion=40)),
            failing=Answer(tokens=Tokens(prompt=10, completion=201)),
            code="tokens:over",
        ),
        dimensions=("limits",),
        codes=("tokens:over", "tokens:unknown"),
    )


def _bind_tokens(spec: CheckSpec) -> Limit:
    params = read.mapping(spec, "completion")
    unknown = sorted(params.keys() - _PARTS.keys())
    if unknown or not params:
        raise read.wrong(spec, f"takes {', '.join(_PARTS)}, not {params!r}")
    limits = {
        f"{part} tokens": float(read.count(spec, params[part], part)) for part in params
    }
    return Limit(spec=spec, limits=limits, measured=_TOKENS_MEASURED)


def _measured(part: Callable[[Tokens], int], answer: Answer) -> float | None:
    return None if answer.tokens is None else part(answer.tokens)


_TOKENS_MEASURED: Mapping[str, Measured] = {
    f"{name} tokens": functools.partial(_measured, part)
    for name, part in _PARTS.items()
}
