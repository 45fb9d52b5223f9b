"""What a command costs, all of its processes together.

Wall seconds are from start to exit.  CPU seconds are user and system time.
Peak memory is the highest sum of resident memory over the processes that lived
at the same time, looked at every 100 ms: pages that they share count for each.
Processes are found as the session that the command leads, which Linux' /proc
tells.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_LOOK_EVERY = 0.1
_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()
_MEBIBYTE = 2**20


class Cost(NamedTuple):
    """What a command took; `status` is None when it ran into its time limit."""

    wall: float
    cpu: float
    mebibytes: float
    status: int | None


class Alive(NamedTuple):
    """A process as /proc shows it; `began` tells a pid from its next owner."""

    pid: int
    began: int
    cpu: float
    resident: int


def measure(
    command: Sequence[str | Path],
    *,
    folder: Path,
    environment: Mapping[str, str],
    output: Path,
    limit: float,
) -> Cost:
    """Run a command to its end, or for `limit` seconds; its output goes to a file."""
    with output.open("wb") as sink:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    watch = Watch(process.pid, limit)
    watch.start()
    try:
        # Not `wait`, which would drop what the kernel knows of the children's time.
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
    finally:
        # In a session of its own, the command does not get a Ctrl-C.
        watch.end()
    process.returncode = os.waitstatus_to_exitcode(status)
    return Cost(
        wall,
        # The kernel's sum leaves out children that nobody waited for, as after a
        # kill; the watch leaves out what happened after its last look.  Both are
        # at most the truth.
        max(usage.ru_utime + usage.ru_stime, watch.cpu),
        max(watch.peak / _MEBIBYTE, usage.ru_maxrss / 1024),
        None if watch.expired else process.returncode,
    )


class Watch(threading.Thread):
    """Looks at a session's processes until told to end, and kills it when late."""

    def __init__(self, session: int, limit: float) -> None:
        super().__init__(name="watch", daemon=True)
        self.peak = 0
        self.expired = False
        self._session = session
        self._deadline = time.monotonic() + limit
        self._over = threading.Event()
        self._spent: dict[tuple[int, int], float] = {}

    @property
    def cpu(self) -> float:
        """CPU seconds of all processes seen, each when last looked at."""
        return sum(self._spent.values())

    def run(self) -> None:
        """Look until the end."""
        while not self._over.wait(_LOOK_EVERY):
            self._look()
            if time.monotonic() > self._deadline and not self.expired:
                self.expired = True
                self._kill()

    def end(self) -> None:
        """Stop looking, and kill what the command left behind."""
        self._over.set()
        self.join()
        self._look()
        self._kill()

    def _look(self) -> None:
        alive = list(processes(self._session))
        self.peak = max(self.peak, sum(one.resident for one in alive))
        self._spent.update({(one.pid, one.began): one.cpu for one in alive})

    def _kill(self) -> None:
        for one in processes(self._session):
            with suppress(ProcessLookupError):
                os.kill(one.pid, signal.SIGKILL)


def processes(session: int) -> Iterator[Alive]:
    """Yield the live processes of a session."""
    for entry in os.scandir("/proc"):
        if not entry.name.isdecimal():
            continue
        try:
            text = Path(entry.path, "stat").read_text(encoding="utf-8")
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in parentheses may hold anything; after it come state, parent,
        # group and session (proc(5): fields 3 to 6, then 14, 15, 22 and 24).
        fields = text.rpartition(")")[2].split()
        if int(fields[3]) == session and fields[0] not in "ZX":
            cpu = (int(fields[11]) + int(fields[12])) / _TICK
            yield Alive(int(entry.name), int(fields[19]), cpu, int(fields[21]) * _PAGE)
