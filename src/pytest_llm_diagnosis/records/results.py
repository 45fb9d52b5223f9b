"""What a run knows of its cases, and of itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from .graded import Trial
from .probed import Finding
from .shards import Shard
from .terms import Json, JsonObject, Mark, Message, Outcome, objects
from .written import Ideal

_NOT_PROBED: JsonObject = {
    "cause": None,
    "rung": None,
    "probability": None,
    "arms": {},
    "untested": [],
    "note": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieved:
    """Whether a case's gold passages were among those that were shown.

    `k` passages were asked for; `rank` is the place of the first gold one, from 1,
    None where none was shown.  Of `gold` passages `found` were shown.
    """

    k: int
    rank: int | None = None
    found: int = 0
    gold: int = 1

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "k": self.k,
            "rank": self.rank,
            "found": self.found,
            "gold": self.gold,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Retrieved:
        """Return the record that `to_dict` described."""
        return cls(
            k=cast("int", data["k"]),
            rank=cast("int | None", data["rank"]),
            found=cast("int", data["found"]),
            gold=cast("int", data["gold"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """Everything a run knows of one case under one variant.

    `asks_facts` says that lack of knowledge can fail the case (a fact check or
    a passage), `asks_form` that its form can: they are the denominators of the
    diagnosis.  `rank` is the place of a failing case that may be probed among all
    cases of its variant, from 0.  `retrieved` is None where nothing is retrieved or
    the case has no gold passage.  `message` explains an error or a skip.
    `messages` is the conversation as the case states it, `ideal` its reference
    answer: what a variant adds stands in neither.
    """

    nodeid: str
    file: str
    line: int
    id: str
    mark: Mark
    variant: str
    outcome: Outcome
    trials: tuple[Trial, ...] = ()
    cluster: str = ""
    asks_facts: bool = False
    asks_form: bool = False
    critical: bool = False
    pass_at: int = 1
    rank: int | None = None
    retrieved: Retrieved | None = None
    finding: Finding | None = None
    costume: bool = False
    message: str | None = None
    messages: tuple[Message, ...] = ()
    ideal: Ideal | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON-ready dict that `report.json` shows."""
        finding = self.finding
        return {
            "nodeid": self.nodeid,
            "file": self.file,
            "line": self.line,
            "id": self.id,
            "mark": self.mark,
            "variant": self.variant,
            "cluster": self.cluster,
            "outcome": self.outcome,
            "critical": self.critical,
            "pass_at": self.pass_at,
            "asks_facts": self.asks_facts,
            "asks_form": self.asks_form,
            "trials": [trial.to_dict() for trial in self.trials],
            "costume": self.costume,
            "rank": self.rank,
            "retrieved": self.retrieved.to_dict() if self.retrieved else None,
            **(finding.to_dict() if finding else _NOT_PROBED),
            "message": self.message,
            "messages": [dict(message) for message in self.messages],
            "ideal": self.ideal.to_dict() if self.ideal else None,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> CaseResult:
        """Return the record that `to_dict` described."""
        ideal = cast("JsonObject | None", data.get("ideal"))
        return cls(
            nodeid=str(data["nodeid"]),
            file=str(data["file"]),
            line=cast("int", data["line"]),
            id=str(data["id"]),
            mark=cast("Mark", data["mark"]),
            variant=str(data["variant"]),
            outcome=cast("Outcome", data["outcome"]),
            trials=tuple(map(Trial.from_dict, objects(data, "trials"))),
            cluster=str(data.get("cluster", "")),
            asks_facts=bool(data.get("asks_facts", False)),
            asks_form=bool(data.get("asks_form", False)),
            critical=bool(data.get("critical", False)),
            pass_at=cast("int", data.get("pass_at", 1)),
            rank=cast("int | None", data.get("rank")),
            retrieved=_retrieved(data),
            finding=Finding.from_dict(data) if data.get("cause") else None,
            costume=bool(data.get("costume", False)),
            message=cast("str | None", data.get("message")),
            messages=tuple(objects(data, "messages")),
            ideal=Ideal.from_dict(ideal) if ideal else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """How a run was made, and what it cost.

    `started` is ISO 8601 in UTC; `selection` the variants in their order.
    `usd` sums the known prices and is None when no price was known although
    calls were paid.  `check_calls` are those of the calls that checks made: judges,
    embeddings; `retrieval_calls` those of retrieval.  `unasked` cases were left out
    because a budget was spent.  `waited` is in seconds.  `notes` are said to the
    reader.

    `probe` is the mode, `probe_max` the most failures probed a variant, None
    where a report does not say.  `shard` is None in a run of all cases; `suite`
    tells whether two shards are of the same cases.
    """

    seed: int
    started: str
    selection: tuple[str, ...] = ()
    probe: str = ""
    probe_max: int | None = None
    shard: Shard | None = None
    suite: str = ""
    calls: int = 0
    probe_calls: int = 0
    check_calls: int = 0
    retrieval_calls: int = 0
    unasked: int = 0
    stored: int = 0
    retries: int = 0
    waited: float = 0.0
    usd: float | None = None
    interrupted: bool = False
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Json]:
        """Return the JSON-ready dict that `report.json` shows under `run`."""
        return {
            "seed": self.seed,
            "started": self.started,
            "selection": ",".join(self.selection),
            "probe": self.probe,
            "probe_max": self.probe_max,
            "shard": None if self.shard is None else str(self.shard),
            "suite": self.suite,
            "calls": self.calls,
            "probe_calls": self.probe_calls,
            "check_calls": self.check_calls,
            "retrieval_calls": self.retrieval_calls,
            "unasked": self.unasked,
            "stored": self.stored,
            "retries": self.retries,
            "waited": self.waited,
            "usd": self.usd,
            "interrupted": self.interrupted,
            "notes": list(self.notes),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> RunFacts:
        """Return the record that `to_dict` described."""
        selection = str(data.get("selection", ""))
        shard = data.get("shard")
        return cls(
            seed=cast("int", data["seed"]),
            started=str(data["started"]),
            selection=tuple(selection.split(",")) if selection else (),
            probe=str(data.get("probe", "")),
            probe_max=cast("int | None", data.get("probe_max")),
            shard=None if shard is None else Shard.parse(str(shard)),
            suite=str(data.get("suite", "")),
            calls=cast("int", data.get("calls", 0)),
            probe_calls=cast("int", data.get("probe_calls", 0)),
            check_calls=cast("int", data.get("check_calls", 0)),
            retrieval_calls=cast("int", data.get("retrieval_calls", 0)),
            unasked=cast("int", data.get("unasked", 0)),
            stored=cast("int", data.get("stored", 0)),
            retries=cast("int", data.get("retries", 0)),
            waited=cast("float", data.get("waited", 0.0)),
            usd=cast("float | None", data.get("usd")),
            interrupted=bool(data.get("interrupted", False)),
            notes=tuple(cast("Sequence[str]", data.get("notes", ()))),
        )


def _retrieved(data: JsonObject) -> Retrieved | None:
    stated = cast("JsonObject | None", data.get("retrieved"))
    return Retrieved.from_dict(stated) if stated else None
