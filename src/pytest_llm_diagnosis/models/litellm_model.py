"""Any provider litellm knows, asked through `litellm.acompletion`."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Protocol, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, Tokens, ToolCall

from .caching import marked, wants_mark
from .calls import (
    counted,
    is_loopback,
    parsed_arguments,
    sent_params,
    stated_key,
)
from .litellm_library import GRACE_SECONDS, called, close_clients, price_of
from .prices import Price
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
    cache_creation_tokens: int | None


class _Usage(Protocol):
    prompt_tokens: int | None
    completion_tokens: int | None
    prompt_tokens_details: _Details | None


class _Response(Protocol):
    """The parts of `litellm.ModelResponse` that are read."""

    choices: list[_Choice]
    usage: _Usage | None


_POINTS = "cache_control_injection_points"
"""By this parameter users have litellm set marks of their own."""


class LitellmModel:
    """One endpoint, called through litellm without retries of any kind.

    `timeout` is seconds for the whole call.  `written` is the endpoint as its
    file states it (see `calls.sent_params`).  `prefix` is how many system prompts
    begin, which is marked for caching where the provider wants a mark.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        timeout: float,
        *,
        written: Endpoint | None = None,
        prefix: str = "",
    ) -> None:
        self._endpoint = endpoint
        self._marked = prefix if prefix and wants_mark(endpoint.model) else ""
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
            model=None
            if is_loopback(self._endpoint.api_base)
            else self._endpoint.model,
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
        messages = copy.deepcopy(list(request.messages))
        if self._marked and _POINTS not in arguments:
            messages = marked(messages, self._marked)
        return {
            **arguments,
            "model": endpoint.model,
            "messages": messages,
            "api_base": endpoint.api_base,
            "api_key": stated_key(endpoint),
            "timeout": self._timeout + GRACE_SECONDS,
            "num_retries": 0,
            "max_retries": 0,
        }


def _answer(
    response: _Response, request: Request, *, seconds: float, model: str | None
) -> Answer:
    """Return the answer; it has a price where `model` says whose."""
    if not response.choices:
        raise ModelError(NO_CHOICES)
    choice = response.choices[0]
    tokens = _tokens(response)
    price = Price() if model is None else price_of(response, model, tokens)
    return Answer(
        text=_text(choice.message.content),
        tool_calls=tuple(_tool_calls(choice.message.tool_calls or ())),
        contexts=request.contexts,
        tokens=tokens,
        usd=price.usd,
        saved_usd=price.saved_usd,
        seconds=seconds,
        finish_reason=choice.finish_reason,
    )


def _text(content: object) -> str:
    return "" if content is None else str(content)


def _tool_calls(calls: Iterable[_Call]) -> Iterable[ToolCall]:
    for call in calls:
        arguments = parsed_arguments(call.function.arguments or "")
        yield ToolCall(name=call.function.name or "", arguments=arguments)


def _tokens(response: _Response) -> Tokens | None:
    usage = response.usage
    if usage is None:
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    cached = getattr(details, "cached_tokens", None)
    if cached is None:
        # llama.cpp's servers, which litellm does not read.
        timings = getattr(response, "timings", None)
        cached = timings.get("cache_n") if isinstance(timings, dict) else None
    written = getattr(details, "cache_creation_tokens", None)
    return counted(
        usage.prompt_tokens, usage.completion_tokens, cached or 0, written or 0
    )
