"""What the eval files of a run share: checks, variants, retrievers."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from pytest_llm_diagnosis.checks import Registry, default_registry
from pytest_llm_diagnosis.checks.inquiring import AskingCheck
from pytest_llm_diagnosis.checks.loose import Loose
from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.preparing import prepare_file, refuse_link_out
from pytest_llm_diagnosis.records import Library, Passage, Variant
from pytest_llm_diagnosis.redaction import Redactor, secrets_of
from pytest_llm_diagnosis.requests import Prepared
from pytest_llm_diagnosis.variants import (
    VariantsFile,
    corpus_text,
    filled_text,
    find_variants_file,
    load_variants,
    resolve_selection,
)

from .distribution import is_worker
from .options import RunOptions

if TYPE_CHECKING:
    from pytest_llm_diagnosis.retrieving import OpenRetriever

    from .recording import Known


MANY = 1_000
"""Cases of a file from which on the garbage collector is spared of them."""


class EvalWarning(pytest.PytestWarning):
    """Something in an eval file that is probably not meant."""


class Selection(NamedTuple):
    """The variants file that holds for a folder, and the variants chosen in it."""

    file: VariantsFile
    names: tuple[str, ...]

    @property
    def variants(self) -> Iterator[Variant]:
        """The chosen variants, in the order they were asked for."""
        return (self.file.variants[name] for name in self.names)


class Told(NamedTuple):
    """What is wrong with a variants file, and the test file that was told so."""

    error: InputError
    path: Path

    def told_again(self, path: Path, root: Path) -> InputError:
        """Return what another test file is told: no wall of repetitions.

        It names that file, since xdist shows equal texts only once.
        """
        first, *others = self.error.problems
        this, full = (_shown(at, root) for at in (path, self.path))
        more = f" (and {len(others)} more)" if others else ""
        hint = f"{this} needs this file too; told in full{more} at {full}"
        return InputError([replace(first, hint=hint)])


class Suite:
    """Loads cases and variants, each file once."""

    def __init__(self, config: pytest.Config, options: RunOptions) -> None:
        self._config = config
        self._options = options
        self._root = config.rootpath
        self._documents = Documents(self._root)
        self._registry: Registry | None = None
        self._cases: dict[Path, list[Prepared]] = {}
        self._unknown: list[InputError] = []
        self._selections: dict[Path, Selection] = {}
        self._broken: dict[Path, Told] = {}
        self._retrievers: dict[str, OpenRetriever] | None = None

    @property
    def registry(self) -> Registry:
        """The checks: the built-in ones and those of hooks."""
        if self._registry is None:
            self._registry = default_registry()
            self._config.hook.pytest_llm_register_checks(registry=self._registry)
        return self._registry

    def cases(self, path: Path) -> list[Prepared]:
        """Return a file's cases, bound and self-tested.

        Raises `InputError` with every problem of the file; warns of checks that
        an empty answer passes.
        """
        if path not in self._cases:
            with _garbage_collection_paused():
                self._cases[path] = self._load(path)
            if len(self._cases[path]) >= MANY:
                # They live as long as the run, so the collector need never walk
                # them: 0.7 of 2.5 s for 10,000 cases, beside 15 MiB kept.
                gc.freeze()
        return self._cases[path]

    @property
    def all_cases(self) -> Iterator[Prepared]:
        """Every case of the files loaded so far."""
        return (prepared for cases in self._cases.values() for prepared in cases)

    def known(self, tests: Mapping[str, Sequence[str]]) -> Known:
        """Return which cases there are, Python tests given by file."""
        from .recording import Known, recorded_at

        cases = {
            _shown(path, self._root): [prepared.nodeid for prepared in cases]
            for path, cases in self._cases.items()
        }
        recordings = (
            recorded_at(recorded, self._root)
            for selection in self._selections.values()
            for variant in selection.file.variants.values()
            for recorded in (variant, *_what_retrieves(variant))
        )
        return Known(cases={**cases, **tests}, recordings=tuple(recordings))

    def _load(self, path: Path) -> list[Prepared]:
        found = prepare_file(path, self._root, self.registry)
        errors = [odd for odd in found.warnings if _is_error(odd)]
        if found.problems or errors:
            raise InputError([*found.problems, *errors])
        return found.cases

    def passages(self, written: object, test_file: Path) -> tuple[Passage, ...]:
        """Return the evidence that a Python test's mark names, one or a list.

        Raises `InputError` when there is no such file or section.
        """
        listed = written if isinstance(written, list | tuple) else [written]
        place = Location(path=test_file)
        return tuple(
            self._documents.passage(str(name), test_file.parent, place)
            for name in listed
        )

    def selection(self, path: Path) -> Selection | None:
        """Return the variants for a test file; None where none is chosen.

        Raises `InputError` when the variants file is missing or wrong, or does
        not have a variant that was asked for.
        """
        file = self._options.variants_file or find_variants_file(path, self._root)
        if file is None:
            if self._options.variant is None:
                return None
            raise InputError.at(
                Location(path=path),
                "no llm_variants.yaml in this folder or above it",
                f"looked up to {self._root}",
            )
        if file in self._broken:
            raise self._broken[file].told_again(path, self._root)
        if file not in self._selections:
            try:
                if self._options.variants_file is None:
                    refuse_link_out(file, self._root)
                self._selections[file] = self._select(file)
            except InputError as error:
                self._broken[file] = Told(error, path)
                raise
        chosen = self._selections[file]
        return chosen if chosen.names else None

    def _select(self, file: Path) -> Selection:
        live = self._options.answers != "replay"
        wanted = self._options.variant
        loaded = load_variants(
            file, self._root, os.environ, live=live, selection=wanted
        )
        try:
            names = resolve_selection(wanted, loaded)
            if self._options.probe_variants is not None:
                resolve_selection(self._options.probe_variants, loaded)
        except InputError as error:
            if is_worker(self._config):
                raise  # xdist takes a worker that stops for a crash
            self._unknown.append(error)
            names = ()
        return Selection(loaded, names)

    def probed_variants(self) -> Iterator[Variant]:
        """Yield the variants whose failures are probed, of every variants file.

        By default the first selected one of each: the others show for free what
        they fix.
        """
        wanted = self._options.probe_variants
        for selection in self._selections.values():
            names = selection.names[:1]
            if wanted is not None:
                asked = resolve_selection(wanted, selection.file)
                names = tuple(name for name in selection.names if name in asked)
            yield from (selection.file.variants[name] for name in names)

    def library(self, variant: Variant) -> Library | None:
        """Return the documents that a variant's file names, None where it has none."""
        for selection in self._selections.values():
            if selection.file.path == variant.location.path:
                return selection.file.library
        return None

    def library_text(self, library: Library) -> str:
        """Return the documents as a long context shows them."""
        return corpus_text(self._documents, library.files)

    def redactor(self) -> Redactor:
        """Return what keeps the secrets of all loaded files hidden."""
        files = [selection.file for selection in self._selections.values()]
        variants = [
            written
            for file in files
            for variant in file.variants.values()
            for written in (
                variant.written or (variant.call, variant.headers, variant.params),
                *_written_to_retrieve(variant),
            )
        ]
        checks = (
            check.check if isinstance(check, Loose) else check
            for prepared in self.all_cases
            for check in prepared.checks
        )
        asked = (
            (check.model, check.api_base)
            for check in checks
            if isinstance(check, AskingCheck)
        )
        names = (name for file in files for name in file.variables)
        return Redactor(secrets_of([*variants, *asked], os.environ, names))

    def filled(self, text: str, place: Location) -> str:
        """Return a text with its `${NAME}` filled in; a replay fills nothing in.

        Raises `InputError` at the place for a variable that is not set.
        """
        if self._options.answers == "replay":
            return text
        return filled_text(text, os.environ, place)

    def check_selection(self) -> None:
        """Raise `pytest.UsageError` when a variant was asked for that is not there."""
        if self._unknown:
            problems = [p for error in self._unknown for p in error.problems]
            raise pytest.UsageError(InputError(problems).show(self._root))

    @property
    def documents(self) -> Documents:
        """The documents below the root folder, each read once."""
        return self._documents

    def retrievers(self) -> Mapping[str, OpenRetriever]:
        """Return the retrievers that hooks register, by name."""
        if self._retrievers is None:
            self._retrievers = {}
            hook = self._config.hook.pytest_llm_register_retrievers
            hook(retrievers=self._retrievers)
        return self._retrievers


def _what_retrieves(variant: Variant) -> Iterator[Variant]:
    """Yield what has a recording of the passages that a variant is shown."""
    from pytest_llm_diagnosis.retrieving import recorded_as

    if variant.retrieve is not None and variant.retrieve.is_recorded:
        yield recorded_as(variant)


def _written_to_retrieve(variant: Variant) -> Iterator[object]:
    """Yield the endpoints of what a variant retrieves with, as its file states them."""
    if variant.retrieve is not None:
        yield variant.retrieve.embeddings and variant.retrieve.embeddings.written
        yield variant.retrieve.store


def _shown(path: Path, root: Path) -> str:
    inside = path.is_relative_to(root)
    return (path.relative_to(root) if inside else path).as_posix()


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Pause the cyclic collector while a file becomes objects that all live."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_error(problem: Problem) -> bool:
    """Warn of a problem; whether the user turned warnings into errors."""
    place = problem.location
    text = f"{problem.finding}; {problem.hint}" if problem.hint else problem.finding
    try:
        warnings.warn_explicit(text, EvalWarning, str(place.path), place.line)
    except EvalWarning:
        return True
    return False
