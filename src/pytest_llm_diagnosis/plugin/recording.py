"""Recordings of a run: which file a request belongs to, read, written, pruned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.errors import DiagnosisError, InputError
from pytest_llm_diagnosis.records import (
    Answer,
    Json,
    JsonObject,
    Request,
    Variant,
    VariantKey,
)
from pytest_llm_diagnosis.store import (
    Entry,
    Recording,
    load_recording,
    recorded_lines,
    recording_path,
    write_lines,
)


class ReplayFiles:
    """The recordings of the selected variants, each read at its first request."""

    def __init__(self, variant_of: Callable[[VariantKey], Variant]) -> None:
        self._variant_of = variant_of
        self._recordings: dict[VariantKey, Recording | InputError] = {}

    def find(self, request: Request) -> Answer | None:
        """Return the recorded answer; raises `InputError` at a damaged line."""
        return self._recording(request).find(request)

    def explain_miss(self, request: Request) -> str:
        """Return why there is none: the nearest recorded request."""
        what = f"no recorded answer for {request.case}[{request.variant}]"
        return f"{what}\n{self._recording(request).nearest(request)}"

    def _recording(self, request: Request) -> Recording:
        if request.asks not in self._recordings:
            path = recording_path(self._variant_of(request.asks))
            self._recordings[request.asks] = _loaded(path)
        recording = self._recordings[request.asks]
        if isinstance(recording, InputError):
            raise recording
        return recording


def _loaded(path: Path) -> Recording | InputError:
    try:
        return load_recording(path)
    except InputError as error:
        return error


# -- writing ---------------------------------------------------------------


def recorded_by_file(
    entries: Iterable[Entry], variant_of: Callable[[VariantKey], Variant], root: Path
) -> dict[str, list[str]]:
    """Return the lines of answers by recording, its path relative to `root`."""
    by_file: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        variant = variant_of(entry.request.asks)
        by_file[recorded_at(variant, root)].append(entry)
    return {path: recorded_lines(group) for path, group in by_file.items()}


def write_recorded(by_file: Mapping[str, Sequence[str]], root: Path) -> list[str]:
    """Merge the lines into their files; return what went wrong."""
    problems = []
    for name, lines in by_file.items():
        try:
            write_lines(_placed(name, root), lines)
        except DiagnosisError as error:
            problems.append(str(error))
    return problems


def recorded_at(variant: Variant, root: Path) -> str:
    """Return a variant's recording relative to `root`, whole where it lies outside."""
    path = recording_path(variant)
    inside = path.is_relative_to(root)
    return (path.relative_to(root) if inside else path).as_posix()


def _placed(name: str, root: Path) -> Path:
    """Return where a recording belongs here.

    A worker whose root folder is above ours names our folder too.
    """
    above = root.parent / name
    beside_variants = (root / name).parent.parent
    return (
        above
        if not beside_variants.is_dir() and above.parent.parent.is_dir()
        else (root / name)
    )


def keep_handed_over(handed_over: JsonObject, root: Path) -> list[str]:
    """Write what a process recorded elsewhere, and prune; return what to tell."""
    recorded = cast("Mapping[str, Sequence[str]]", handed_over["recorded"])
    told = write_recorded(recorded, root)
    if handed_over["known"]:
        known = Known.from_dict(cast("JsonObject", handed_over["known"]))
        told += known.prune(root)
    return told


# -- pruning ---------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was collected: the cases of files, and the recordings of their variants.

    Paths are relative to the root folder; a case is a node id without variant.
    """

    cases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    recordings: Sequence[str] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        cases = {file: list(cases) for file, cases in self.cases.items()}
        return {"cases": cases, "recordings": list(self.recordings)}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Known:
        """Return the record that `to_dict` described."""
        return cls(
            cases=cast("Mapping[str, Sequence[str]]", data["cases"]),
            recordings=cast("Sequence[str]", data["recordings"]),
        )

    def prune(self, root: Path) -> list[str]:
        """Drop the recorded answers of cases that are gone; return what to tell.

        A case is gone when its file is, or was collected without it.
        """
        if not all((root / file).is_file() for file in self.cases):
            return [f"recordings are not pruned: {root} is not what was collected"]
        told: list[str] = []
        for name in self.recordings:
            try:
                told += self._prune(root / name, name, root)
            except DiagnosisError as error:
                told.append(str(error))
        return told

    def _prune(self, path: Path, name: str, root: Path) -> Iterator[str]:
        if not path.is_file():
            return
        known = {case for cases in self.cases.values() for case in cases}

        def keeps(case: str) -> bool:
            file = case.partition("::")[0]
            return case in known if file in self.cases else (root / file).is_file()

        before = len(load_recording(path).lines)
        pruned = before - write_lines(path, (), keeps=keeps)
        if pruned:
            answers = "1 answer" if pruned == 1 else f"{pruned} answers"
            yield f"{name}: {answers} of cases that are gone dropped"
