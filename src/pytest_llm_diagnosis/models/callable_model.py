"""The user's own application, named as `module:attribute`, as a model."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias, cast

from pytest_llm_diagnosis.errors import Location, ModelError
from pytest_llm_diagnosis.importing import imported
from pytest_llm_diagnosis.records import Answer, JsonObject, Request

from .answers import answer_from, with_shown
from .calls import filled_params
from .provider_errors import model_error

Function: TypeAlias = Callable[..., object]


class Called:
    """A function, method or callable object that a file names, called with care.

    It may be sync, and then runs in a thread of its own, or async.  `timeout` is
    seconds for a call; a sync function cannot be stopped, so its late result is
    dropped.

    The folder of the variants file and `root` are put on `sys.path`, so that
    it is found as it would be from there.  Raises `InputError` at
    `location` when the target cannot be imported or called.
    """

    def __init__(
        self, target: str, location: Location, root: Path, timeout: float | None = None
    ) -> None:
        self.target = target
        self._timeout = timeout
        folders = (location.path.parent, root)
        self._function = imported(target, "call", location, folders)

    async def result(self, *arguments: object) -> object:
        """Return what it returns for these arguments; raises `ModelError`."""
        try:
            async with asyncio.timeout(self._timeout) as deadline:
                return await _called(self._function, arguments)
        except ModelError:
            raise
        except Exception as error:
            if deadline.expired():
                raise self._too_late() from error
            raise self._raised(error) from error

    def _too_late(self) -> ModelError:
        return ModelError(
            f"{self.target} did not answer within {self._timeout:g} s", retryable=True
        )

    def _raised(self, error: Exception) -> ModelError:
        """Return the error; a provider's client inside decides about a retry."""
        told = model_error(error, now=time.time())
        said = f": {error}" if str(error) else ""
        return ModelError(
            f"{self.target} raised {type(error).__name__}{said}",
            status=told.status,
            retryable=told.retryable,
            retry_after=told.retry_after,
        )


class CallableModel:
    """Calls an application with each request.

    It returns text or an answer (see `answers.answer_from`); how it is found and
    called is told at `Called`.  `params` are those of its variant, which stand
    `unfilled` in a request.
    """

    def __init__(
        self,
        called: Called,
        *,
        params: JsonObject | None = None,
        unfilled: JsonObject | None = None,
    ) -> None:
        self._called = called
        self._params = params or {}
        self._unfilled = unfilled or {}

    async def answer(self, request: Request) -> Answer:
        """Return what the application answers; raises `ModelError`."""
        params = filled_params(self._params, self._unfilled, request)
        started = time.perf_counter()
        returned = await self._called.result(replace(request, params=params))
        answer = with_shown(answer_from(returned, self._called.target), request)
        if answer.seconds is None:
            answer = replace(answer, seconds=time.perf_counter() - started)
        return answer

    async def close(self) -> None:
        """Do nothing: what the application opened is its own."""


async def _called(function: Function, arguments: Sequence[object]) -> object:
    if _is_async(function):
        return await _awaited(cast("Awaitable[object]", function(*arguments)))
    returned = await _in_thread(functools.partial(function, *arguments))
    return await _awaited(returned) if inspect.isawaitable(returned) else returned


async def _awaited(call: Awaitable[object]) -> object:
    try:
        return await call
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise _catchable(error) from error


def _is_async(function: Function) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 - the method is what is async
    )


async def _in_thread(work: Callable[[], object]) -> object:
    """Run `work` in a daemon thread.

    `asyncio.to_thread` shares a few threads per core and joins them at exit: an
    application that hangs would hold back all others, and then pytest's end.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(work)
        except BaseException as error:  # noqa: BLE001 - the waiting call raises it
            _tell(loop, _fail, done, error)
        else:
            _tell(loop, _finish, done, result)

    threading.Thread(target=run, name="llm-call", daemon=True).start()
    return await done


def _tell(
    loop: asyncio.AbstractEventLoop, callback: Callable[..., None], *values: object
) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(callback, *values)


def _finish(done: asyncio.Future[object], result: object) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[object], error: BaseException) -> None:
    if not done.done():
        done.set_exception(_catchable(error))


def _catchable(error: BaseException) -> Exception:
    """Return an error that ends one call: SystemExit would end the whole loop."""
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    return RuntimeError(f"{type(error).__name__}: {error}")
