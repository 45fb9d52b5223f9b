"""What a gate is made of, once it is read."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from pytest_llm_diagnosis.diagnosis import VerdictKind
from pytest_llm_diagnosis.records import MARKS, Mark

Ends: TypeAlias = Literal["", "low", "high"]
Count: TypeAlias = Literal["cases", "failed", "errors", "skipped"]
COUNTS: tuple[Count, ...] = get_args(Count)
RATES: tuple[str, ...] = tuple(
    f"{mark}{end}" for mark in MARKS for end in ("", ".low", ".high")
)
VERDICTS: tuple[str, ...] = (*get_args(VerdictKind), "unsettled")
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RateTerm:
    """A comparison of a mark's pass rate, or of an end of its 95% interval."""

    text: str
    mark: Mark
    end: Ends
    operator: str
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CountTerm:
    """A comparison of a number of cases."""

    text: str
    count: Count
    operator: str
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictTerm:
    """A comparison of the verdict's kind."""

    text: str
    operator: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionTerm:
    """That a variant is not worse than in the baseline; None is its own margin."""

    text: str
    strict: bool = False
    margin: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """Terms that must hold all (`and`) or one of them (`or`)."""

    word: Literal["and", "or"]
    parts: tuple[Term, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Negated:
    """A term that must not hold."""

    part: Term


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoped:
    """A term that must hold of each of these variants."""

    variants: tuple[str, ...]
    part: Term


Leaf: TypeAlias = RateTerm | CountTerm | VerdictTerm | RegressionTerm
Term: TypeAlias = Leaf | Joined | Negated | Scoped


def needs_baseline(term: Term) -> bool:
    """Return whether a gate can be judged only against an earlier report."""
    return any(isinstance(leaf, RegressionTerm) for leaf in _leaves(term))


def _leaves(term: Term) -> Iterator[Leaf]:
    if isinstance(term, Joined):
        for part in term.parts:
            yield from _leaves(part)
    elif isinstance(term, Negated | Scoped):
        yield from _leaves(term.part)
    else:
        yield term
