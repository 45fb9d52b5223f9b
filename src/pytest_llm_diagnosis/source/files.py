"""Files that an author names: found under the root folder, read as UTF-8."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from pathlib import Path

from pytest_llm_diagnosis.errors import InputError, Location

_LOOKED_AT = 1_000


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file, a byte order mark left out.

    Raises `InputError` at the file when it cannot be read or decoded.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError.at(Location(path=path), f"cannot be read: {reason}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError.at(
            Location(path=path, line=line),
            f"not UTF-8: byte 0x{data[error.start]:02x}",
            "save the file in the encoding UTF-8",
        ) from None


def inside(
    written: str, *, folder: Path, root: Path, location: Location, what: str
) -> Path:
    """Return the file that `written` names, relative to `folder`, symlinks followed.

    Raises `InputError` at `location` when the path is absolute, leads out of
    `root`, or names no file; `what` says what the file is for ("evidence").
    """
    try:
        path = (folder / written).resolve()
        found = path.is_file()
        within = path.is_relative_to(root.resolve())
        loops = path.is_symlink()  # for which Python 3.13 raises nothing
    # A loop of symlinks is a RuntimeError up to Python 3.12, an OSError after.
    except (OSError, RuntimeError, ValueError):
        loops = True
    if loops:
        raise InputError.at(location, f"{what} file {written!r} is not a usable path")
    if not within or Path(written).is_absolute():
        raise InputError.at(
            location,
            f"{what} file {written!r} is outside the root folder",
            f"give a path relative to this file's folder that stays under {root}",
        )
    if not found:
        raise InputError.at(
            location, f"{what} file {written!r} does not exist", _nearest(written, path)
        )
    return path


def _nearest(written: str, path: Path) -> str:
    try:
        entries = islice(path.parent.iterdir(), _LOOKED_AT)
        siblings = sorted(entry.name for entry in entries)
    except OSError:
        siblings = []
    near = get_close_matches(path.name, siblings, n=1)
    if not near:
        return "paths are relative to the folder of this file"
    return f"did you mean {written.removesuffix(path.name) + near[0]!r}?"
