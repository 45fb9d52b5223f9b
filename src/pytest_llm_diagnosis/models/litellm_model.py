"""Any provider litellm knows, asked through `litellm.acompletion`.

litellm takes seconds to import, so this happens on the first live call, or
ahead of it in a thread that calls `warm`.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import logging
import os
import time
from collections.abc import Iterable
from types import ModuleType
from typing import Protocol, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, Tokens, ToolCall

from .calls import (
    counted,
    is_loopback,
    parsed_arguments,
    sent_params,
    stated_key,
    too_late,
    without_key,
)
from .provider_errors import NO_CHOICES, model_error

# litellm's own deadline lies behind ours, so that one message is shown for both.
_GRACE_SECONDS = 5.0


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
        litellm = await _imported()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                response = await litellm.acompletion(**self._arguments(request))
        except Exception as error:
            if deadline.expired():
                raise too_late(self._endpoint, self._timeout) from error
            told = model_error(error, now=time.time())
            raise without_key(told, self._endpoint) from error
        return _answer(
            response,
            request,
            seconds=time.perf_counter() - started,
            priced=not is_loopback(self._endpoint.api_base),
        )

    async def close(self) -> None:
        """Close litellm's clients that were opened on the running loop."""
        if _is_imported():
            await _close_clients(_litellm())

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
            "timeout": self._timeout + _GRACE_SECONDS,
            "num_retries": 0,
            "max_retries": 0,
        }


def warm() -> None:
    """Import litellm now; safe in any thread, and a second time costs nothing.

    Raises `ModelError` when it cannot be imported.
    """
    _litellm()


@functools.cache
def _litellm() -> ModuleType:
    """Return litellm, set up to be silent, offline and without retries."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    # Its development mode reads a .env file into this process's environment.
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    try:
        import litellm
    except ImportError as error:
        raise ModelError(f"litellm cannot be imported: {error}") from error
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.num_retries = 0
    if "LITELLM_LOG" not in os.environ:
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    return cast("ModuleType", litellm)


def _is_imported() -> bool:
    return _litellm.cache_info().currsize > 0


async def _imported() -> ModuleType:
    """Return litellm; the loop goes on while it is imported."""
    return _litellm() if _is_imported() else await asyncio.to_thread(_litellm)


async def _close_clients(litellm: ModuleType) -> None:
    """Close and forget the clients of this loop, and end litellm's log worker.

    litellm keeps clients under a key that ends with the id of their loop.  Its
    own `close_litellm_async_clients` would also close those that a user's
    application opened elsewhere, and leaves closed ones to be found again.
    """
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    clients: dict[str, object] = litellm.in_memory_llm_clients_cache.cache_dict
    suffix = f"-{id(asyncio.get_running_loop())}"
    for name in [name for name in clients if name.endswith(suffix)]:
        await _close_client(clients.pop(name))
    # A client that is dropped leaves a task on the loop, to close it once more.
    await asyncio.sleep(0)
    await GLOBAL_LOGGING_WORKER.stop()


async def _close_client(client: object) -> None:
    close = getattr(client, "close", None) or getattr(client, "aclose", None)
    closing = close() if close else None
    if inspect.isawaitable(closing):
        await closing


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
        usd=_usd(response) if priced else None,
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


def _usd(response: _Response) -> float | None:
    """Return litellm's price; it says 0 for models it has no price for."""
    hidden: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden.get("response_cost")
    return float(cost) if isinstance(cost, int | float) and cost > 0 else None
