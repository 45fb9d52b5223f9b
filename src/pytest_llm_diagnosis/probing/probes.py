"""The probes of a run: which failing cases are asked again, and when.

A failing case is probed as soon as it is certain to be among the most that may
be: all cases of a variant are ranked before the first one runs, so the choice
does not depend on which answers come first, nor on how many processes share
the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import cast

from pytest_llm_diagnosis.checks.protocol import needs_form
from pytest_llm_diagnosis.engine import Engine, Urgency
from pytest_llm_diagnosis.errors import (
    DiagnosisError,
    ModelError,
    NotAskedError,
    ReplayMissError,
)
from pytest_llm_diagnosis.grading import grade
from pytest_llm_diagnosis.inquiries import Inquirer
from pytest_llm_diagnosis.records import (
    Arm,
    CaseResult,
    Finding,
    Json,
    JsonObject,
    Trial,
    Variant,
    message_text,
)
from pytest_llm_diagnosis.requests import Prepared, RequestPlanner
from pytest_llm_diagnosis.retrieval import retrieved

from .interview import Asker
from .search import find_cause
from .situation import (
    ProbeMode,
    Reply,
    Situation,
    failed_reply,
    graded_reply,
    is_costume,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A case that failed under a variant, with what is needed to ask again."""

    prepared: Prepared
    variant: Variant
    result: CaseResult

    @property
    def trial(self) -> Trial:
        """The most recent failing trial."""
        failed = [t for t in self.result.trials if t.grade.all_passed is False]
        return failed[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What was found out about a failing case, and its rank in its variant."""

    nodeid: str
    variant: str
    rank: int
    finding: Finding
    costume: bool

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "nodeid": self.nodeid,
            "variant": self.variant,
            "rank": self.rank,
            "finding": self.finding.to_dict(),
            "costume": self.costume,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Probed:
        """Return the record that `to_dict` described."""
        return cls(
            nodeid=str(data["nodeid"]),
            variant=str(data["variant"]),
            rank=cast("int", data["rank"]),
            finding=Finding.from_dict(cast("JsonObject", data["finding"])),
            costume=bool(data["costume"]),
        )


Settles = Callable[[Sequence[Probed]], bool]
"""Whether what was found so far, in order of rank, settles the verdict."""


class Probes:
    """Finds the causes of a variant's failing cases, behind the first answers.

    `ranks` gives every planned case its place, from 0; at most `limit` failing
    cases are probed, in that order.
    """

    def __init__(
        self,
        engine: Engine,
        planner: RequestPlanner,
        *,
        mode: ProbeMode,
        limit: int,
        ranks: Mapping[str, int],
        inquirer: Inquirer,
    ) -> None:
        self._engine = engine
        self._planner = planner
        self._inquirer = inquirer
        self._mode = mode
        self._limit = limit
        self._ranks = ranks
        self._failing: dict[str, Failing] = {}
        self._searches: dict[str, Future[Finding]] = {}

    def rank(self, nodeid: str) -> int | None:
        """Return the place of a planned case, None if it is not one of them."""
        return self._ranks.get(nodeid)

    def add(self, failing: Failing) -> None:
        """Take a failing case; probe it now if it is certain to be chosen."""
        nodeid = failing.result.nodeid
        self._failing[nodeid] = failing
        if self._ranks[nodeid] < self._limit:
            self._search(nodeid)

    def failing(self) -> list[int]:
        """Return the lowest ranks that fail, as many as may be chosen."""
        return sorted(self._ranks[nodeid] for nodeid in self._failing)[: self._limit]

    async def finish(
        self, settles: Settles, others: Iterable[int] = ()
    ) -> tuple[list[Probed], list[str]]:
        """Return what was found, in order of rank, and why others were not probed.

        `others` are the ranks of cases that fail in other processes: they leave
        the fewer to be chosen here.  Ends early once the cases so far, in their
        order, settle the verdict; what was asked beyond them is dropped, so that
        the result does not depend on how fast the answers came.
        """
        ranks = sorted({*self.failing(), *others})[: self._limit]
        of_rank = {self._ranks[nodeid]: nodeid for nodeid in self._failing}
        chosen = [of_rank[rank] for rank in ranks if rank in of_rank]
        searches = {nodeid: self._search(nodeid) for nodeid in chosen}
        found: list[Probed] = []
        refused: list[str] = []
        for nodeid in chosen:
            try:
                finding = await asyncio.wrap_future(searches[nodeid])
            except DiagnosisError as error:
                refused.append(str(error))
                continue
            found.append(self._probed(nodeid, finding))
            if settles(found):
                break
        for search in searches.values():
            search.cancel()
        return found, refused

    def finished(self) -> list[Probed]:
        """Return what was found so far, in order of rank, without waiting."""
        done = [
            nodeid
            for nodeid, search in self._searches.items()
            if search.done() and not search.cancelled() and not search.exception()
        ]
        return [
            self._probed(nodeid, self._searches[nodeid].result())
            for nodeid in sorted(done, key=self._ranks.__getitem__)
        ]

    def _probed(self, nodeid: str, finding: Finding) -> Probed:
        failing = self._failing[nodeid]
        return Probed(
            nodeid=nodeid,
            variant=failing.variant.name,
            rank=self._ranks[nodeid],
            finding=finding,
            costume=is_costume(failing.result.mark, failing.trial.grade, finding),
        )

    def _search(self, nodeid: str) -> Future[Finding]:
        if nodeid not in self._searches:
            failing = self._failing[nodeid]
            search = find_cause(situation_of(failing), self._asker(failing), self._mode)
            self._searches[nodeid] = self._engine.submit(search)
        return self._searches[nodeid]

    def _asker(self, failing: Failing) -> Asker:
        async def ask(arm: Arm, number: int) -> Reply:
            request = self._planner.request(
                failing.prepared, failing.variant, trial=number, arm=arm
            )
            try:
                answer = await self._engine.obtain(request, Urgency.PROBE)
            except (NotAskedError, ReplayMissError):
                raise
            except ModelError as error:
                return failed_reply(error.message)
            prepared = failing.prepared
            said = await self._inquirer.replies(prepared, answer, Urgency.PROBE)
            graded = grade(answer, prepared.checks, said)
            return graded_reply(arm, graded, answer)

        return ask


def situation_of(failing: Failing) -> Situation:
    """Return what the search must know of a failing case."""
    case, checks, trial = failing.prepared.case, failing.prepared.checks, failing.trial
    facts = [check for check in checks if check.spec.dimension == "facts"]
    answer = trial.answer
    contexts = answer.contexts if answer else ()
    retrieving = bool(contexts) or failing.variant.retrieve is not None
    gold = retrieved(case.evidence, contexts, len(contexts)) if retrieving else None
    return Situation(
        first=graded_reply("first", trial.grade, answer),
        asks_facts=failing.result.asks_facts,
        abstains=any(spec.name == "abstains" for spec in case.facts),
        formed=any(map(needs_form, facts)),
        retrieving=retrieving,
        gold_retrieved=None if gold is None else gold.rank is not None,
        ideal_text=case.ideal.text if case.ideal else None,
        question=message_text(case.messages[-1]),
    )
