"""Adapters to stores of vectors, each behind an optional extra.

A store is used in two ways.  It keeps the passages of `documents:`, replaced
when their revision changes; or it has the team's own, which are only read:
nothing is ever written to what does not carry this package's marker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, cast

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json
from pytest_llm_diagnosis.retrieval.protocol import VectorStore
from pytest_llm_diagnosis.schema import STORE, Validator
from pytest_llm_diagnosis.source import Node

from .options import Options

__all__ = ["open_store"]


class _Adapter(NamedTuple):
    """Where a store's adapter is; its module imports the store's library."""

    module: str
    opener: str


_ADAPTERS: Mapping[str, _Adapter] = {
    "pgvector": _Adapter("pgvector", "PgvectorStore"),
    "qdrant": _Adapter("qdrant", "QdrantStore"),
    "lancedb": _Adapter("lancedb", "LanceStore"),
    "pinecone": _Adapter("pinecone", "PineconeStore"),
}


def open_store(settings: Mapping[str, Json], folder: Path) -> VectorStore:
    """Return the store that `store:` describes, its `${NAME}` filled in.

    Relative paths start at `folder`.  Raises `DiagnosisError` when the settings
    break their schema, the extra is not installed, or the store cannot be
    reached.
    """
    faults = Validator(STORE, what="'store'").faults(cast("Node", settings))
    if faults:
        raise DiagnosisError(
            "\n".join(_told(fault.text, fault.hint) for fault in faults)
        )
    [(name, written)] = settings.items()
    opener = _opener(name)
    return opener(Options(cast("Mapping[str, Json]", written)), folder)


def _opener(name: str) -> Callable[[Options, Path], VectorStore]:
    adapter = _ADAPTERS[name]
    try:
        module = import_module(f".{adapter.module}", __name__)
    except ImportError as error:
        raise DiagnosisError(
            f"`store: {name}` needs its library: {error}\n"
            f"  pip install pytest-llm-diagnosis[{name}]"
        ) from error
    return cast(
        "Callable[[Options, Path], VectorStore]", getattr(module, adapter.opener)
    )


def _told(text: str, hint: str) -> str:
    return f"{text}\n  {hint}" if hint else text
