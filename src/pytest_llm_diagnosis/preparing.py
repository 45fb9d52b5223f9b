"""An eval file to cases that can be asked: loaded, bound to checks, self-tested."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from .cases import read_cases
from .checks import Registry
from .errors import InputError, Location, Problem
from .records import Case
from .requests import Prepared
from .self_test import self_test


class PreparedFile(NamedTuple):
    """The cases of a file, what is wrong with it, and what is merely odd."""

    cases: list[Prepared]
    problems: list[Problem]
    warnings: list[Problem]


def prepare_file(path: Path, root: Path, registry: Registry) -> PreparedFile:
    """Return the cases of a file, with everything that is wrong with them.

    Raises `InputError` when the file cannot be read at all, or is not below
    `root`.
    """
    if not path.is_relative_to(root):
        finding = f"the file is outside the root folder {root}"
        hint = "run pytest above it, or choose the folder with --rootdir"
        raise InputError.at(Location(path=path), finding, hint)
    refuse_link_out(path, root)
    nodeid = path.relative_to(root).as_posix()
    loaded = read_cases(path, root, registry)
    found = PreparedFile([], [*loaded.problems], [])
    for case in loaded.cases:
        try:
            ready = _prepare(nodeid, case, registry)
        except InputError as error:
            found.problems.extend(error.problems)
            continue
        tested = self_test(case, ready.checks)
        found.problems.extend(tested.problems)
        found.warnings.extend(tested.warnings)
        found.cases.append(ready)
    return found


def refuse_link_out(path: Path, root: Path) -> None:
    """Raise `InputError` at a file below `root` that is a link to one outside."""
    if path.is_relative_to(root) and not path.resolve().is_relative_to(root.resolve()):
        finding = f"a link leads out of the root folder {root}"
        hint = "put the file itself there, or choose the folder with --rootdir"
        raise InputError.at(Location(path=path), finding, hint)


def _prepare(nodeid: str, case: Case, registry: Registry) -> Prepared:
    """Return the case with bound checks; raises every check's problems at once."""
    problems: list[Problem] = []
    checks = []
    for spec in case.checks:
        try:
            checks.append(registry.bind(spec))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return Prepared.of(f"{nodeid}::{case.id}", case, tuple(checks))
