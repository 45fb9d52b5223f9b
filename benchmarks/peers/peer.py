"""What an adapter tells of its peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .work import Counted, Phase, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command in the work's folder; `good` are the statuses of a sound run."""

    arguments: Sequence[str | Path]
    environment: Mapping[str, str] = field(default_factory=dict)
    good: frozenset[int] = frozenset({0})


class Peer(Protocol):
    """One way of doing the work, made with the folder of its environment."""

    @property
    def name(self) -> str:
        """The name, as in `--only`."""

    @property
    def most_in_flight(self) -> int | None:
        """How many calls it can keep in flight at most, None for any number."""

    @property
    def phases(self) -> frozenset[Phase]:
        """What it can be asked for."""

    def install(self) -> str:
        """Install it where it is not yet, and return its versions.

        Raises `UnavailableError` when that fails.
        """

    def write(self, work: Work) -> None:
        """Write its configuration into the work's folder."""

    def command(self, work: Work, phase: Phase) -> Command:
        """Return what a user would run."""

    def count(self, work: Work, phase: Phase) -> Counted | None:
        """Read the results of a phase, none where they are missing.

        For `collect` what was listed counts as answered and passed; None where a
        peer does not say.
        """
