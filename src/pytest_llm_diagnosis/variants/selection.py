"""`--llm-variant`: which variants of a file are meant."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_llm_diagnosis.errors import InputError, Location, Problem, valid_choices

from .files import VariantsFile

ALL = "all"


def resolve_selection(selection: str | None, file: VariantsFile) -> tuple[str, ...]:
    """Return the names that a selection means: `base,rag`, `all`, or None.

    None means the file's default, which may be none at all.  Raises
    `InputError` with every name that the file does not have.
    """
    chosen = file.default if selection is None else selection
    if chosen is None:
        return ()
    return names(chosen, list(file.variants), Location(path=file.path))


def names(selection: str, known: Sequence[str], location: Location) -> tuple[str, ...]:
    """Return the names in a selection, in its order; `all` are all those known.

    Raises `InputError` at `location` with every unknown name.
    """
    if selection.strip() == ALL:
        return tuple(known)
    stripped = (name.strip() for name in selection.split(","))
    wanted = dict.fromkeys(filter(None, stripped)) or {selection: None}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise InputError(
            Problem(
                location=location,
                finding=f"unknown variant {name!r}",
                hint=valid_choices(name, [*known, ALL], "variants"),
            )
            for name in unknown
        )
    return tuple(wanted)
