"""The engine of a run: built from options, with models and a store to match."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from pytest_llm_diagnosis.engine import (
    Budget,
    Engine,
    EngineOptions,
    Provider,
    RetryPolicy,
    SharedLimit,
)
from pytest_llm_diagnosis.errors import ModelError, StoreError
from pytest_llm_diagnosis.models import Model, open_model
from pytest_llm_diagnosis.records import Answer, Request, Variant, VariantKey
from pytest_llm_diagnosis.redaction import Redactor
from pytest_llm_diagnosis.store import MemoryStore, Store

from .distribution import owner_name, worker_count
from .options import RunOptions
from .recording import ReplayFiles
from .shared_store import STORE_FOLDER, open_store, store_of_controller


class EngineRoom:
    """Builds the engine and is what it calls back.

    `variants` is filled as they come into use, before their first request;
    `notes` takes what a reader of the summary should know.  `check` is told of a
    variant right before its first live call, and may refuse it.
    """

    def __init__(
        self,
        config: pytest.Config,
        options: RunOptions,
        variants: Mapping[VariantKey, Variant],
        notes: list[str],
        *,
        check: Callable[[Variant], None],
    ) -> None:
        self._config = config
        self._options = options
        self._variants = variants
        self._notes = notes
        self._check = check

    def engine(
        self, on_answer: Callable[[Request, Answer], None], redactor: Redactor
    ) -> Engine:
        """Return a new engine; under xdist its limits are shared out."""
        options = self._options
        processes = worker_count(self._config)
        variant_of = self._variants.__getitem__
        replaying = options.answers == "replay"
        return Engine(
            open_model=self._open_model,
            open_store=self._open_store,
            recordings=ReplayFiles(variant_of) if replaying else None,
            options=EngineOptions(
                concurrency=max(1, options.concurrency // processes),
                retry=RetryPolicy(
                    attempts=options.attempts,
                    wall=options.retry_time,
                    longest_retry_after=options.retry_after_max,
                ),
                owner=owner_name(self._config),
                shared=self._shared_limit(processes),
            ),
            budget=Budget(
                max_calls=options.max_calls,
                max_usd=None if options.budget is None else options.budget / processes,
                whole_usd=options.budget,
            ),
            provider_of=lambda key: _provider(variant_of(key)),
            on_answer=on_answer,
            on_unkept=self._note_unkept,
            redactor=redactor,
        )

    def _shared_limit(self, processes: int) -> SharedLimit | None:
        """Return the limit of calls that several processes count together."""
        if processes == 1 or self._options.max_calls is None:
            return None
        return SharedLimit(self._options.started, self._options.max_calls)

    def _note_unkept(self, error: StoreError | OSError) -> None:
        self._notes.append(f"answers are not kept: {error}")

    def _open_model(self, key: VariantKey) -> Model:
        """Open a variant's model; runs in a thread before its first live call."""
        variant = self._variants[key]
        prepare = self._config.hook.pytest_llm_live_call
        try:
            prepare(config=self._config, variant=variant)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            # Those of the thread, which would otherwise end the engine's loop.
            said = f"{type(error).__name__}: {error}"
            raise ModelError(f"pytest_llm_live_call failed: {said}") from error
        self._check(variant)
        return open_model(
            variant, timeout=self._options.timeout, root=self._config.rootpath
        )

    def _open_store(self) -> Store:
        options = self._options
        if options.answers == "replay":
            return MemoryStore(worker_count(self._config))
        cache: pytest.Cache | None = getattr(self._config, "cache", None)
        started, fresh = options.started, options.answers == "fresh"
        try:
            shared = store_of_controller(self._config, run_started=started, fresh=fresh)
            if shared is not None:
                return shared
            if cache is not None:
                folder = cache.mkdir(STORE_FOLDER)
                return open_store(folder, run_started=started, fresh=fresh)
        except (StoreError, OSError) as error:
            self._note_unkept(error)
            return MemoryStore(worker_count(self._config))
        self._notes.append("answers are not kept: pytest's cache is off")
        return MemoryStore(worker_count(self._config))


def _provider(variant: Variant) -> Provider:
    """Return whose limits a variant shares: those of its model at its address."""
    written = variant.written
    where = f"{written.model} at {written.api_base}" if written else str(variant.key)
    if variant.is_remote:
        where = str(variant.call)
    return Provider(endpoint=where, cap=variant.max_concurrency)
