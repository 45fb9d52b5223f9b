"""The part of a run that asks: plans requests, runs ahead, hands out answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from pytest_llm_diagnosis.engine import Budget, Counts, Engine, EngineOptions
from pytest_llm_diagnosis.errors import ModelError, StoreError
from pytest_llm_diagnosis.models import Model, open_model
from pytest_llm_diagnosis.probing import (
    Candidate,
    Failing,
    Probed,
    Probes,
    Settles,
    needs_probing,
    select_for_probing,
)
from pytest_llm_diagnosis.records import (
    Answer,
    CaseResult,
    JsonObject,
    Request,
    Variant,
    VariantKey,
)
from pytest_llm_diagnosis.report.terminal import Plan
from pytest_llm_diagnosis.requests import Prepared, RequestPlanner
from pytest_llm_diagnosis.store import AnswerStore, Entry, MemoryStore, Store
from pytest_llm_diagnosis.variants import differences

from .distribution import owner_name, worker_count
from .items import EvalItem
from .live import LiveLine
from .options import RunOptions
from .recording import ReplayFiles, write_recordings
from .suite import Suite

STORE_FOLDER = "llm-diagnosis"


class Running:
    """Everything of one process that needs answers.

    `variants` holds what was selected, by key; `notes` what a reader of the
    summary should know of the run.
    """

    def __init__(
        self, config: pytest.Config, suite: Suite, options: RunOptions
    ) -> None:
        self._config = config
        self._suite = suite
        self._options = options
        self.notes: list[str] = []
        self._variants: dict[VariantKey, Variant] = {}
        self._requests: dict[str, tuple[Request, ...]] = {}
        self._probes: dict[VariantKey, Probes] = {}
        self._asked: list[Entry] = []
        self._planner = RequestPlanner(
            suite.all_cases, suite.retriever, seed=options.seed
        )
        self._engine = self._build_engine()
        self._live = LiveLine(config, self._engine.counts)

    @property
    def counts(self) -> Counts:
        """What the engine has done so far."""
        return self._engine.counts

    # -- before the first item -------------------------------------------

    def begin(self, items: Sequence[EvalItem]) -> Plan:
        """Start to answer ahead of the items, and return what is planned."""
        self._engine.start()
        for item in items:
            self._plan(item)
        self._rank(items)
        planned = [request for group in self._requests.values() for request in group]
        stored = self._engine.stored(planned)
        self._engine.run_ahead(r for r in planned if r.key not in stored)
        distinct = {request.key for request in planned}
        limit = self._options.probe_max
        return Plan(
            calls=len(distinct),
            stored=len(distinct & stored),
            probes=sum(min(limit, probes.most) for probes in self._probes.values()),
            replay=self._options.answers == "replay",
        )

    def _plan(self, item: EvalItem) -> None:
        if item.variant is None or item.get_closest_marker("skip"):
            return
        self.use(item.variant)
        self._requests[item.nodeid] = tuple(
            self._planner.request(item.prepared, item.variant, trial=trial)
            for trial in range(item.trials)
        )

    def _rank(self, items: Sequence[EvalItem]) -> None:
        """Rank the cases of every variant whose failures are to be probed."""
        mode = self._options.probe
        if mode == "off":
            return
        for variant in self._suite.probed_variants():
            candidates = [
                Candidate(
                    nodeid=item.nodeid,
                    mark=item.prepared.case.mark,
                    cluster=item.prepared.cluster,
                )
                for item in items
                if item.variant == variant and item.nodeid in self._requests
            ]
            order = select_for_probing(candidates, len(candidates), self._options.seed)
            self._probes[variant.key] = Probes(
                self._engine,
                self._planner,
                mode=mode,
                limit=self._options.probe_max,
                ranks={one.nodeid: rank for rank, one in enumerate(order)},
            )

    def use(self, variant: Variant) -> None:
        """Make a variant's model available to the engine."""
        self._variants[variant.key] = variant

    # -- for items -------------------------------------------------------

    def arrive(self, item: pytest.Item) -> None:
        """Wait for an item's answers, with the live line; errors keep for later."""
        for request in self._requests.get(item.nodeid, ()):
            self._live.wait_for(self._engine.answer(request))

    def requests(self, item: pytest.Item) -> tuple[Request, ...]:
        """Return what an item asks, one request a trial."""
        return self._requests[item.nodeid]

    def answers(self, item: pytest.Item) -> list[Answer | ModelError]:
        """Return an item's answers, or the errors in their places."""
        return [self._answer(request) for request in self.requests(item)]

    def _answer(self, request: Request) -> Answer | ModelError:
        try:
            return self.ask(request)
        except ModelError as error:
            return error

    def ask(self, request: Request) -> Answer:
        """Return one answer; raises `ModelError`."""
        return self._engine.answer(request).result()

    # -- probes ----------------------------------------------------------

    def failed(self, item: EvalItem, result: CaseResult) -> None:
        """Take a failing case; it is probed behind the first answers."""
        variant = item.variant
        if variant is None or variant.key not in self._probes:
            return
        failing = Failing(prepared=item.prepared, variant=variant, result=result)
        if needs_probing(failing.trial.grade):
            self._probes[variant.key].add(failing)

    def find_causes(self, settles: Settles) -> list[Probed]:
        """Wait for the probes, with the live line; what was refused is noted."""
        found: list[Probed] = []
        for probes in self._probes.values():
            future = self._engine.submit(probes.finish(settles))
            self._live.wait_for(future)
            probed, refused = future.result()
            found += probed
            if refused:
                self.notes.append(f"{len(refused)} failures not probed: {refused[0]}")
        return found

    # -- the end ---------------------------------------------------------

    def ask_for(self, prepared: Prepared, variant: Variant, *, trial: int) -> Answer:
        """Return the answer to a Python test's question; raises `ModelError`."""
        self.use(variant)
        return self.ask(self._planner.request(prepared, variant, trial=trial))

    def totals(self) -> JsonObject:
        """Return what this process did, JSON-ready."""
        variants = list(self._variants.values())
        return {
            **self.counts.to_dict(),
            "notes": list(self.notes),
            "selection": list(dict.fromkeys(variant.name for variant in variants)),
            "changes": {
                variant.name: list(differences(variants[0], variant))
                for variant in variants
            },
        }

    def halt(self) -> None:
        """Let no further call begin."""
        self._engine.refuse_new_calls()

    def finish(self) -> None:
        """End the engine and write the recordings."""
        self._engine.stop()
        if self._options.record:
            write_recordings(self._asked, self._variants.__getitem__)

    # -- the engine's collaborators --------------------------------------

    def _build_engine(self) -> Engine:
        options = self._options
        processes = worker_count(self._config)
        return Engine(
            open_model=self._open_model,
            open_store=self._open_store,
            recordings=ReplayFiles(self._variants.__getitem__)
            if options.answers == "replay"
            else None,
            options=EngineOptions(
                concurrency=max(1, options.concurrency // processes),
                owner=owner_name(self._config),
            ),
            budget=Budget(max_calls=options.max_calls, max_usd=options.budget),
            on_answer=self._keep,
        )

    def _keep(self, request: Request, answer: Answer) -> None:
        if self._options.record:
            self._asked.append(Entry(request, answer))

    def _open_model(self, key: VariantKey) -> Model:
        """Open a variant's model; runs in a thread before its first live call."""
        variant = self._variants[key]
        self._config.hook.pytest_llm_live_call(config=self._config, variant=variant)
        return open_model(
            variant, timeout=self._options.timeout, root=self._config.rootpath
        )

    def _open_store(self) -> Store:
        options = self._options
        cache = getattr(self._config, "cache", None)
        if options.answers == "replay":
            return MemoryStore()
        if cache is None:
            self.notes.append("answers are not kept: pytest's cache is off")
            return MemoryStore()
        try:
            return AnswerStore(
                cache.mkdir(STORE_FOLDER) / "answers.sqlite",
                run_started=options.started,
                fresh=options.answers == "fresh",
            )
        except (StoreError, OSError) as error:
            self.notes.append(f"answers are not kept: {error}")
            return MemoryStore()
