"""Eval files and variants files looked at without a run, as before a commit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .checks import Registry
from .errors import InputError, Location, Problem
from .preparing import prepare_file
from .variants import load_variants

EVALS = ".eval.yaml"
VARIANTS = "llm_variants.yaml"
_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__"})


class Validated(NamedTuple):
    """How much was looked at, what is wrong, and what is merely odd."""

    files: int
    cases: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]

    def lines(self, root: Path) -> Iterator[str]:
        """Yield every finding as `file:line: finding`, and a last line of counts."""
        for problem in self.problems:
            yield problem.show(root)
        for odd in self.warnings:
            place, finding = odd.location.show(root), odd.finding
            yield f"{place}: warning: {finding}\n  {odd.hint}"
        files = f"{self.files} file{'s' * (self.files != 1)}"
        cases = f"{self.cases} case{'s' * (self.cases != 1)}"
        wrong = len(self.problems)
        found = f"{wrong} problem{'s' * (wrong != 1)}" if wrong else "no problem"
        yield f"{files}, {cases}: {found}"


def validate_files(paths: Sequence[Path], root: Path, registry: Registry) -> Validated:
    """Look at the files, or at all below `root` where none is given.

    An eval file is loaded, bound to its checks, and its ideals are tried on
    them; a variants file is loaded without filling anything in.
    """
    cases = 0
    problems: list[Problem] = []
    warnings: list[Problem] = []
    wanted = [path.absolute() for path in paths] or list(_below(root))
    for path in wanted:
        try:
            if path.name.endswith(EVALS):
                found = prepare_file(path, root, registry)
                cases += len(found.cases)
                problems += found.problems
                warnings += found.warnings
            elif path.name == VARIANTS:
                load_variants(path, root, {}, live=False)
            else:
                problems.append(_unknown(path))
        except InputError as error:
            problems += error.problems
    return Validated(len(wanted), cases, _sorted(problems), _sorted(warnings))


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, in order, without hidden folders."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            if not path.name.startswith(".") and path.name not in _NOT_OURS:
                yield from _below(path)
        elif path.name.endswith(EVALS) or path.name == VARIANTS:
            yield path


def _unknown(path: Path) -> Problem:
    return Problem(
        location=Location(path=path),
        finding="neither an eval file nor a variants file",
        hint=f"valid: *{EVALS}, {VARIANTS}",
    )


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return InputError(dict.fromkeys(problems)).problems
