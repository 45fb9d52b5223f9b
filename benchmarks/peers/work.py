"""The work that every peer is given, and what is counted of it.

Item N has a code; a prompt asks for it, and its one check is that the answer
contains it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

LATENCY = 0.2
"""Seconds before the mock server answers."""

KEY = "unused"
"""The API key; the clients refuse to start without one."""

Phase = Literal["fresh", "fill", "stored", "record", "replay", "collect"]
"""What a run is for: `fill` and `record` go before, unmeasured, what they are for."""


def code_of(number: int) -> str:
    """Return the code of an item."""
    return f"K{number * 7919 % 1_000_003:07d}"


def prompt_of(number: int) -> str:
    """Return the question about an item."""
    return f"What is the code of item {number}?"


def answer_of(number: int) -> str:
    """Return what the mock server answers about an item."""
    return f"The code of item {number} is {code_of(number)}."


class Row(NamedTuple):
    """One prompt with the text its answer must contain."""

    number: int
    prompt: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a peer has to do: where, how much, how many at a time.

    `url` is the API's base, ending in `/v1`.
    """

    folder: Path
    url: str
    prompts: int
    in_flight: int

    @property
    def rows(self) -> list[Row]:
        """The prompts, from item 0."""
        numbers = range(self.prompts)
        return [Row(one, prompt_of(one), code_of(one)) for one in numbers]

    def output(self, phase: Phase) -> Path:
        """Return the file that gets what a run prints."""
        return self.folder / f"printed-{phase}.txt"

    def records(self) -> list[dict[str, str | int]]:
        """Return the rows as JSON objects `number`, `prompt` and `code`."""
        return [row._asdict() for row in self.rows]


class Counted(NamedTuple):
    """How many prompts a peer has an answer for, and for how many it was right."""

    answered: int
    passed: int


class UnavailableError(Exception):
    """A peer cannot be installed, run, or asked for this; the text says why."""
