"""Any provider litellm knows, asked through `litellm.acompletion`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Protocol, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, Tokens, ToolCall

from .calls import (
    counted,
    is_loopback,
    parsed_arguments,
    sent_params,
    stated_key,
)
from .litellm_library import GRACE_SECONDS, called, close_clients, price_of
from .provider_errors import NO_CHOICES


class _Function(Protocol):
    name: str | None
    arguments: str | None


class _Call(Protocol):
    function: _Function


class _Turn(Protocol):
    content: object
    tool_calls: Iterable[_Call] | None


class _Choice(Protocol):
    message: _Turn
    finish_reason: str | None


class _Details(Protocol):
    cached_tokens: int | None


class _Usage(Protocol):
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt_tokens_details: _Details | None


class _Response(Protocol):
    """The parts of `litellm.ModelResponse` that are read."""

    choices: list[_Choice]
    usage: _Usage | None


class LitellmModel:
    """One endpoint, called through litellm without retries of any kind.

    `timeout` is seconds for the whole call.  `written` is the endpoint as its
    file states it (see `calls.sent_params`).  `cache_prompt` marks the system
    message for prompt caching where the provider wants a mark.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeout: float,
        *,
        written: Endpoint | None = None,
        cache_prompt: bool = False,
    ) -> None:
        self._endpoint = endpoint
        self._cache_prompt = cache_prompt
        self._timeout = timeout
        self._written = written

    async def answer(self, request: Request) -> Answer:
        """Return the provider's answer; raises `ModelError`."""
        arguments = self._arguments(request)
        came = await called(
            self._endpoint,
            self._timeout,
            lambda litellm: litellm.acompletion(**arguments),
        )
        return _answer(
            cast("_Response", came.response),
            request,
            seconds=came.seconds,
            priced=not is_loopback(self._endpoint.api_base),
        )

    async def close(self) -> None:
        """Close litellm's clients that were opened on the running loop."""
        await close_clients()

    def _arguments(self, request: Request) -> dict[str, object]:
        endpoint = self._endpoint
        arguments: dict[str, object] = dict(
            sent_params(endpoint, self._written, request)
        )
        if request.tools:
            arguments["tools"] = copy.deepcopy(list(request.tools))
        if self._cache_prompt:
            # litellm turns this into the provider's own mark, or into nothing.
            place = {"location": "message", "role": "system"}
            arguments["cache_control_injection_points"] = [place]
        return {
            **arguments,
            "model": endpoint.model,
            "messages": copy.deepcopy(list(request.messages)),
            "api_base": endpoint.api_base,
            "api_key": stated_key(endpoint),
            "timeout": self._timeout + GRACE_SECONDS,
            "num_retries": 0,
            "max_retries": 0,
        }


def _answer(
    response: _Response, request: Request, *, seconds: float, priced: bool
) -> Answer:
    if not response.choices:
        raise ModelError(NO_CHOICES)
    choice = response.choices[0]
    return Answer(
        text=_text(choice.message.content),
        tool_calls=tuple(_tool_calls(choice.message.tool_calls or ())),
        contexts=request.contexts,
        tokens=_tokens(response.usage),
        usd=price_of(response) if priced else None,
        seconds=seconds,
        finish_reason=choice.finish_reason,
    )


def _text(content: object) -> str:
    return "" if content is None else str(content)


def _tool_calls(calls: Iterable[_Call]) -> Iterable[ToolCall]:
    for call in calls:
        arguments = parsed_arguments(call.function.arguments or "")
        yield ToolCall(name=call.function.name or "", arguments=arguments)


def _tokens(usage: _Usage | None) -> Tokens | None:
    if usage is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None) or 0
    return counted(usage.prompt_tokens, usage.completion_tokens, cached)
