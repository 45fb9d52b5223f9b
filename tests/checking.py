"""Binding and grading one check in a line, for the tests of checks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytest_llm_diagnosis.checks import Check, Registry, default_registry
from pytest_llm_diagnosis.checks.inquiring import Inquiring, Reply
from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import (
    Answer,
    CheckSpec,
    Dimension,
    Json,
    ToolCall,
    Verdict,
)

REGISTRY = default_registry()
HERE = Path("suite")


def spec_of(
    name: str,
    params: Json = None,
    dimension: Dimension = "facts",
    folder: Path = HERE,
    root: Path | None = None,
) -> CheckSpec:
    """Return the spec of a check that stands on line 7."""
    return CheckSpec(
        name=name,
        params=params,
        dimension=dimension,
        location=Location(path=folder / "x.eval.yaml", line=7),
        folder=folder,
        root=root or folder,
    )


def bound(
    name: str,
    params: Json = None,
    dimension: Dimension = "facts",
    registry: Registry = REGISTRY,
) -> Check:
    """Return a bound check."""
    return registry.bind(spec_of(name, params, dimension))


def graded(
    name: str,
    params: Json,
    answer: Answer | str,
    dimension: Dimension = "facts",
    replies: Sequence[Reply] = (),
) -> Verdict:
    """Return the verdict of a check on an answer or on its text.

    `replies` are those of the model that an asking check asks.
    """
    if isinstance(answer, str):
        answer = Answer(text=answer)
    check = bound(name, params, dimension)
    if isinstance(check, Inquiring):
        return check.decide(answer, replies)
    return check.grade(answer)


def outcome(
    name: str,
    params: Json,
    answer: Answer | str,
    dimension: Dimension = "facts",
) -> str | None:
    """Return the code of a verdict, None when it passed."""
    verdict = graded(name, params, answer, dimension)
    assert (verdict.code is None) == (verdict.passed is True)
    return verdict.code


def refusal(
    name: str,
    params: Json = None,
    dimension: Dimension = "facts",
    folder: Path = HERE,
    root: Path | None = None,
) -> Problem:
    """Return the one problem with which binding fails."""
    try:
        REGISTRY.bind(spec_of(name, params, dimension, folder, root))
    except InputError as error:
        (problem,) = error.problems
        assert problem.location == spec_of(name, folder=folder).location
        return problem
    raise AssertionError(f"{name} accepts {params!r}")


def call(tool: str, arguments: dict[str, Json] | str | None = None) -> ToolCall:
    """Return a tool call."""
    return ToolCall(name=tool, arguments={} if arguments is None else arguments)
