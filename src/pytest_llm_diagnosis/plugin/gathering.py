"""Results and totals of all processes, gathered where the report is made."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

from pytest_llm_diagnosis.diagnosis import (
    Confirmation,
    advised_arm,
    compare,
    diagnose,
    enough_probed,
)
from pytest_llm_diagnosis.probing import Probed
from pytest_llm_diagnosis.records import Arm, CaseResult, JsonObject, RunFacts
from pytest_llm_diagnosis.report.view import View

from .options import RunOptions


class Gathered:
    """What is known of the run so far."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self.results: dict[str, CaseResult] = {}
        self._totals: list[JsonObject] = []
        self._probed: list[Probed] = []
        self._confirmations: list[Confirmation] = []
        self.interrupted = False

    def add(self, result: CaseResult) -> None:
        """Keep a result; one of a rerun replaces the earlier one."""
        self.results[result.nodeid] = result

    def take(self, handed_over: JsonObject) -> None:
        """Keep what one process knows as a whole: its totals and its findings."""
        self._totals.append(cast("JsonObject", handed_over["totals"]))
        found = cast("list[JsonObject]", handed_over["probed"])
        self._probed += map(Probed.from_dict, found)

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

    def _chosen(self) -> Iterator[Probed]:
        """Yield the findings that count: in order of rank, until they settle it.

        xdist workers probe more, since none of them sees all results; one
        process and several thus come to the same diagnosis.
        """
        by_variant: dict[str, list[Probed]] = defaultdict(list)
        for one in sorted(self._probed, key=lambda probed: probed.rank):
            by_variant[one.variant].append(one)
        for ranked in by_variant.values():
            for number in range(1, min(len(ranked), self._options.probe_max) + 1):
                yield ranked[number - 1]
                if self.settled_by(ranked[:number]):
                    break

    def advice(self, probed: Sequence[Probed]) -> Iterator[tuple[str, Arm]]:
        """Yield the fix that each probed variant's verdict names, as an arm."""
        results = tuple(self._with(probed))
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
        results = tuple(sorted(self._with(self._chosen()), key=self._place()))
        changes: dict[str, list[str]] = {}
        for totals in self._totals:
            changes |= cast("dict[str, list[str]]", totals["changes"])
        diagnosis = diagnose(
            results,
            seed=self._options.seed,
            changes=changes,
            selected=any(totals["selected"] for totals in self._totals),
        )
        return View(
            run=self._run_facts(),
            results=results,
            diagnosis=diagnosis,
            confirmations=tuple(self._confirmations),
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
            calls=int(self._sum("calls")),
            probe_calls=int(self._sum("probe_calls")),
            stored=int(self._sum("stored")),
            retries=int(self._sum("retries")),
            waited=self._sum("waited"),
            usd=self._usd(),
            interrupted=self.interrupted,
            notes=tuple(dict.fromkeys(notes)),
        )

    def _selection(self) -> tuple[str, ...]:
        """Return the variants in the order in which they were selected."""
        names = (cast("list[str]", totals["selection"]) for totals in self._totals)
        return tuple(dict.fromkeys(name for group in names for name in group))

    def _place(self) -> Callable[[CaseResult], tuple[int, str, int]]:
        """Return the order of results: workers report them in any order."""
        ranks = {name: rank for rank, name in enumerate(self._selection())}

        def place(result: CaseResult) -> tuple[int, str, int]:
            return ranks.get(result.variant, len(ranks)), result.file, result.line

        return place

    def _usd(self) -> float | None:
        """Return the known cost; None when calls were paid and none had a price."""
        paid = self._sum("calls") - self._sum("failed")
        if paid and self._sum("unpriced") >= paid:
            return None
        return self._sum("usd")

    def _sum(self, name: str) -> float:
        return sum(cast("float", totals[name]) for totals in self._totals)
