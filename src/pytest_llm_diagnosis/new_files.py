"""Files that a command writes where none stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from .errors import InputError, Location, Problem


def write_new(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write texts to files below a folder and return their paths.

    Nothing is overwritten: when one of the files exists, none is written.
    Raises `InputError` at each that does, `OSError` for what cannot be written.
    """
    paths = {folder / name: text for name, text in files.items()}
    problems = [
        Problem(
            location=Location(path=path),
            finding="the file exists already, and nothing was written",
            hint="choose another folder, or move the file away",
        )
        for path in paths
        # A link that leads nowhere is in the way as well.
        if path.exists() or path.is_symlink()
    ]
    if problems:
        raise InputError(problems)
    for path, text in paths.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    return list(paths)
