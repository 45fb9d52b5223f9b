"""One peer in one scenario: write, run, count on both sides."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from .environments import environment
from .measuring import Cost, measure
from .peer import Command, Peer
from .scenarios import Scenario
from .server import Behaviour, Tally
from .serving import MockServer
from .work import Counted, Phase, UnavailableError, Work

_LACKS: Mapping[Phase, str] = {
    "stored": "keeps no answers for a second run",
    "replay": "has no recordings to run from",
    "collect": "lists nothing without running it",
}
TRIAL = 2
"""Prompts of the unmeasured run that shows whether a peer works here at all."""


class Size(NamedTuple):
    """How much work, and for how many seconds a run may take."""

    prompts: int
    in_flight: int
    limit: float


class Ran(NamedTuple):
    """A measured run: its cost, what the peer has, what the server saw.

    `trouble` is empty for a sound end.
    """

    cost: Cost
    counted: Counted | None
    tally: Tally
    trouble: str


class Bench:
    """Runs peers one after the other against one server.

    Each run has a temporary folder, or one below `keep` that stays.
    """

    def __init__(self, server: MockServer, keep: Path | None = None) -> None:
        self._server = server
        self._keep = keep

    def trial(self, peer: Peer, limit: float) -> None:
        """Run a peer once on little, which also warms the disk's cache.

        Raises `UnavailableError` when it does not answer.
        """
        phase: Phase = "fresh" if "fresh" in peer.phases else "collect"
        scenario = Scenario(name="trial", title="", phase=phase)
        ran = self.run(peer, scenario, Size(TRIAL, TRIAL, limit))
        if ran.trouble:
            raise UnavailableError(ran.trouble)
        if ran.counted != (TRIAL, TRIAL):
            raise UnavailableError(f"it counts {ran.counted} of {TRIAL} in a trial")

    def run(self, peer: Peer, scenario: Scenario, size: Size) -> Ran:
        """Measure a peer in a scenario, after the run that goes before.

        Raises `UnavailableError` for what the peer does not do.
        """
        _refuse(peer, scenario, size)
        with self._place(f"{scenario.name}-{peer.name}-") as place:
            work = Work(
                folder=place / "work",
                url=self._server.url,
                prompts=size.prompts,
                in_flight=size.in_flight,
            )
            work.folder.mkdir()
            peer.write(work)
            if scenario.before:
                self._server.behave(Behaviour())
                before = self._one(peer, work, scenario.before, size.limit)
                if before.trouble:
                    raise UnavailableError(f"the run before: {before.trouble}")
            self._server.behave(scenario.behaviour)
            return self._one(peer, work, scenario.phase, size.limit)

    @contextmanager
    def _place(self, prefix: str) -> Iterator[Path]:
        if self._keep is not None:
            self._keep.mkdir(parents=True, exist_ok=True)
            yield Path(tempfile.mkdtemp(prefix=prefix, dir=self._keep))
            return
        with tempfile.TemporaryDirectory(prefix=prefix) as name:
            yield Path(name)

    def _one(self, peer: Peer, work: Work, phase: Phase, limit: float) -> Ran:
        command = peer.command(work, phase)
        try:
            cost = measure(
                command.arguments,
                folder=work.folder,
                environment=environment(
                    work.folder.parent / "home", command.environment
                ),
                output=work.output(phase),
                limit=limit,
            )
        except OSError as error:
            raise UnavailableError(f"it does not start: {error}") from None
        tally = self._server.tally()
        trouble = _trouble(cost, command, work.output(phase), limit)
        try:
            return Ran(cost, peer.count(work, phase), tally, trouble)
        except (LookupError, TypeError, ValueError) as error:
            # A kill can leave half a file, and a new release another format.
            unread = f"results cannot be read: {error!r}"
            return Ran(cost, None, tally, f"{trouble} {unread}".strip())


def _trouble(cost: Cost, command: Command, output: Path, limit: float) -> str:
    if cost.status is None:
        return f"stopped after {limit:.0f} s"
    if cost.status not in command.good:
        return f"status {cost.status}: {_last_line(output)}"
    return ""


def _refuse(peer: Peer, scenario: Scenario, size: Size) -> None:
    if scenario.phase not in peer.phases:
        raise UnavailableError(_LACKS.get(scenario.phase, "makes no calls"))
    most = peer.most_in_flight
    if scenario.needs_all_in_flight and most is not None and most < size.in_flight:
        raise UnavailableError(f"keeps {most} calls in flight at most")


def _last_line(output: Path) -> str:
    text = output.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "no output"
