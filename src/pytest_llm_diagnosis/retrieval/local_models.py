"""Embedding models whose weights lie inside a Python package."""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from pytest_llm_diagnosis.errors import DiagnosisError

LocalModel: TypeAlias = Callable[[Sequence[str]], list[list[float]]]
"""Texts to vectors, in their order."""


class _Array(Protocol):
    """A numpy array."""

    def tolist(self) -> list[list[float]]: ...


class _Model(Protocol):
    """What is used of `wordllama.inference.WordLlamaInference`."""

    def embed(self, texts: list[str]) -> _Array: ...


class _Library(Protocol):
    """What is used of the module `wordllama`."""

    __file__: str
    WordLlama: _Loader


class _Loader(Protocol):
    def load(self, *, cache_dir: Path, disable_download: bool) -> _Model: ...


def local_version(name: str) -> str:
    """Return the version of the package that holds a model; raises `DiagnosisError`."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        raise DiagnosisError(
            f"embeddings: {{local: {name}}} needs the package {name}"
            "\n  pip install 'pytest-llm-diagnosis[embeddings]'"
        ) from None


def open_local(name: str) -> LocalModel:
    """Return a model; nothing is fetched.  Raises `DiagnosisError`."""
    local_version(name)
    try:
        library = cast("_Library", importlib.import_module(name))
        # Its own search for files looks in folders that its wheel does not have.
        inside = Path(library.__file__).parent
        model = library.WordLlama.load(cache_dir=inside, disable_download=True)
    except (ImportError, OSError) as error:
        raise DiagnosisError(f"{name} cannot be loaded: {error}") from error
    return lambda texts: model.embed(list(texts)).tolist()
