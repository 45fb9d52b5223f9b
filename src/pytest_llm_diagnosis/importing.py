"""Python code that files name: `module:attribute`, or a file of its own."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import cast

from .errors import InputError, Location, valid_choices


def imported(
    target: str, what: str, location: Location, folders: Sequence[Path]
) -> Callable[..., object]:
    """Return the callable that `module:attribute` names.

    The `folders` are put on `sys.path`, the first one first, so that the module is
    found as it would be from there.  `what` is the key that names it.  Raises
    `InputError` at `location` when it cannot be imported or called.
    """
    module_name, separator, attribute = target.partition(":")
    if not (module_name and separator and attribute):
        raise InputError.at(
            location,
            f"{what} {target!r} does not name a callable",
            "write module:attribute, as in northwind.assistant:answer",
        )
    module = _module(module_name, location, folders)
    found = _attribute(module, attribute, location)
    if not callable(found):
        kind = type(found).__name__
        finding = f"{what} {target!r} is not callable: it is a {kind}"
        raise InputError.at(location, finding)
    return cast("Callable[..., object]", found)


def module_of(path: Path) -> ModuleType:
    """Return a Python file as a module, such as a `conftest.py`.

    Its folder is put on `sys.path`, as pytest does.  Raises `InputError` at the
    file when it cannot be imported.
    """
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise InputError.at(Location(path=path), "not a Python file")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        raise InputError.at(Location(path=path), f"cannot import: {reason}") from error
    return module


def _module(name: str, location: Location, folders: Sequence[Path]) -> ModuleType:
    for folder in reversed(folders):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(name)
    except (Exception, SystemExit) as error:
        reason = f"{type(error).__name__}: {error}"
        listed = " and ".join(map(str, folders))
        raise InputError.at(
            location,
            f"cannot import {name!r}: {reason}",
            f"looked in {listed}, then in the environment",
        ) from error
    _refuse_namesake(module, location)
    return module


def _refuse_namesake(module: ModuleType, location: Location) -> None:
    """Refuse a module of the same name from elsewhere that was imported before."""
    folder = location.path.parent
    parts = folder.joinpath(*module.__name__.split("."))
    candidates = (parts.with_suffix(".py"), parts / "__init__.py")
    wanted = next((path for path in candidates if path.is_file()), None)
    loaded = getattr(module, "__file__", None)
    if wanted is None or loaded is None or wanted.samefile(loaded):
        return
    raise InputError.at(
        location,
        f"{module.__name__!r} is {wanted}, but {loaded} was imported under that name",
        "give one of the two modules another name",
    )


def _attribute(module: ModuleType, path: str, location: Location) -> object:
    value: object = module
    for name in path.split("."):
        if not hasattr(value, name):
            public = [known for known in vars(module) if not known.startswith("_")]
            raise InputError.at(
                location,
                f"module {module.__name__!r} has no attribute {path!r}",
                valid_choices(name, sorted(public), "it has"),
            )
        value = getattr(value, name)
    return value
