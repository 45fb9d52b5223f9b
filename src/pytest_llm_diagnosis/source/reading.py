"""YAML text to events, and what is wrong with text that is not YAML.

Reading events instead of PyYAML's own nodes keeps every position, holds no
second tree in memory, and lets nesting and aliases be bounded on the way.
"""

from __future__ import annotations

import re
from pathlib import Path

import yaml
from yaml.error import MarkedYAMLError, YAMLError

from pytest_llm_diagnosis.errors import InputError, Location, Problem

from .building import Builder, HopelessError
from .files import read_text
from .nodes import Mark, Node, place

_UNPRINTABLE = re.compile(
    "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"
)
# What YAML 1.1 counts as the end of a line.
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


def read(path: Path) -> Node:
    """Return the nodes of a YAML file.

    Raises `InputError` with what makes the file unreadable: not UTF-8, empty,
    not YAML, repeated keys, custom tags, exploding aliases, too deep nesting.
    """
    return parse(read_text(path), path)


def parse(text: str, path: Path) -> Node:
    """Return the nodes of YAML text; `path` is named in problems, not opened."""
    builder = Builder()
    problems: list[Problem] = []
    try:
        _build(builder, text)
    except HopelessError as error:
        builder.findings.append(error.finding)
    except YAMLError as error:
        problems.append(_syntax_problem(error, text, path))
    # The pure Python parser fails so on escapes like "\U00110000".
    except (ValueError, OverflowError) as error:
        finding = f"not YAML: {error}"
        problems.append(Problem(location=Location(path=path), finding=finding))
    problems += [
        Problem(location=place(found.spot, path), finding=found.text, hint=found.hint)
        for found in builder.findings
    ]
    if problems:
        raise InputError(problems)
    if builder.root is None:
        raise InputError.at(Location(path=path), "the file is empty")
    return builder.root


def _build(builder: Builder, text: str) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        builder.build(loader.get_event)
    finally:
        loader.dispose()


def _syntax_problem(error: YAMLError, text: str, path: Path) -> Problem:
    if not isinstance(error, MarkedYAMLError):
        return _character_problem(error, text, path)
    problem = str(error.problem or error.context)
    mark = error.problem_mark or error.context_mark
    # What is not closed is noticed at the end, but mended where it begins.
    if "end of stream" in problem and error.context_mark is not None:
        mark = error.context_mark
    return Problem(
        location=_within(text, mark, path),
        finding=f"not YAML: {problem}",
        hint=_syntax_hint(error, text),
    )


def _within(text: str, mark: Mark | None, path: Path) -> Location:
    """Return where a mark stands; the end of a text is in its last line."""
    if mark is None:
        return Location(path=path)
    found = place(mark, path)
    last = len(_LINE_END.findall(text)) + 1
    return found if found.line <= last else Location(path=path, line=last)


def _character_problem(error: YAMLError, text: str, path: Path) -> Problem:
    found = _UNPRINTABLE.search(text)
    if found is None:
        return Problem(location=Location(path=path), finding=f"not YAML: {error}")
    line = text.count("\n", 0, found.start()) + 1
    return Problem(
        location=Location(path=path, line=line),
        finding=f"not YAML: control character U+{ord(found[0]):04X}",
    )


def _syntax_hint(error: MarkedYAMLError, text: str) -> str:
    problem, begin = str(error.problem), error.context_mark
    if "mapping values" in problem:
        return "text that holds ': ' needs quotes"
    if "end of stream" in problem:
        return "a quote or a bracket is not closed"
    if "expected ',' or" in problem and begin is not None:
        return f"see the bracket in line {begin.line + 1}, and the commas behind it"
    if error.problem_mark is not None and _is_tabbed(text, error.problem_mark.line):
        return "indent with spaces, not with tabs"
    return (
        "look at the indentation; text that begins with one of {[*&!|>%@` needs quotes"
    )


def _is_tabbed(text: str, number: int) -> bool:
    line = "".join(text.split("\n")[number : number + 1])
    return "\t" in line[: len(line) - len(line.lstrip())]
