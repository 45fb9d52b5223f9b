"""A store off the event loop, whose writes share transactions under load."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, Request

from .protocol import Claim, Store

_T = TypeVar("_T")


class _Operation(NamedTuple):
    """One wanted operation and the future of its result."""

    work: Callable[[], object]
    future: asyncio.Future[object]
    writes: bool


class _Done(NamedTuple):
    """What came of an operation."""

    result: object = None
    error: BaseException | None = None


class GroupedStore:
    """Asks a store in a thread of its own, so that a busy file never stops the loop.

    Whatever is wanted while the thread is at work is done together in its next
    turn, all writes in one transaction: the more is wanted at once, the less
    each costs.  A result is handed out only after it was committed.  Belongs to
    the event loop on which it is made; its methods raise what the store's do.
    `on_lost` is told what went wrong with an operation that nobody awaits any more.
    """

    def __init__(
        self, store: Store, on_lost: Callable[[StoreError], None] = lambda _: None
    ) -> None:
        self._store = store
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="llm-store")
        self._wanted: list[_Operation] = []
        self._at_work = False

    async def get(self, key: str) -> Answer | None:
        """Return the kept answer."""
        return await self._do(lambda: self._store.get(key), writes=False)

    async def known(self, keys: Sequence[str]) -> frozenset[str]:
        """Return the keys that are answered."""
        return await self._do(lambda: self._store.known(keys), writes=False)

    async def put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer and end the claim on it; False when it was filtered."""
        return await self._do(lambda: self._store.put(request, answer))

    async def claim(self, key: str, owner: str, lease_seconds: float) -> Claim:
        """Take the right to make a call, for `lease_seconds`."""
        return await self._do(lambda: self._store.claim(key, owner, lease_seconds))

    async def renew(self, owner: str, lease_seconds: float) -> int:
        """Extend all claims of the owner; return how many."""
        return await self._do(lambda: self._store.renew(owner, lease_seconds))

    async def take(self, run: float, most: int) -> bool:
        """Count a call of a run, of at most so many; False when they are taken."""
        return await self._do(lambda: self._store.take(run, most))

    async def release(self, owner: str, key: str) -> None:
        """Give up a claim of the owner."""
        await self._do(lambda: self._store.release(owner, key))

    async def close(self) -> None:
        """Finish what is wanted, then let go of the store."""
        try:
            await self._do(self._store.close, writes=False)
        finally:
            self._thread.shutdown(wait=False)

    async def _do(self, work: Callable[[], _T], *, writes: bool = True) -> _T:
        future: asyncio.Future[_T] = self._loop.create_future()
        self._wanted.append(_Operation(work, future, writes))  # type: ignore[arg-type]  # a list of unlike results
        if not self._at_work:
            self._begin_turn()
        return await future

    def _begin_turn(self) -> None:
        self._at_work = True
        wanted, self._wanted = self._wanted, []
        turn = self._loop.run_in_executor(self._thread, self._carry_out, wanted)
        turn.add_done_callback(lambda done: self._end_turn(wanted, done.result()))

    def _end_turn(self, wanted: list[_Operation], came: list[_Done]) -> None:
        for operation, done in zip(wanted, came, strict=True):
            if operation.future.done():
                # Whoever wanted it was cancelled meanwhile.
                if isinstance(done.error, StoreError):
                    self._on_lost(done.error)
                continue
            if done.error is not None:
                operation.future.set_exception(done.error)
            else:
                operation.future.set_result(done.result)
        self._at_work = False
        if self._wanted:
            self._begin_turn()

    # -- in the thread ---------------------------------------------------

    def _carry_out(self, wanted: list[_Operation]) -> list[_Done]:
        """Carry out the operations: reads by themselves, writes together."""
        written = iter(self._write([one.work for one in wanted if one.writes]))
        return [next(written) if one.writes else _done(one.work) for one in wanted]

    def _write(self, work: list[Callable[[], object]]) -> list[_Done]:
        """Commit as one; a file that cannot be had refuses them all."""
        began = False
        try:
            if len(work) > 1:
                with self._store.together():
                    began = True
                    return [_Done(result=one()) for one in work]
        except Exception as error:  # noqa: BLE001 - raised where the operations are awaited
            if not began:
                return [_Done(error=error)] * len(work)
        # Undone as a whole: each by itself shows whose error it was.
        return [_done(one) for one in work]


def _done(work: Callable[[], object]) -> _Done:
    try:
        return _Done(result=work())
    except Exception as error:  # noqa: BLE001 - raised where the operation is awaited
        return _Done(error=error)
