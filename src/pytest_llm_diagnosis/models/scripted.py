"""A model that answers by rules: for tests of suites, plugins and this package."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    Request,
    Tokens,
    ToolCall,
    message_text,
)

from .provider_errors import is_retryable

_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedError:
    """The error a rule raises; without a status it is a connection fault."""

    message: str = "scripted error"
    status: int | None = None
    retry_after: float | None = None

    def raised(self) -> ModelError:
        """Return a new exception, retryable as a provider's would be."""
        return ModelError(
            self.message,
            status=self.status,
            retryable=self.status is None or is_retryable(self.status),
            retry_after=self.retry_after,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What to answer, and to which requests.

    A rule matches when everything it states does: `contains` and `matches` (a
    regular expression) are looked for in the last user message, `system` in the
    system messages; `variant`, `arm` and `trial` are compared.  One that states
    nothing matches everything.  After `times` answers it no longer matches.
    `delay` is in seconds.
    """

    contains: str | None = None
    matches: str | None = None
    system: str | None = None
    variant: str | None = None
    arm: Arm | None = None
    trial: int | None = None
    times: int | None = None
    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    error: ScriptedError | None = None
    delay: float = 0.0
    tokens: Tokens | None = None
    finish_reason: str | None = "stop"

    def applies(self, request: Request) -> bool:
        """Whether everything the rule states is true of the request."""
        prompt = text_of(request, "user")
        return (
            (self.contains is None or self.contains in prompt)
            and (self.matches is None or bool(re.search(self.matches, prompt)))
            and (self.system is None or self.system in text_of(request, "system"))
            and self.variant in {None, request.variant}
            and self.arm in {None, request.arm}
            and self.trial in {None, request.trial}
        )


class ScriptedModel:
    """Answers with the first rule that matches; no network, no cost.

    `rules` are tried in order.  `requests` lists what was asked.  A request
    that no rule matches raises `ModelError`, as does a rule with an error.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, source: str = "script") -> None:
        self.requests: list[Request] = []
        self._rules = tuple(rules)
        self._source = source
        self._used: Counter[int] = Counter()

    async def answer(self, request: Request) -> Answer:
        """Return what the matching rule says, after its delay."""
        self.requests.append(request)
        rule = self._choose(request)
        await asyncio.sleep(rule.delay)
        if rule.error is not None:
            raise rule.error.raised()
        return Answer(
            text=rule.text,
            tool_calls=rule.tool_calls,
            contexts=request.contexts,
            tokens=rule.tokens,
            seconds=rule.delay,
            finish_reason=rule.finish_reason,
        )

    async def close(self) -> None:
        """Do nothing: a script holds no connection."""

    def _choose(self, request: Request) -> Rule:
        for number, rule in enumerate(self._rules):
            spent = rule.times is not None and self._used[number] >= rule.times
            if not spent and rule.applies(request):
                self._used[number] += 1
                return rule
        prompt = text_of(request, "user")
        shown = prompt if len(prompt) <= _SHOWN else f"{prompt[:_SHOWN]}..."
        raise ModelError(
            f"{self._source} has no rule for {shown!r}"
            f" (variant {request.variant}, arm {request.arm}, trial {request.trial})"
        )


def text_of(request: Request, role: str) -> str:
    """Return the text of the last user message, or of all messages of a role."""
    texts = [
        message_text(message)
        for message in request.messages
        if message.get("role") == role
    ]
    return "".join(texts[-1:]) if role == "user" else "\n".join(texts)
