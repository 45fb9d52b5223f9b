"""What the user wrote: cases, checks, variants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.errors import Location

from .terms import (
    Access,
    Changes,
    Dimension,
    Json,
    JsonObject,
    Kind,
    Lane,
    Mark,
    Message,
    Search,
    VariantKey,
    objects,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSpec:
    """One check as written: its name, its parameters, and where it stands.

    `folder` is where relative files in the parameters are looked up; `root` is
    the folder that no file may leave.  `loose` is whether a line before or after
    the answer, and stars in it, are forgiven.
    """

    name: str
    params: Json
    dimension: Dimension
    location: Location
    folder: Path
    root: Path
    loose: bool = False


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

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        calls: list[Json] = [call.to_dict() for call in self.tool_calls]
        return {"text": self.text, "tool_calls": calls}

    @classmethod
    def from_dict(cls, data: JsonObject) -> Ideal:
        """Return the record that `to_dict` described."""
        return cls(
            text=str(data["text"]),
            tool_calls=tuple(map(ToolCall.from_dict, objects(data, "tool_calls"))),
        )


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
class Application:
    """A team's own application: where it is called, and what goes with each call.

    `target` is `module:attribute`, or the URL that requests are posted to with
    `headers`.
    """

    target: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: JsonObject = field(default_factory=dict)


def is_remote(call: str | None) -> bool:
    """Whether `call:` names a URL; a `${NAME}` may stand for its beginning."""
    return (call or "").startswith(("http:", "https:", "${"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """How long sections are cut: pieces of `words`, the last `overlap` repeated."""

    words: int
    overlap: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Embeddings:
    """What turns texts into vectors: an endpoint, a callable or a local model.

    `written` is the endpoint as the file states it, `live` as it is called, None
    when replaying.  `call` is `module:attribute`, `local` the name of a model
    inside a Python package.  At most `batch` texts go into one call.
    """

    written: Endpoint | None = None
    live: Endpoint | None = field(default=None, repr=False)
    call: str | None = None
    local: str | None = None
    batch: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrieve:
    """What a variant searches, how, and how many passages it shows.

    `documents` are searched by their words (`text`), by `vectors` or by both
    (`hybrid`).  `store` are the settings of a vector store, `live_store` those
    filled from the environment, None when replaying.  `call` is the user's own
    retriever as `module:attribute`, `retriever` the name of a registered one with
    its `settings`.  `location` is where it is stated.
    """

    documents: tuple[Path, ...] = ()
    top_k: int = 3
    chunk: Chunk | None = None
    search: Search = "text"
    embeddings: Embeddings | None = None
    store: JsonObject | None = None
    live_store: JsonObject | None = field(default=None, repr=False)
    call: str | None = None
    retriever: str | None = None
    settings: JsonObject = field(default_factory=dict)
    location: Location | None = field(default=None, compare=False)

    @property
    def is_recorded(self) -> bool:
        """Whether a replay needs what was retrieved; words alone are searched anew."""
        return self.search != "text" or bool(self.call or self.retriever)


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """The documents of a variants file: what could be put before a model.

    `files` are those that it names under `documents`, else all that its variants
    name.  `access` and `changes` are what the user says of them.
    """

    files: tuple[Path, ...]
    access: Access = "open"
    changes: Changes = "rarely"


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
    variant and when replaying.  `call` is `module:attribute` or a URL, which gets
    `headers`; `params` are settings of an application's calls.  `live_app` is the
    same filled from the environment.  `script` is a file of scripted answers.
    `context` is the text of a whole corpus, `window` the most tokens that a prompt
    may have, where the file states it.  `lane` is the way to the endpoint where one
    is insisted on; both give the same answer, so it stands in no key.
    One that `compares` gives the cosine of two texts, and is only asked by checks;
    one that `embeds` gives vectors, one that `searches` passages, and both are only
    asked by retrieval.
    """

    name: str
    location: Location
    kind: Kind
    written: Endpoint | None = None
    live: Endpoint | None = field(default=None, repr=False)
    call: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    params: JsonObject = field(default_factory=dict)
    live_app: Application | None = field(default=None, repr=False)
    script: Path | None = None
    system: str | None = None
    examples: Examples | None = None
    retrieve: Retrieve | None = None
    context: str | None = None
    window: int | None = None
    revision: str | None = None
    max_concurrency: int | None = None
    compares: bool = False
    embeds: bool = False
    searches: bool = False
    lane: Lane | None = None

    @property
    def is_remote(self) -> bool:
        """Whether its application is asked over HTTP."""
        return is_remote(self.call)

    @property
    def key(self) -> VariantKey:
        """What tells it apart from namesakes in other files."""
        return str(self.location.path), self.name
