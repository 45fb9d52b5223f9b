"""The retrieval of a run: what it works with, and what is shown of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from pytest_llm_diagnosis.engine import Engine
from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, Request, Variant
from pytest_llm_diagnosis.report.terminal import embedding_line
from pytest_llm_diagnosis.retrieving import (
    Asking,
    EmbeddingPlan,
    Retrieval,
    Surroundings,
)
from pytest_llm_diagnosis.store import KeptVectors

from .distribution import owner_name
from .items import EvalItem
from .options import RunOptions
from .shared_store import STORE_FOLDER
from .suite import Suite

_VECTORS = "vectors.sqlite"


class RetrievalRoom:
    """Builds the retrieval of a run; `notes` takes that nothing can be kept."""

    def __init__(
        self, config: pytest.Config, options: RunOptions, suite: Suite, notes: list[str]
    ) -> None:
        self._config = config
        self._options = options
        self._suite = suite
        self._notes = notes

    def retrieval(
        self,
        engine: Engine,
        *,
        use: Callable[[Variant], None],
        keep: Callable[[Request, Answer], None],
    ) -> Retrieval:
        """Return what finds the passages of a run."""
        around = Surroundings(
            documents=self._suite.documents,
            folder=self._folder,
            vectors=self._vectors,
            retrievers=self._suite.retrievers,
            owner=owner_name(self._config),
            redactor=self._suite.redactor(),
        )
        return Retrieval(
            engine,
            around,
            replaying=self._options.answers == "replay",
            use=use,
            keep=keep,
            show=self._show,
        )

    def _show(self, plan: EmbeddingPlan) -> None:
        """Show what is about to be embedded, before the first call."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None and plan.calls and self._config.get_verbosity() >= 0:
            reporter.write_line(embedding_line(plan))

    def _folder(self) -> Path | None:
        cache: pytest.Cache | None = getattr(self._config, "cache", None)
        try:
            return cache.mkdir(STORE_FOLDER) if cache is not None else None
        except OSError:
            return None

    def _vectors(self) -> KeptVectors:
        folder = self._folder()
        if folder is None:
            self._notes.append("vectors are not kept: pytest's cache is off")
            return KeptVectors(None)
        try:
            return KeptVectors(folder / _VECTORS)
        except StoreError as error:
            self._notes.append(f"vectors are not kept: {error}")
            return KeptVectors(None)


def askings_of(items: Iterable[pytest.Item]) -> Iterator[Asking]:
    """Yield what the cases of retrieving variants search for; skipped ones nothing."""
    for item in items:
        if not isinstance(item, EvalItem) or item.get_closest_marker("skip"):
            continue
        if item.variant is not None and item.variant.retrieve is not None:
            yield Asking(item.prepared, item.variant)
