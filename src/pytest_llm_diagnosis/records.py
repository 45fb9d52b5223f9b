"""The vocabulary: frozen records that travel between the layers.

A record that leaves the process (to the store, a recording, an xdist
controller or `report.json`) has its dict round trip beside it: `to_dict` gives
JSON-ready values and `from_dict` gives an equal record back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias, cast

from .errors import Location

Json: TypeAlias = (
    "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
)
JsonObject: TypeAlias = Mapping[str, Json]
Message: TypeAlias = JsonObject
"""A chat turn as providers take it: `role`, `content`, perhaps `tool_calls`."""

Mark: TypeAlias = Literal["knowledge", "behavior"]
Dimension: TypeAlias = Literal["facts", "form", "limits"]
Outcome: TypeAlias = Literal["passed", "failed", "error", "skipped"]
Kind: TypeAlias = Literal[
    "prompt", "examples", "retrieval", "long_context", "weights", "app"
]
Arm: TypeAlias = Literal["first", "R", "F", "S", "X", "E", "EF", "ES", "EX"]
Cause: TypeAlias = Literal[
    "unstable",
    "knowledge",
    "instruction",
    "examples",
    "behavior",
    "both",
    "unexplained",
    "check_suspect",
    "infrastructure",
]
Rung: TypeAlias = Literal["instruction", "examples", "behavior"]
VariantKey: TypeAlias = tuple[str, str]
"""A variants file and a name in it."""

_NOT_PROBED: JsonObject = {
    "cause": None,
    "rung": None,
    "probability": None,
    "arms": {},
    "untested": [],
    "note": None,
}

MARKS: tuple[Mark, ...] = ("knowledge", "behavior")
DIMENSIONS: tuple[Dimension, ...] = ("facts", "form", "limits")


# -- what the user wrote ---------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One check as written: its name, its parameters, and where it stands.

    `folder` is where relative files in the parameters are looked up; `root` is
    the folder that no file may leave.
    """

    name: str
    params: Json
    dimension: Dimension
    location: Location
    folder: Path
    root: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a document; `id` is `path#slug`, unique in its suite."""

    id: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call the model asks for; `arguments` stays text when it is not JSON."""

    name: str
    arguments: JsonObject | str

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {"name": self.name, "arguments": self.arguments}

    @classmethod
    def from_dict(cls, data: JsonObject) -> ToolCall:
        """Return the record that `to_dict` described."""
        return cls(
            name=str(data["name"]),
            arguments=cast("JsonObject | str", data["arguments"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ideal:
    """A reference answer: text, or the tool calls a good answer makes."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input with its checks, as an eval file states it.

    `messages` holds the conversation without the system prompt.  `line` and
    `ideal_line` count from 1.  A case passes when all its checks pass in
    `pass_at` of `trials` trials.  `skip` and `xfail` hold the reason.
    """

    id: str
    mark: Mark
    path: Path
    line: int
    messages: tuple[Message, ...]
    system: str | None = None
    evidence: tuple[Passage, ...] = ()
    facts: tuple[CheckSpec, ...] = ()
    form: tuple[CheckSpec, ...] = ()
    limits: tuple[CheckSpec, ...] = ()
    instruction: str | None = None
    ideal: Ideal | None = None
    ideal_line: int = 0
    cluster: str | None = None
    tools: tuple[JsonObject, ...] = ()
    params: JsonObject = field(default_factory=dict)
    trials: int = 1
    pass_at: int = 1
    critical: bool = False
    skip: str | None = None
    xfail: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def location(self) -> Location:
        """Where the case begins."""
        return Location(path=self.path, line=self.line)

    @property
    def checks(self) -> tuple[CheckSpec, ...]:
        """All checks: facts, then form, then limits."""
        return self.facts + self.form + self.limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a model answers and with which settings."""

    model: str
    api_base: str | None = None
    api_key: str | None = None
    params: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieve:
    """Which documents a variant searches, and how many passages it shows."""

    documents: tuple[Path, ...]
    top_k: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Shown examples: `count` ideal answers of other cases, or fixed turns."""

    count: int = 0
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A named model with its settings and what it is given.

    `written` is the endpoint as the file states it, `${NAME}` unfilled: it goes
    into keys and recordings, so neither secrets nor ports do.  `live` is the
    endpoint to call, filled from the environment; it is None for a `call:`
    variant and when replaying.  `call` is `module:attribute`, `script` a file of
    scripted answers.  `context` is the text of a whole corpus.
    """

    name: str
    location: Location
    kind: Kind
    written: Endpoint | None = None
    live: Endpoint | None = field(default=None, repr=False)
    call: str | None = None
    script: Path | None = None
    system: str | None = None
    examples: Examples | None = None
    retrieve: Retrieve | None = None
    context: str | None = None
    revision: str | None = None
    max_concurrency: int | None = None

    @property
    def key(self) -> VariantKey:
        """What tells it apart from namesakes in other files."""
        return str(self.location.path), self.name


# -- what is asked and answered --------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A passage that was put before the model, with its rank score if any."""

    text: str
    source: str = ""
    score: float | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {"text": self.text, "source": self.source, "score": self.score}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Context:
        """Return the record that `to_dict` described."""
        return cls(
            text=str(data["text"]),
            source=str(data.get("source", "")),
            score=cast("float | None", data.get("score")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One planned call.

    `case` is the node id without the variant, `variant` a name.  `trial` counts
    from 0 within its `arm`.  `contexts` are the passages already inside
    `messages`, kept to be reported.  `key` identifies the call in the store.
    `variants_file` tells variants of one name in two files apart.
    """

    key: str
    case: str
    variant: str
    messages: tuple[Message, ...]
    tools: tuple[JsonObject, ...] = ()
    params: JsonObject = field(default_factory=dict)
    trial: int = 0
    arm: Arm = "first"
    contexts: tuple[Context, ...] = ()
    variants_file: str = ""

    @property
    def asks(self) -> VariantKey:
        """Whom it asks: the variant, told apart from namesakes in other files."""
        return self.variants_file, self.variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts of one call; `cached` is the part of `prompt` not paid anew."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "prompt": self.prompt,
            "completion": self.completion,
            "cached": self.cached,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Tokens:
        """Return the record that `to_dict` described."""
        return cls(**{name: int(cast("int", count)) for name, count in data.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.  Unknown is None: `usd` is never 0 for an unknown price.

    `seconds` is the wall time of the paid call, retries excluded.  `stored`
    says that no call was made for it in this run.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    contexts: tuple[Context, ...] = ()
    tokens: Tokens | None = None
    usd: float | None = None
    seconds: float | None = None
    finish_reason: str | None = None
    stored: bool = False

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict; `stored` belongs to a run, so it is left out."""
        return {
            "text": self.text,
            "tool_calls": [call.to_dict() for call in self.tool_calls],
            "contexts": [context.to_dict() for context in self.contexts],
            "tokens": self.tokens.to_dict() if self.tokens else None,
            "usd": self.usd,
            "seconds": self.seconds,
            "finish_reason": self.finish_reason,
        }

    @classmethod
    def from_dict(cls, data: JsonObject, *, stored: bool = False) -> Answer:
        """Return the record that `to_dict` described."""
        tokens = cast("JsonObject | None", data.get("tokens"))
        return cls(
            text=str(data["text"]),
            tool_calls=tuple(map(ToolCall.from_dict, _objects(data, "tool_calls"))),
            contexts=tuple(map(Context.from_dict, _objects(data, "contexts"))),
            tokens=Tokens.from_dict(tokens) if tokens else None,
            usd=cast("float | None", data.get("usd")),
            seconds=cast("float | None", data.get("seconds")),
            finish_reason=cast("str | None", data.get("finish_reason")),
            stored=stored,
        )


# -- what was found --------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A check's result.  `passed` is None when the check could not decide.

    `code` is machine-readable (`number:missing`), None when passed; `reason`
    shows what was found.
    """

    check: str
    passed: bool | None
    code: str | None = None
    reason: str = ""

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "check": self.check,
            "passed": self.passed,
            "code": self.code,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Verdict:
        """Return the record that `to_dict` described."""
        return cls(
            check=str(data["check"]),
            passed=cast("bool | None", data["passed"]),
            code=cast("str | None", data.get("code")),
            reason=str(data.get("reason", "")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """The verdicts on one answer, by dimension."""

    facts: tuple[Verdict, ...] = ()
    form: tuple[Verdict, ...] = ()
    limits: tuple[Verdict, ...] = ()

    def passed(self, dimension: Dimension) -> bool | None:
        """Return whether all checks of a dimension passed; None without a verdict.

        One failed check fails the dimension.  Otherwise an undecided one makes
        it undecided, as does having no check at all.
        """
        results = [verdict.passed for verdict in getattr(self, dimension)]
        if False in results:
            return False
        return None if None in results or not results else True

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All verdicts: facts, then form, then limits."""
        return self.facts + self.form + self.limits

    @property
    def all_passed(self) -> bool | None:
        """Whether everything passed; None if nothing failed but some is undecided."""
        results = [verdict.passed for verdict in self.verdicts]
        if False in results:
            return False
        return None if None in results or not results else True

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            dimension: [verdict.to_dict() for verdict in getattr(self, dimension)]
            for dimension in DIMENSIONS
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Grade:
        """Return the record that `to_dict` described."""
        return cls(
            **{
                dimension: tuple(map(Verdict.from_dict, _objects(data, dimension)))
                for dimension in DIMENSIONS
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One repetition of case x variant: an answer with its grade, or an error."""

    answer: Answer | None = None
    grade: Grade = field(default_factory=Grade)
    error: str | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return the flat JSON-ready dict that `report.json` shows."""
        answer: dict[str, Json] = {}
        if self.answer is not None:
            answer = {**self.answer.to_dict(), "stored": self.answer.stored}
        return {**answer, **self.grade.to_dict(), "error": self.error}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Trial:
        """Return the record that `to_dict` described."""
        answered = "text" in data
        return cls(
            answer=Answer.from_dict(data, stored=bool(data.get("stored")))
            if answered
            else None,
            grade=Grade.from_dict(data),
            error=cast("str | None", data.get("error")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What one graded call of an arm showed; None where there was nothing to see.

    `error` marks a call that failed after its retries.
    """

    facts: bool | None = None
    form: bool | None = None
    error: bool = False

    @property
    def passed(self) -> bool:
        """Whether everything there was to see passed."""
        seen = [bit for bit in (self.facts, self.form) if bit is not None]
        return bool(seen) and all(seen)

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        data: dict[str, Json] = {"facts": self.facts, "form": self.form}
        return {**data, "error": True} if self.error else data

    @classmethod
    def from_dict(cls, data: JsonObject) -> Ask:
        """Return the record that `to_dict` described."""
        return cls(
            facts=cast("bool | None", data.get("facts")),
            form=cast("bool | None", data.get("form")),
            error=bool(data.get("error", False)),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Why one case fails, with every ask that says so.

    `rung` names the form fix of a `both` cause.  `probability` is that of the
    cause given the asks, None where it follows from none.  `untested` lists
    arms that could not be asked.  `note` is a detail for a person.
    """

    cause: Cause
    rung: Rung | None = None
    probability: float | None = None
    arms: Mapping[str, tuple[Ask, ...]] = field(default_factory=dict)
    untested: tuple[str, ...] = ()
    note: str | None = None

    @property
    def calls(self) -> int:
        """How many extra calls the finding took."""
        return sum(len(asks) for asks in self.arms.values())

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "cause": self.cause,
            "rung": self.rung,
            "probability": self.probability,
            "arms": {
                arm: [ask.to_dict() for ask in asks] for arm, asks in self.arms.items()
            },
            "untested": list(self.untested),
            "note": self.note,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Finding:
        """Return the record that `to_dict` described."""
        arms = cast("Mapping[str, Sequence[JsonObject]]", data.get("arms", {}))
        return cls(
            cause=cast("Cause", data["cause"]),
            rung=cast("Rung | None", data.get("rung")),
            probability=cast("float | None", data.get("probability")),
            arms={arm: tuple(map(Ask.from_dict, asks)) for arm, asks in arms.items()},
            untested=tuple(cast("Sequence[str]", data.get("untested", ()))),
            note=cast("str | None", data.get("note")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResult:
    """Everything a run knows of one case under one variant.

    `asks_facts` says that lack of knowledge can fail the case (a fact check or
    a passage), `asks_form` that its form can: they are the denominators of the
    diagnosis.  `message` explains an error or a skip.
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
    finding: Finding | None = None
    costume: bool = False
    message: str | None = None

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
            **(finding.to_dict() if finding else _NOT_PROBED),
            "message": self.message,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> CaseResult:
        """Return the record that `to_dict` described."""
        return cls(
            nodeid=str(data["nodeid"]),
            file=str(data["file"]),
            line=cast("int", data["line"]),
            id=str(data["id"]),
            mark=cast("Mark", data["mark"]),
            variant=str(data["variant"]),
            outcome=cast("Outcome", data["outcome"]),
            trials=tuple(map(Trial.from_dict, _objects(data, "trials"))),
            cluster=str(data.get("cluster", "")),
            asks_facts=bool(data.get("asks_facts", False)),
            asks_form=bool(data.get("asks_form", False)),
            critical=bool(data.get("critical", False)),
            pass_at=cast("int", data.get("pass_at", 1)),
            finding=Finding.from_dict(data) if data.get("cause") else None,
            costume=bool(data.get("costume", False)),
            message=cast("str | None", data.get("message")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """How a run was made, and what it cost.

    `started` is ISO 8601 in UTC; `selection` the variants in their order.
    `usd` sums the known prices and is None when no price was known although
    calls were paid.  `waited` is in seconds.  `notes` are said to the reader.
    """

    seed: int
    started: str
    selection: tuple[str, ...] = ()
    calls: int = 0
    probe_calls: int = 0
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
            "calls": self.calls,
            "probe_calls": self.probe_calls,
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
        return cls(
            seed=cast("int", data["seed"]),
            started=str(data["started"]),
            selection=tuple(selection.split(",")) if selection else (),
            calls=cast("int", data.get("calls", 0)),
            probe_calls=cast("int", data.get("probe_calls", 0)),
            stored=cast("int", data.get("stored", 0)),
            retries=cast("int", data.get("retries", 0)),
            waited=cast("float", data.get("waited", 0.0)),
            usd=cast("float | None", data.get("usd")),
            interrupted=bool(data.get("interrupted", False)),
            notes=tuple(cast("Sequence[str]", data.get("notes", ()))),
        )


def message_text(message: Message) -> str:
    """Return a turn's text; the texts of content blocks are joined by lines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        blocks = [block for block in content if isinstance(block, Mapping)]
        return "\n".join(str(block.get("text", "")) for block in blocks)
    return ""


def _objects(data: JsonObject, name: str) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", data.get(name) or ())
