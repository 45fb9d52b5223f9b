"""What xdist's controller and its workers tell each other while they run.

A channel of their own, beside xdist's: a worker tells what it is about to ask
and when its items are done; the controller lets the calls begin, stops them,
and says which failures may still be probed.  Messages are a name and plain
values.  Callbacks run in execnet's receiving threads and only leave a note.
"""

from __future__ import annotations

import contextlib
import dataclasses
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias, cast

import pytest

if TYPE_CHECKING:
    # A controller needs this module also where no worker finds an eval.
    from pytest_llm_diagnosis.engine import Counts
    from pytest_llm_diagnosis.report.terminal import Plan

    from .shared_store import StoreDesk

_CHANNEL = "llm_channel"
_INDEX = "llm_index"
_STORE = "llm_store"
_CLOSED = ("closed", None)

PATIENCE = 60.0
"""Most seconds that one side waits for the other, which then goes on alone."""


Message: TypeAlias = tuple[str, object]

Failing: TypeAlias = Mapping[str, Sequence[int]]
"""The ranks of failing cases that may be probed, by variant."""


class Channel(Protocol):
    """An execnet channel."""

    def send(self, item: object) -> None:
        """Send plain values; raises OSError once it is closed."""

    def receive(self, timeout: float) -> object:
        """Return what was sent; raises EOFError once it is closed."""

    def setcallback(
        self, callback: Callable[[Message], None], endmarker: Message
    ) -> None:
        """Hand every item to `callback`, and `endmarker` when it closes."""


class Gateway(Protocol):
    """An execnet gateway: the way to one worker."""

    id: str

    def newchannel(self) -> Channel:
        """Return a new channel, which can itself be sent."""


class Node(Protocol):
    """xdist's controller of one worker."""

    gateway: Gateway
    workerinput: dict[str, object]

    def shutdown(self) -> None:
        """Let the worker end once it has run the tests it was given."""


class _Told(NamedTuple):
    worker: str
    plan: list[int] | None


class Links:
    """The controller's side: channels to each worker.  `cache` is pytest's."""

    def __init__(self, cache: pytest.Cache | None) -> None:
        self._cache = cache
        self._desk: StoreDesk | None = None
        self._channels: dict[str, Channel] = {}
        self._plans: queue.SimpleQueue[_Told] = queue.SimpleQueue()
        # Every worker has a receiving thread of its own.
        self._lock = threading.Lock()
        self._busy: set[str] = set()
        self._waiting: set[str] = set()
        self._failing: dict[str, set[int]] = defaultdict(set)
        self._begun = False
        self._counts: dict[str, dict[str, int]] = {}

    def connect(self, node: Node) -> None:
        """Open the channel to a worker that is about to start."""
        name = node.gateway.id
        channel = node.gateway.newchannel()
        node.workerinput[_CHANNEL] = channel
        with self._lock:
            node.workerinput[_INDEX] = len(self._channels)
            self._channels[name] = channel
            self._busy.add(name)
        channel.setcallback(lambda item: self._hear(name, item), _CLOSED)
        self._open_store_to(node)

    def _open_store_to(self, node: Node) -> None:
        channel = node.gateway.newchannel()
        node.workerinput[_STORE] = channel
        channel.setcallback(lambda item: self._ask_desk(channel, item), _CLOSED)

    def _ask_desk(self, channel: Channel, item: Message) -> None:
        """Answer a worker's question about the store; the first one loads it."""
        what, asked = item
        if what == "closed":
            return
        number, question = cast("tuple[int, str]", asked)
        _send(channel, "reply", (number, self.desk.reply(question)))

    @property
    def desk(self) -> StoreDesk:
        """What answers for the store; made at the first need, in any thread."""
        from .shared_store import StoreDesk

        with self._lock:
            self._desk = self._desk or StoreDesk(self._cache)
            return self._desk

    def release(self, owner: str) -> None:
        """Give up the claims of a worker that ended without doing so."""
        self.desk.release(owner)

    def close(self) -> None:
        """Let go of the store."""
        if self._desk is not None:
            self._desk.close()

    def plan_of(self, node: Node) -> Plan | None:
        """Wait for what a worker plans; None when it ended or does not say."""
        from pytest_llm_diagnosis.report.terminal import Plan

        with contextlib.suppress(queue.Empty):
            while True:
                told = self._plans.get(timeout=PATIENCE)
                if told.worker == node.gateway.id:
                    return Plan._make(told.plan) if told.plan else None
        return None

    @property
    def counts(self) -> Counts:
        """What all workers have done, as far as they have told."""
        from pytest_llm_diagnosis.engine import Counts

        with self._lock:
            told = list(self._counts.values())
        return Counts.of_workers([Counts(**one) for one in told])

    def begin(self) -> None:
        """Let the workers make calls, also those that are still to come."""
        with self._lock:
            self._begun = True
        self._tell_all("begin")

    def halt(self) -> None:
        """Let no worker make a further call."""
        self._tell_all("halt")

    def _tell_all(self, what: str) -> None:
        with self._lock:
            for channel in self._channels.values():
                _send(channel, what)

    def _hear(self, worker: str, item: Message) -> None:
        what, told = item
        with self._lock:
            if what == "plan":
                self._plans.put(_Told(worker, cast("list[int]", told)))
                if self._begun:
                    _send(self._channels[worker], "begin")
            elif what == "closed":
                self._plans.put(_Told(worker, None))
                self._ended(worker)
            elif what == "done":
                for variant, ranks in cast("Failing", told).items():
                    self._failing[variant].update(ranks)
                self._waiting.add(worker)
                self._ended(worker)
            elif what == "progress":
                self._counts[worker] = cast("dict[str, int]", told)
            elif what == "hurry":
                self._tell_failing(worker)

    def _ended(self, worker: str) -> None:
        """Once nobody runs tests any more, tell all who wait which cases fail."""
        self._busy.discard(worker)
        if not self._busy:
            for waiting in self._waiting:
                self._tell_failing(waiting)
            self._waiting.clear()

    def _tell_failing(self, worker: str) -> None:
        failing = {variant: list(ranks) for variant, ranks in self._failing.items()}
        _send(self._channels[worker], "failing", failing)


