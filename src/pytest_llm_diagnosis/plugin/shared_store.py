"""One store for all workers of an xdist run, wherever they are.

Workers in folders of their own (`--tx popen//chdir=...`) or on other machines
would each pay for every answer.  The controller says where its cache is; a
worker that sees that very folder opens the store in it, and any other asks the
controller for each answer, over a channel of its own.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

import pytest

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, JsonObject, Request
from pytest_llm_diagnosis.store import AnswerStore, Claim, Store

from .distribution import Place, has_ended
from .links import PATIENCE, Channel, Message, store_channel
from .warming import STORE

STORE_FOLDER, _STORE_FILE = STORE


def open_store(folder: Path, *, run_started: float, fresh: bool) -> AnswerStore:
    """Return the store in a folder; claims of processes that ended hold up nobody."""
    store = AnswerStore(folder / _STORE_FILE, run_started=run_started, fresh=fresh)
    for owner in filter(has_ended, store.owners()):
        store.release(owner)
    return store


class StoreDesk:
    """The controller's side: answers for the workers that do not see the store.

    `cache` is pytest's, None where it is off.
    """

    def __init__(self, cache: pytest.Cache | None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._store: AnswerStore | None = None

    def close(self) -> None:
        """Let go of the file."""
        if self._store is not None:
            self._store.close()

    def release(self, owner: str) -> None:
        """Give up a worker's claims in the store of the run, if there is one."""
        # Else they run out by themselves, half a minute later.
        with self._lock, contextlib.suppress(StoreError, OSError):
            if self._store is not None:
                self._store.release(owner)
            elif self._cache is not None:
                path = self._cache.mkdir(STORE_FOLDER) / _STORE_FILE
                if path.exists():
                    with contextlib.closing(AnswerStore(path)) as store:
                        store.release(owner)

    def reply(self, asked: str) -> str:
        """Answer one question; never raises, for nobody would hear it."""
        try:
            name, *arguments = json.loads(asked)
            with self._lock:
                return json.dumps([True, self._do(name, arguments)])
        except Exception as error:  # noqa: BLE001 - told to the worker
            return json.dumps([False, str(error)])

    def _do(self, name: str, arguments: list[object]) -> object:
        if name == "where":
            return self._cache and Place.of(self._cache.mkdir(STORE_FOLDER))
        if name == "open":
            run_started, fresh = arguments
            self._open(cast("float", run_started), fresh=bool(fresh))
            return None
        if self._store is None:
            raise StoreError("the controller's answer store is not open")
        return _METHODS[name](self._store, *arguments)

    def _open(self, run_started: float, *, fresh: bool) -> None:
        if self._cache is None:
            raise StoreError("pytest's cache is off")
        if self._store is None:
            folder = self._cache.mkdir(STORE_FOLDER)
            self._store = open_store(folder, run_started=run_started, fresh=fresh)


def _get_many(store: AnswerStore, keys: list[str]) -> JsonObject:
    found = store.get_many(keys)
    return {key: [one.to_dict(), one.stored] for key, one in found.items()}


def _put(store: AnswerStore, request: JsonObject, answer: JsonObject) -> bool:
    kept = Request(**request, messages=())  # type: ignore[arg-type]
    return store.put(kept, Answer.from_dict(answer))


_METHODS: Mapping[str, Callable[..., object]] = {
    "get_many": _get_many,
    "known": lambda store, keys: sorted(store.known(keys)),
    "put": _put,
    "claim": AnswerStore.claim,
    "renew": AnswerStore.renew,
    "release": AnswerStore.release,
    "take": AnswerStore.take,
}


def store_of_controller(
    config: pytest.Config, *, run_started: float, fresh: bool
) -> Store | None:
    """Return the store that all workers share; None where there is no controller.

    Raises `StoreError` when the controller has none, or does not answer.
    """
    channel = store_channel(config)
    if channel is None:
        return None
    remote = RemoteStore(channel)
    place = remote.ask("where")
    if place is None:
        return None
    folder, device, inode = cast("tuple[str, int, int]", place)
    if Place(folder, device, inode).is_here:
        return open_store(Path(folder), run_started=run_started, fresh=fresh)
    remote.ask("open", run_started, fresh)
    return remote


class RemoteStore:
    """A worker's side: the controller's store, asked question by question."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._lock = threading.Lock()
        self._asked = 0

    def ask(self, name: str, *arguments: object) -> object:
        """Return the controller's answer; raises `StoreError`."""
        try:
            with self._lock:
                # Text in ASCII: a model's may hold what execnet cannot encode.
                told = self._exchange(json.dumps([name, *arguments]))
        except (OSError, EOFError) as error:
            raise StoreError(f"xdist's controller does not answer: {error}") from error
        worked, value = json.loads(told)
        if not worked:
            raise StoreError(str(value))
        return cast("object", value)

    def _exchange(self, question: str) -> str:
        """Return the reply; one that comes too late for its question is dropped."""
        self._asked += 1
        self._channel.send(("ask", (self._asked, question)))
        while True:
            _, told = cast("Message", self._channel.receive(PATIENCE))
            number, reply = cast("tuple[int, str]", told)
            if number == self._asked:
                return reply

    def get(self, key: str) -> Answer | None:
        """Return the kept answer, marked as stored when it is of an earlier run."""
        return self.get_many([key]).get(key)

    def get_many(self, keys: Iterable[str]) -> dict[str, Answer]:
        """Return the kept answers among `keys`."""
        found = cast("dict[str, list[JsonObject]]", self.ask("get_many", list(keys)))
        return {
            key: Answer.from_dict(answer, stored=bool(stored))
            for key, (answer, stored) in found.items()
        }

    def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Return the keys that are answered."""
        return frozenset(cast("list[str]", self.ask("known", list(keys))))

    def put(self, request: Request, answer: Answer) -> bool:
        """Keep an answer and end the claim on it; False when it was filtered."""
        named = {
            "key": request.key,
            "case": request.case,
            "variant": request.variant,
            "arm": request.arm,
            "trial": request.trial,
        }
        return bool(self.ask("put", named, answer.to_dict()))

    def claim(self, key: str, owner: str, lease_seconds: float) -> Claim:
        """Take the right to make a call, for `lease_seconds`."""
        return cast("Claim", self.ask("claim", key, owner, lease_seconds))

    def renew(self, owner: str, lease_seconds: float) -> int:
        """Extend all claims the owner still holds; return how many."""
        return cast("int", self.ask("renew", owner, lease_seconds))

    def release(self, owner: str, key: str | None = None) -> None:
        """Give up one claim of the owner, or all of them."""
        self.ask("release", owner, key)

    def take(self, run: float, most: int) -> bool:
        """Count a call of the run, of at most so many."""
        return bool(self.ask("take", run, most))

    def together(self) -> AbstractContextManager[None]:
        """Change nothing: every write is kept by itself."""
        return nullcontext()

    def close(self) -> None:
        """Do nothing: the file is the controller's."""
