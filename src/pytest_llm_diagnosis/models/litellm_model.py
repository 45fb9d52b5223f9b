"""Any provider litellm knows, asked through `litellm.acompletion`.

litellm takes seconds to import, so this happens on the first live call, or
ahead of it in a thread that calls `warm`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import ipaddress
import json
import logging
import os
import time
from collections.abc import Iterable
from types import ModuleType
from typing import Protocol, cast
from urllib.parse import urlsplit

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import (
    Answer,
    Endpoint,
    Json,
    JsonObject,
    Request,
    Tokens,
    ToolCall,
)

from .provider_errors import model_error

# litellm's own deadline lies behind ours, so that one message is shown for both.
_GRACE_SECONDS = 5.0
_SHORTEST_SECRET = 6


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
    file states it: a parameter that a request carries unchanged from there is
    sent as `endpoint` has it, filled from the environment.  `cache_prompt` marks
    the system message for prompt caching where the provider wants a mark.
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
        self._unfilled = written.params if written else {}

    async def answer(self, request: Request) -> Answer:
        """Return the provider's answer; raises `ModelError`."""
        litellm = await _imported()
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                response = await litellm.acompletion(**self._arguments(request))
        except Exception as error:
            if deadline.expired():
                raise self._too_late() from error
            raise self._told(error) from error
        return _answer(
            response,
            request,
            seconds=time.perf_counter() - started,
            priced=not _is_loopback(self._endpoint.api_base),
        )

    async def close(self) -> None:
        """Close litellm's clients that were opened on the running loop."""
        if _is_imported():
            await _close_clients(_litellm())

    def _arguments(self, request: Request) -> dict[str, object]:
        endpoint = self._endpoint
        stated = {
            name: value
            for name, value in request.params.items()
            if name not in self._unfilled or self._unfilled[name] != value
        }
        arguments: dict[str, object] = {**endpoint.params, **stated}
        # An answer is graded whole, so it is never streamed.
        arguments.pop("stream", None)
        if request.tools:
            arguments["tools"] = [dict(tool) for tool in request.tools]
        if self._cache_prompt:
            # litellm turns this into the provider's own mark, or into nothing.
            place = {"location": "message", "role": "system"}
            arguments["cache_control_injection_points"] = [place]
        return {
            **arguments,
            "model": endpoint.model,
            "messages": [dict(message) for message in request.messages],
            "api_base": endpoint.api_base,
            "api_key": self._api_key(),
            "timeout": self._timeout + _GRACE_SECONDS,
            "num_retries": 0,
            "max_retries": 0,
        }

    def _api_key(self) -> str | None:
        if self._endpoint.api_key is None and _is_loopback(self._endpoint.api_base):
            # Clients insist on a key; a local server needs none, and a real one
            # from the environment must not reach whoever listens on the port.
            return "none"
        return self._endpoint.api_key

    def _too_late(self) -> ModelError:
        where = self._endpoint.api_base or self._endpoint.model
        return ModelError(
            f"no answer from {where} within {self._timeout:g} s", retryable=True
        )

    def _told(self, error: Exception) -> ModelError:
        told = model_error(error, now=time.time())
        key = self._endpoint.api_key or ""
        if len(key) < _SHORTEST_SECRET or key not in told.message:
            return told
        return told.saying(told.message.replace(key, "***"))


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
        client = clients.pop(name)
        close = getattr(client, "close", None) or getattr(client, "aclose", None)
        closing = close() if close else None
        if inspect.isawaitable(closing):
            await closing
    await GLOBAL_LOGGING_WORKER.stop()


def _answer(
    response: _Response, request: Request, *, seconds: float, priced: bool
) -> Answer:
    if not response.choices:
        raise ModelError("the provider's answer holds no choices")
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


def parsed_arguments(text: str) -> JsonObject | str:
    """Return a tool call's arguments as an object; text that holds none stays."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def _refuse(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")


def _tokens(usage: _Usage | None) -> Tokens | None:
    """Return the counts; litellm shows zeros where the provider counted nothing."""
    if usage is None or not (usage.prompt_tokens or usage.completion_tokens):
        return None
    details = getattr(usage, "prompt_tokens_details", None)
    return Tokens(
        prompt=usage.prompt_tokens or 0,
        completion=usage.completion_tokens or 0,
        cached=getattr(details, "cached_tokens", None) or 0,
    )


def _usd(response: _Response) -> float | None:
    """Return litellm's price; it says 0 for models it has no price for."""
    hidden: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden.get("response_cost")
    return float(cost) if isinstance(cost, int | float) and cost > 0 else None


def _is_loopback(api_base: str | None) -> bool:
    host = urlsplit(api_base or "").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