class Link:
    """A worker's side; where there is no channel it answers at once.

    `on_halt` is called from another thread.
    """

    def __init__(self, config: pytest.Config, on_halt: Callable[[], None]) -> None:
        workerinput = cast("dict[str, object]", getattr(config, "workerinput", {}))
        self._channel = cast("Channel | None", workerinput.get(_CHANNEL))
        self._on_halt = on_halt
        self._may_begin = threading.Event()
        self._told = threading.Event()
        self._failing: Failing = {}
        self.halted = False
        if self._channel is not None:
            self._channel.setcallback(self._hear, _CLOSED)

    def tell_plan(self, plan: Plan) -> None:
        """Tell what is planned, and wait until calls may begin."""
        if self._send("plan", list(plan)):
            self._may_begin.wait(PATIENCE)

    def tell_progress(self, counts: Counts) -> None:
        """Tell what this worker has done so far."""
        self._send("progress", dataclasses.asdict(counts))

    def failing_everywhere(self, failing: Failing) -> Failing:
        """Tell which cases fail here, and return those of all workers.

        Waits until no worker runs tests any more, though not for long: what
        is missing then only makes us probe more.
        """
        if self._send("done", failing) and not self._told.wait(PATIENCE):
            self._send("hurry", None)
            self._told.wait(PATIENCE)
        return self._failing

    def leave(self) -> None:
        """Let the others wait no longer for what fails here."""
        self._send("done", {})

    def _send(self, what: str, told: object) -> bool:
        return self._channel is not None and _send(self._channel, what, told)

    def _hear(self, item: Message) -> None:
        what, told = item
        if what == "failing":
            self._failing = cast("Failing", told)
            self._told.set()
            return
        if what in {"halt", "closed"}:
            self.halted = True
            self._on_halt()
        self._may_begin.set()
        if what == "closed":
            self._told.set()


def store_channel(config: pytest.Config) -> Channel | None:
    """Return the way to the controller's store; None outside of a worker."""
    workerinput = cast("dict[str, Channel]", getattr(config, "workerinput", {}))
    return workerinput.get(_STORE)


def worker_index(config: pytest.Config) -> int:
    """Return which of the processes this one is, from 0."""
    workerinput = cast("dict[str, int]", getattr(config, "workerinput", {}))
    return workerinput.get(_INDEX, 0)


def _send(channel: Channel, what: str, told: object = None) -> bool:
    """Send a message; return whether the other side is there to get it."""
    try:
        channel.send((what, told))
    except OSError:
        return False
    return True
