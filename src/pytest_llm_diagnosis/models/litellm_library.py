"""litellm itself: imported late, set up to be silent, and left without a trace.

It takes seconds to import, so this happens on the first live call, or ahead of
it in a thread that calls `warm`.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import inspect
import logging
import os
import time
import warnings
from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any, NamedTuple, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Endpoint, Tokens

from .calls import too_late, without_key
from .prices import Price
from .provider_errors import model_error

# litellm's own deadline lies behind ours, so that one message is shown for both.
GRACE_SECONDS = 5.0


class Timed(NamedTuple):
    """What a call of litellm returned, and how many seconds it took."""

    response: object
    seconds: float


async def called(
    endpoint: Endpoint, seconds: float, call: Callable[[ModuleType], Awaitable[object]]
) -> Timed:
    """Return what `call` makes litellm return within so many seconds.

    Raises `ModelError` in litellm's or the provider's words, without the key.
    """
    litellm = await imported()
    started = time.perf_counter()
    try:
        async with asyncio.timeout(seconds) as deadline:
            response = await call(litellm)
    except Exception as error:
        if deadline.expired():
            raise too_late(endpoint, seconds) from error
        told = model_error(error, now=time.time())
        raise without_key(told, endpoint) from error
    return Timed(response, time.perf_counter() - started)


def warm() -> None:
    """Import litellm now; safe in any thread, and a second time costs nothing.

    Raises `ModelError` when it cannot be imported.
    """
    library()


@functools.cache
def library() -> ModuleType:
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
    # Its embeddings of OpenAI's take a `max_retries` of 0 for none given (1.106).
    litellm.DEFAULT_MAX_RETRIES = 0
    if "LITELLM_LOG" not in os.environ:
        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    _build_responses(litellm)
    return cast("ModuleType", litellm)


def _build_responses(litellm: ModuleType) -> None:
    """Let pydantic build the classes of answers, which it puts off, in silence.

    On Python 3.13 it warns of litellm's `ReadOnly` items, and would do so within
    the first call: where a project turns warnings into errors, no call succeeds.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        litellm.ModelResponse()
        litellm.EmbeddingResponse()


def _is_imported() -> bool:
    return library.cache_info().currsize > 0


async def imported() -> ModuleType:
    """Return litellm; the loop goes on while it is imported."""
    return library() if _is_imported() else await asyncio.to_thread(library)


async def close_clients() -> None:
    """Close and forget the clients of this loop, and end litellm's log worker.

    litellm keeps clients under a key that ends with the id of their loop.  Its
    own `close_litellm_async_clients` would also close those that a user's
    application opened elsewhere, and leaves closed ones to be found again.
    """
    if not _is_imported():
        return
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    clients: dict[str, object] = library().in_memory_llm_clients_cache.cache_dict
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


def price_of(response: object, model: str, tokens: Tokens | None) -> Price:
    """Return litellm's price; it says 0 for models it has no price for.

    `model` is the one that was asked, as litellm names it.
    """
    hidden: dict[str, object] = getattr(response, "_hidden_params", {})
    cost = hidden.get("response_cost")
    if not isinstance(cost, int | float) or cost <= 0:
        return Price()
    if tokens is None or not (tokens.cached or tokens.written):
        return Price(usd=float(cost))
    return Price(usd=float(cost), saved_usd=_saved(response, model, tokens))


def _saved(response: object, model: str, tokens: Tokens) -> float | None:
    """Return what the cache took off the price, by what litellm says without it.

    Both prices are worked out anew, of the model that was asked: the one in the
    response may be that of another name of it.
    """
    litellm = library()
    plain: Any = copy.deepcopy(response)
    plain.usage = litellm.Usage(
        prompt_tokens=tokens.prompt,
        completion_tokens=tokens.completion,
        completion_tokens_details=plain.usage.completion_tokens_details,
        total_tokens=tokens.prompt + tokens.completion,
    )
    try:
        paid, whole = (
            litellm.completion_cost(one, model=model) for one in (response, plain)
        )
    except Exception:  # noqa: BLE001 - whatever litellm raises, the saving is unknown
        return None
    return float(whole) - float(paid)
