"""Recordings of a run: which file a request belongs to, read and written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Answer, Request, Variant, VariantKey
from pytest_llm_diagnosis.store import (
    Entry,
    Recording,
    load_recording,
    recording_path,
    write_recording,
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


def write_recordings(
    entries: Iterable[Entry], variant_of: Callable[[VariantKey], Variant]
) -> None:
    """Merge the answers into their variants' files; raises `StoreError`."""
    by_file: dict[Path, list[Entry]] = defaultdict(list)
    for entry in entries:
        by_file[recording_path(variant_of(entry.request.asks))].append(entry)
    for path, group in by_file.items():
        write_recording(path, group)
