"""Results and totals of all processes, gathered where the report is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias, cast

from pytest_llm_diagnosis.diagnosis import (
    Confirmation,
    advised_arm,
    chosen,
    compare,
    diagnose,
    enough_probed,
)
from pytest_llm_diagnosis.probing import Probed
from pytest_llm_diagnosis.records import (
    Arm,
    CaseResult,
    Given,
    JsonObject,
    RunFacts,
    Setup,
    best_known,
)
from pytest_llm_diagnosis.report.view import View, in_order

from .options import RunOptions

SetupsTold: TypeAlias = Mapping[str, JsonObject]


class Gathered:
    """What is known of the run so far."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self.results: dict[str, CaseResult] = {}
        self._totals: list[JsonObject] = []
        self._probed: list[Probed] = []
        self._confirmations: list[Confirmation] = []
        self.interrupted = False
        self._lost = False
        self.notes: list[str] = []

    def add(self, result: CaseResult) -> None:
        """Keep a result; one of a rerun replaces the earlier one."""
        self.results[result.nodeid] = result

    def take(self, handed_over: JsonObject) -> None:
        """Keep what one process knows as a whole: its totals and its findings."""
        self._totals.append(cast("JsonObject", handed_over["totals"]))
        found = cast("list[JsonObject]", handed_over["probed"])
        self._probed += map(Probed.from_dict, found)

    def lose(self, worker: str) -> None:
        """Note that a worker's totals and findings are lost."""
        self._lost = True
        self.notes.append(f"worker {worker} ended before it could tell what it paid")

    @property
    def may_have_paid(self) -> bool:
        """Whether calls were paid, as far as can be known."""
        return self._lost or self.spent[0] > 0

    @property
    def elsewhere(self) -> bool:
        """Whether other shards have cases."""
        return any(totals["elsewhere"] for totals in self._totals)

    def settled_by(self, probed: Sequence[Probed]) -> bool:
        """Whether these findings of one variant settle its verdict."""
        variant = probed[0].variant
        results = [one for one in self._with(probed) if one.variant == variant]
        return enough_probed(results, self._options.seed)

    def _with(self, probed: Iterable[Probed]) -> Iterator[CaseResult]:
        """Yield the results, with what the probes found."""
        found = {one.nodeid: one for one in probed}
        for nodeid, result in self.results.items():
            if nodeid in found:
                one = found[nodeid]
                yield replace(result, finding=one.finding, costume=one.costume)
            else:
                yield result

    def _counted(self, found_now: Iterable[Probed] = ()) -> list[CaseResult]:
        """Return the results in order, with the findings that count.

        A shard keeps all that it found: what counts is seen when they are merged.
        """
        options = self._options
        found = self._with([*self._probed, *found_now])
        return chosen(
            in_order(found, self._selection()),
            limit=options.probe_max,
            seed=options.seed,
            until_settled=options.shard is None,
        )

    @property
    def spent(self) -> tuple[int, float]:
        """The calls, and the USD as far as known, of all processes so far."""
        return int(self._sum("calls")), self._sum("usd")

    def advice(self, probed: Sequence[Probed] = ()) -> Iterator[tuple[str, Arm]]:
        """Yield the fix that each probed variant's verdict names, as an arm."""
        results = self._counted(probed)
        for variant in diagnose(results, seed=self._options.seed).variants:
            arm = advised_arm(variant)
            if arm is not None:
                yield variant.name, arm

    def confirm(self, variant: str, arm: Arm, results: Sequence[CaseResult]) -> None:
        """Keep what a full run under a fix changed."""
        before = [one for one in self.results.values() if one.variant == variant]
        change = compare(before, results)
        self._confirmations.append(
            Confirmation(variant=variant, arm=arm, change=change)
        )

    def view(self) -> View:
        """Return the results, the run's facts and the diagnosis."""
        results = tuple(self._counted())
        changes: dict[str, list[str]] = {}
        for totals in self._totals:
            changes |= cast("dict[str, list[str]]", totals["changes"])
        diagnosis = diagnose(
            results,
            seed=self._options.seed,
            changes=changes,
            given=Given.joined(
                map(Given.from_dict, cast("list[JsonObject]", totals["given"]))
                for totals in self._totals
            ),
            selected=any(totals["selected"] for totals in self._totals),
            probing=self._options.probe != "off",
            setups=self._setups(),
        )
        return View(
            run=self._run_facts(),
            results=results,
            diagnosis=diagnosis,
            confirmations=tuple(self._confirmations),
        )

    def _setups(self) -> dict[str, Setup]:
        """Return how the variants are set up, by the process that knows most.

        Only the process that made a variant's first call has heard its server.
        """
        told = (cast("SetupsTold", totals["setups"]) for totals in self._totals)
        return best_known(
            (name, Setup.from_dict(data)) for one in told for name, data in one.items()
        )

    def _run_facts(self) -> RunFacts:
        started = datetime.fromtimestamp(self._options.started, tz=UTC)
        notes = (
            note
            for totals in self._totals
            for note in cast("list[str]", totals["notes"])
        )
        return RunFacts(
            seed=self._options.seed,
            started=started.isoformat(timespec="seconds"),
            selection=self._selection(),
            probe=self._options.probe,
            probe_max=self._options.probe_max,
            shard=self._options.shard,
            suite=self._suite(),
            calls=int(self._sum("calls")),
            probe_calls=int(self._sum("probe_calls")),
            check_calls=int(self._sum("check_calls")),
            retrieval_calls=int(self._sum("retrieval_calls")),
            unasked=int(self._sum("unasked")),
            stored=int(self._sum("stored")),
            retries=int(self._sum("retries")),
            waited=self._sum("waited"),
            usd=self._usd(),
            interrupted=self.interrupted,
            notes=tuple(dict.fromkeys([*notes, *self.notes])),
        )

    def _suite(self) -> str:
        digests = (cast("str", totals["suite"]) for totals in self._totals)
        return next(filter(None, digests), "")

    def _selection(self) -> tuple[str, ...]:
        """Return the variants in the order in which they were selected."""
        names = (cast("list[str]", totals["selection"]) for totals in self._totals)
        return tuple(dict.fromkeys(name for group in names for name in group))

    def _usd(self) -> float | None:
        """Return the known cost; None when calls may be paid and none had a price."""
        paid = self._sum("calls") - self._sum("failed")
        if (paid or self._lost) and self._sum("unpriced") >= paid:
            return None
        return self._sum("usd")

    def _sum(self, name: str) -> float:
        return sum(cast("float", totals[name]) for totals in self._totals)
