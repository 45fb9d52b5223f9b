"""Recordings written so that a pull request shows only what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.new_files import replace_file
from pytest_llm_diagnosis.records import Arm

from .lines import Head, format_line, head_of, parse
from .locking import alone_in
from .protocol import FILTERED
from .recordings import Entry, Line, load_recording

_ARMS = get_args(Arm)
_WORDS = ("text", "tool_calls", "finish_reason", "contexts")


class _Place(NamedTuple):
    """Where a line stands in its file; it has one answer."""

    case: str
    arm_rank: int
    arm: str
    trial: int


def write_recording(
    path: Path,
    entries: Iterable[Entry],
    *,
    keeps: Callable[[str], bool] | None = None,
) -> int:
    """Merge answers into the recording at `path`; return how many lines it has.

    Lines are sorted by case, arm and trial, one each.  A line stays untouched
    when its request is asked again and the words of the answer are the same:
    the time it took is no change.  Filtered answers are left out.  The file is
    replaced in one step.  With `keeps` the lines of cases that it denies go.

    Processes that write at once take turns.

    Raises `InputError` when the file there is damaged, `StoreError` when it
    cannot be written.
    """
    return write_lines(path, recorded_lines(entries), keeps=keeps)


def recorded_lines(entries: Iterable[Entry]) -> list[str]:
    """Return the lines of answers, filtered ones left out."""
    return [
        format_line(entry.request, entry.answer)
        for entry in entries
        if entry.answer.finish_reason != FILTERED
    ]


def write_lines(
    path: Path, texts: Sequence[str], *, keeps: Callable[[str], bool] | None = None
) -> int:
    """Merge lines, as `recorded_lines` gives them; else like `write_recording`."""
    if not texts and not path.exists():
        return 0
    with alone_in(path.parent):
        return _merge(path, texts, keeps)


def _merge(
    path: Path, added: Sequence[str], keeps: Callable[[str], bool] | None
) -> int:
    before = load_recording(path)
    lines = {_place(line.head): line for line in before.lines}
    for line in (Line(head_of(text), 0, text) for text in added):
        old = lines.get(_place(line.head))
        if old is None or not _says_the_same(old, line):
            lines[_place(line.head)] = line
    texts = [
        line.text
        for place, line in sorted(lines.items())
        if keeps is None or keeps(place.case)
    ]
    if texts != [line.text for line in before.lines]:
        _replace(path, "".join(f"{text}\n" for text in texts))
    return len(texts)


def _place(head: Head) -> _Place:
    rank = _ARMS.index(head.arm) if head.arm in _ARMS else len(_ARMS)
    return _Place(head.case, rank, head.arm, head.trial)


def _says_the_same(old: Line, new: Line) -> bool:
    if old.head.key != new.head.key:
        return False
    try:
        return _words(old) == _words(new)
    except ValueError:
        return False


def _words(line: Line) -> list[object]:
    answer = parse(line.text).get("answer")
    return [answer.get(name) for name in _WORDS] if isinstance(answer, dict) else []


def _replace(path: Path, text: str) -> None:
    try:
        replace_file(path, [text])
    except OSError as error:
        raise StoreError(
            f"{path}: the recording cannot be written: {error.strerror or error}"
        ) from error
