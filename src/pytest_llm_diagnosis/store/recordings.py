"""Answers kept in git for replay: `recordings/<variant>.jsonl`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from pytest_llm_diagnosis.errors import InputError, Location, Problem, StoreError
from pytest_llm_diagnosis.records import Answer, Json, Request, Variant

from .comparing import difference
from .lines import Head, answer_of, head_of, parse, shown_request

_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
_SAME_WORDS = "same messages, tools and params: the variant's model or revision differs"
_WORD = re.compile(r"\w+")


class Entry(NamedTuple):
    """A request with the answer it got."""

    request: Request
    answer: Answer


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a recording; `number` counts from 1."""

    head: Head
    number: int
    text: str


class Recording:
    """The lines of one file, parsed when they are asked for."""

    def __init__(self, path: Path, lines: tuple[Line, ...] = ()) -> None:
        self.path = path
        self.lines = lines
        self._by_key = {line.head.key: line for line in lines}
        self._words: dict[int, frozenset[str]] = {}

    def find(self, request: Request) -> Answer | None:
        """Return the recorded answer to exactly this request, marked as stored.

        Raises `InputError` at the line when it is damaged.
        """
        line = self._by_key.get(request.key)
        if line is None:
            return None
        try:
            return answer_of(parse(line.text), request)
        except ValueError as error:
            raise InputError([_problem(self.path, line.number, error)]) from None

    def nearest(self, request: Request) -> str:
        """Return in words why `find` misses: the nearest request and what differs."""
        if not self.lines:
            return f"{self.path} holds no answers: record them with --llm-record"
        line = self._nearest_line(request)
        head = line.head
        where = f"{self.path}:{line.number}"
        named = f"{head.case} (arm {head.arm}, trial {head.trial})"
        recorded = self._request(line)
        now = shown_request(request)
        if not recorded.keys() & request.endpoint.keys():
            # An older line, which does not say what was asked.
            now = {k: v for k, v in now.items() if k not in request.endpoint}
        other = (head.arm, head.trial) != (request.arm, request.trial)
        told = [
            f"nearest recorded request: {where}: {named}",
            f"not recorded for arm {request.arm}, trial {request.trial}"
            if other
            else "",
            difference(recorded, now) or ("" if other else _SAME_WORDS),
        ]
        return "\n".join(filter(None, told))

    def _nearest_line(self, request: Request) -> Line:
        wanted = (request.arm, request.trial)
        same_case = [line for line in self.lines if line.head.case == request.case]
        if same_case:
            return max(same_case, key=lambda line: _alike(line.head, *wanted))
        words = _words(shown_request(request).get("messages"))
        return max(self.lines, key=lambda line: self._overlap(line, words))

    def _overlap(self, line: Line, words: frozenset[str]) -> float:
        """Return how many words are shared, from 0 to 1 (Jaccard's index)."""
        theirs = self._words.get(line.number)
        if theirs is None:
            theirs = _words(self._request(line).get("messages"))
            self._words[line.number] = theirs
        return len(words & theirs) / max(len(words | theirs), 1)

    def _request(self, line: Line) -> dict[str, Json]:
        try:
            request = parse(line.text).get("request")
        except ValueError as error:
            raise InputError([_problem(self.path, line.number, error)]) from None
        return dict(request) if isinstance(request, dict) else {}


def recording_path(variant: Variant) -> Path:
    """Return where the answers of a variant are recorded, beside its file."""
    folder = variant.location.path.parent / "recordings"
    return folder / f"{quote(variant.name, safe=' ')}.jsonl"


def load_recording(path: Path) -> Recording:
    """Return the recording in a file, an empty one when there is no file.

    Raises `InputError` with every line that is no recorded answer, and where a
    link leads out of the folder that the recordings belong to; `StoreError` when
    the file cannot be read.
    """
    if not _stays_inside(path):
        finding = f"a link leads out of {path.parent.parent}"
        raise InputError.at(Location(path=path), finding, "put the file itself there")
    problems: list[Problem] = []
    lines = tuple(_lines(path, problems))
    if problems:
        raise InputError(problems)
    return Recording(path, lines)


def _stays_inside(path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(path.parent.parent.resolve())
    # A loop of links is a RuntimeError up to Python 3.12.
    except (OSError, RuntimeError):
        return False


def _lines(path: Path, problems: list[Problem]) -> Iterator[Line]:
    # Only "\n" ends a line: texts may hold U+2028 and other separators.
    for number, text in enumerate(_read(path).split("\n"), start=1):
        line = text.rstrip("\r")
        if not line.strip():
            continue
        try:
            yield Line(head_of(line), number, line)
        except ValueError as error:
            problems.append(_problem(path, number, error, line))


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise StoreError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        finding = f"not UTF-8: byte 0x{error.object[error.start]:02x}"
        raise InputError.at(Location(path=path, line=line), finding) from None


def _problem(path: Path, number: int, error: Exception, line: str = "") -> Problem:
    place = Location(path=path, line=number)
    if line.startswith(_CONFLICT):
        hint = "keep the lines of both sides and delete the marker: order is free"
        return Problem(location=place, finding="merge conflict marker", hint=hint)
    hint = "delete the line and record it again with --llm-record"
    return Problem(location=place, finding=f"not a recorded answer: {error}", hint=hint)


def _alike(head: Head, arm: str, trial: int) -> tuple[bool, bool]:
    return (head.arm == arm, head.trial == trial)


def _words(value: Json) -> frozenset[str]:
    return frozenset(_WORD.findall(str(value).lower()))
