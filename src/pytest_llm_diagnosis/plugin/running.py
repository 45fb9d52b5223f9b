"""The part of a run that asks: plans requests, runs ahead, hands out answers."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from pytest_llm_diagnosis.checks.inquiring import Inquiring
from pytest_llm_diagnosis.engine import Urgency
from pytest_llm_diagnosis.errors import (
    BudgetError,
    DiagnosisError,
    ModelError,
    NotAskedError,
)
from pytest_llm_diagnosis.inquiries import Inquirer
from pytest_llm_diagnosis.outcomes import case_result
from pytest_llm_diagnosis.probing import (
    Probes,
)
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    CaseResult,
    JsonObject,
    Request,
    Variant,
    VariantKey,
)
from pytest_llm_diagnosis.report.terminal import Plan
from pytest_llm_diagnosis.requests import (
    ArmUnavailableError,
    Prepared,
    RequestPlanner,
)
from pytest_llm_diagnosis.retrieving import Asking
from pytest_llm_diagnosis.store import Entry
from pytest_llm_diagnosis.variants import differences

from .engines import EngineRoom
from .giving import given
from .items import EvalItem, Told
from .live import Display, Waiting, display_of
from .options import RunOptions
from .probing import Probing
from .python_tests import is_eval_test, variant_of
from .recording import recorded_by_file
from .retrieving import RetrievalRoom, askings_of
from .setups import Setups
from .suite import Suite


class Running:
    """Everything of one process that needs answers.

    `notes` holds what a reader of the summary should know of the run.  `display`
    shows how far it is, in the way of `display_of` if it is left out.  `redactor`
    removes the secrets of the files that were loaded; `probing` asks failing cases
    again.
    """

    def __init__(
        self,
        config: pytest.Config,
        suite: Suite,
        options: RunOptions,
        display: Display | None = None,
    ) -> None:
        self._suite = suite
        self._options = options
        self.notes: list[str] = []
        self._variants: dict[VariantKey, Variant] = {}
        self._consulted: dict[VariantKey, Variant] = {}
        self._known = ChainMap(self._variants, self._consulted)
        self._requests: dict[str, tuple[Request, ...]] = {}
        self._unplanned: dict[str, DiagnosisError] = {}
        self._arrived: dict[str, list[Future[Told]]] = {}
        self._asked: list[Entry] = []
        self._unasked = 0
        self._ahead: list[Request] = []
        self._setups = Setups(suite, options, self.notes)
        room = EngineRoom(
            config, options, self._known, self.notes, check=self._setups.check
        )
        self.redactor = suite.redactor()
        self._engine = room.engine(self._keep, self.redactor)
        self._retrieval = RetrievalRoom(config, options, suite, self.notes).retrieval(
            self._engine, use=self._consult, keep=self._keep
        )
        self._planner = RequestPlanner(
            suite.all_cases, self._retrieval.retriever, seed=options.seed
        )
        self._inquirer = Inquirer(self._engine, fill=suite.filled, use=self._consult)
        self._asking: dict[str, Prepared] = {}
        self._waiting = Waiting(display or display_of(config), self._engine.counts)
        self.probing = Probing(
            self._engine, self._probes, self._waiting, options, self.notes
        )

    # -- before the first item -------------------------------------------

    def begin(self, items: Sequence[pytest.Item], whole: Sequence[pytest.Item]) -> Plan:
        """Plan what the items ask, and return it; no call is made yet.

        `whole` are the items of all shards: they decide the ranks.
        """
        self._engine.start()
        for item in whole:
            self._use_variant_of(item)
        self._retrieve(items)
        for item in items:
            if isinstance(item, EvalItem):
                self._plan(item)
        if self._options.probe != "off":
            self.probing.rank(self._suite.probed_variants(), whole)
        planned = [request for group in self._requests.values() for request in group]
        stored = self._engine.stored(planned)
        self._ahead = [
            one for one in planned if one.key not in stored or one.key in self._asking
        ]
        distinct = {request.key for request in planned}
        plan = Plan(
            calls=len(distinct),
            stored=len(distinct & stored),
            probes=self.probing.most(items),
            replay=self._options.answers == "replay",
        )
        self._waiting.begin(plan)
        return plan

    def run_ahead(self) -> None:
        """Begin to answer ahead of the items."""
        self._engine.run_ahead(self._ahead, self._ask_ahead)
        self._ahead = []

    def _retrieve(self, items: Sequence[pytest.Item]) -> None:
        """Find the passages of all items before their requests are planned."""
        askings = list(askings_of(items))
        if askings:
            found = self._engine.submit(self._retrieval.prepare(askings))
            try:
                self._waiting.wait_for(found)
                found.result()
            except BaseException:
                # An interrupt: it must not outlive the engine's loop.
                found.cancel()
                raise

    def _plan(self, item: EvalItem) -> None:
        if item.variant is None or item.get_closest_marker("skip"):
            return
        try:
            requests = tuple(
                self._planner.request(item.prepared, item.variant, trial=trial)
                for trial in range(item.trials)
            )
        except DiagnosisError as error:
            self._unplanned[item.nodeid] = error
            return
        self._requests[item.nodeid] = requests
        self._setups.plan(item.variant, item.prepared, requests[0], self._planner)
        if any(isinstance(check, Inquiring) for check in item.prepared.checks):
            for request in requests:
                self._asking[request.key] = item.prepared

    async def _ask_ahead(self, request: Request, answer: Answer) -> None:
        """Ask what the checks of an answer need to know, before anybody waits."""
        prepared = self._asking.get(request.key)
        if prepared is not None:
            await self._inquirer.replies(prepared, answer, Urgency.FIRST)

    async def _tell(self, request: Request, prepared: Prepared) -> Told:
        """Return an answer, and what its checks need to know."""
        answer = await self._engine.obtain(request, Urgency.FIRST)
        replies = await self._inquirer.replies(prepared, answer, Urgency.FIRST)
        return Told(answer, replies)

    def _probes(self, ranks: Mapping[str, int]) -> Probes:
        """Return what asks the failing ones of ranked cases again."""
        mode = self._options.probe
        return Probes(
            self._engine,
            self._planner,
            mode="standard" if mode == "off" else mode,
            limit=self._options.probe_max,
            ranks=ranks,
            inquirer=self._inquirer,
        )

    def _use_variant_of(self, item: pytest.Item) -> None:
        """Know an item's variant now, so that every shard lists the same ones."""
        if item.get_closest_marker("skip"):
            return
        if isinstance(item, EvalItem) and item.variant is not None:
            self._use(item.variant)
        elif is_eval_test(item):
            self._use(variant_of(item))

    def _use(self, variant: Variant) -> None:
        """Let the engine know a variant by its key."""
        self._variants[variant.key] = variant

    def _consult(self, variant: Variant) -> None:
        """Let the engine know a model that only checks ask."""
        self._consulted[variant.key] = variant

    # -- for items -------------------------------------------------------

    def arrive(self, item: EvalItem) -> None:
        """Wait for an item's answers and show progress; errors keep for later."""
        requests = self._requests.get(item.nodeid, ())
        self._arrived[item.nodeid] = [
            self._engine.submit(self._tell(one, item.prepared)) for one in requests
        ]
        for future in self._arrived[item.nodeid]:
            self._waiting.wait_for(future)

    def answers(self, item: EvalItem) -> list[Told | ModelError]:
        """Return an item's answers, or the errors in their places.

        Raises `DiagnosisError` when it could not even be asked.
        """
        unplanned = self._unplanned.get(item.nodeid)
        if isinstance(unplanned, ModelError):
            self._unasked += isinstance(unplanned, BudgetError)
            return [unplanned] * item.trials
        if unplanned is not None:
            raise unplanned
        if item.nodeid not in self._arrived:
            self.arrive(item)
        outcomes = [_outcome(future) for future in self._arrived.pop(item.nodeid)]
        self._unasked += any(isinstance(one, BudgetError) for one in outcomes)
        return outcomes

    def was_stopped(self, item: EvalItem) -> bool:
        """Whether an item that has arrived lacks an answer because of a halt."""
        errors = [one.exception() for one in self._arrived.get(item.nodeid, ())]
        return any(
            isinstance(error, NotAskedError) and not isinstance(error, BudgetError)
            for error in errors
        )

    def requests(self, item: EvalItem) -> tuple[Request, ...]:
        """Return what an item asks, one request a trial."""
        return self._requests[item.nodeid]

    def ask_for(
        self, prepared: Prepared, variant: Variant, *, trial: int, arm: Arm
    ) -> Answer:
        """Return the answer to a Python test's question.

        Raises `ModelError`, and `ArmUnavailableError` where the arm has nothing
        to add.
        """
        self._use(variant)
        if variant.retrieve is not None and "E" not in arm:
            asking = Asking(prepared, variant, trial)
            self._engine.run(self._retrieval.prepare([asking]))
        request = self._planner.request(prepared, variant, trial=trial, arm=arm)
        urgency = Urgency.FIRST if arm == "first" else Urgency.AWAITED_PROBE
        return self._engine.run(self._engine.obtain(request, urgency))

    def confirm(
        self, items: Iterable[pytest.Item], variant: str, arm: Arm
    ) -> list[CaseResult]:
        """Return the results of a variant's cases when all are asked in an arm.

        Cases of which the arm cannot be asked, and calls that fail, are left out.
        """
        asked: list[tuple[EvalItem, Future[Told]]] = []
        for item in items:
            if not isinstance(item, EvalItem) or item.nodeid not in self._requests:
                continue
            if item.variant is None or item.variant.name != variant:
                continue
            try:
                request = self._planner.request(item.prepared, item.variant, arm=arm)
            except ArmUnavailableError:
                continue
            told = self._engine.submit(self._tell(request, item.prepared))
            asked.append((item, told))
        for _, future in asked:
            self._waiting.wait_for(future)
        return [_result(item, future) for item, future in asked]

    # -- the end ---------------------------------------------------------

    def totals(self) -> JsonObject:
        """Return what this process did, JSON-ready."""
        variants = list(self._variants.values())
        counts = self._engine.counts
        setups = self._setups.of(variants)
        if self._options.budget is not None and counts.unpriced:
            self.notes.append(
                f"--llm-budget could not watch {counts.unpriced} calls: their price"
                " is unknown"
            )
        return {
            **counts.to_dict(),
            "unasked": self._unasked,
            "notes": list(self.notes),
            "selection": list(dict.fromkeys(variant.name for variant in variants)),
            "changes": {
                variant.name: list(differences(variants[0], variant))
                for variant in variants
            },
            "setups": {name: setup.to_dict() for name, setup in setups.items()},
            "given": [one.to_dict() for one in given(variants)],
        }

    def halt(self) -> None:
        """Let no further call begin."""
        self._engine.refuse_new_calls()

    def finish(self) -> None:
        """End the engine; what fails is noted."""
        try:
            self._engine.stop()
            self._retrieval.close()
        except DiagnosisError as error:
            self.notes.append(str(error))

    def recorded(self, root: Path) -> dict[str, list[str]]:
        """Return what is to be recorded, by file relative to `root`."""
        return recorded_by_file(self._asked, self._known.__getitem__, root)

    def _keep(self, request: Request, answer: Answer) -> None:
        if self._options.record:
            self._asked.append(Entry(request, answer))


def _outcome(future: Future[Told]) -> Told | ModelError:
    try:
        return future.result()
    except ModelError as error:
        return error


def _result(item: EvalItem, future: Future[Told]) -> CaseResult:
    trial = item.trial(_outcome(future))
    variant = item.variant.name if item.variant else ""
    return case_result(
        item.prepared,
        [trial],
        nodeid=item.nodeid,
        variant=variant,
        pass_at=1,
        top_k=item.top_k,
    )
