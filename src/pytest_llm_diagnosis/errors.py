"""What can go wrong, said so that a user can act on it.

A user's mistake is a `Problem`: a place, a finding, and what would be right.
Problems of one file are raised together as `InputError`.  A call that failed
is a `ModelError`.  Nothing here prints; the plugin decides where text goes.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .printing import on_one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A place in a user's file; line and column count from 1."""

    path: Path
    line: int = 1
    column: int = 1

    def show(self, root: Path | None = None) -> str:
        """Return `path:line`, the path relative to `root` when it lies below."""
        path = self.path
        if root is not None and path.is_relative_to(root):
            path = path.relative_to(root)
        return f"{on_one_line(path.as_posix())}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding about a user's file, with what would be right as its hint."""

    location: Location
    finding: str
    hint: str = ""

    def show(self, root: Path | None = None) -> str:
        """Return `path:line: finding`, then the hint on an indented line.

        Either is one line, whatever was quoted from the file.
        """
        first = f"{self.location.show(root)}: {on_one_line(self.finding)}"
        return f"{first}\n  {on_one_line(self.hint)}" if self.hint else first


class DiagnosisError(Exception):
    """Base of every error this package raises on purpose."""


class InputError(DiagnosisError):
    """A user's file or option is wrong; carries every problem found at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=_by_place))
        super().__init__(self.show())

    def show(self, root: Path | None = None) -> str:
        """Return all problems, one block each, in the order of the file."""
        return "\n".join(problem.show(root) for problem in self.problems)

    @classmethod
    def at(cls, location: Location, finding: str, hint: str = "") -> InputError:
        """Return an error with a single problem."""
        return cls([Problem(location=location, finding=finding, hint=hint)])


class ModelError(DiagnosisError):
    """A call ended without an answer: the provider's message comes first.

    `status` is the HTTP status where there was one; `retryable` says whether
    asking again could help; `retry_after` is the provider's wish in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.retryable = retryable
        self.retry_after = retry_after

    def saying(self, message: str) -> ModelError:
        """Return the same error in other words."""
        return ModelError(
            message,
            status=self.status,
            retryable=self.retryable,
            retry_after=self.retry_after,
        )


class ReplayMissError(ModelError):
    """Replay was asked for and no recorded answer matches the request."""


class NotAskedError(ModelError):
    """The call was not made: the run was stopped before."""


class BudgetError(NotAskedError):
    """The call was not made because a budget of calls or money is spent."""


class StoreError(DiagnosisError):
    """The answer store or a recording cannot be read or written."""


def _by_place(problem: Problem) -> tuple[str, int, int]:
    place = problem.location
    return (str(place.path), place.line, place.column)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the nearest choice, or an empty string."""
    near = difflib.get_close_matches(name, list(choices), n=1, cutoff=0.6)
    return f"did you mean {near[0]!r}?" if near else ""


def valid_choices(name: str, choices: Sequence[str], what: str = "valid") -> str:
    """Return a hint that lists the choices, the nearest one first if any."""
    listed = f"{what}: {', '.join(choices)}" if choices else f"{what}: none"
    near = did_you_mean(name, choices)
    return f"{near} {listed}" if near else listed
