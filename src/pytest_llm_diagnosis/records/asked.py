"""What is asked and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, cast

from .terms import Arm, Json, JsonObject, Message, VariantKey, objects
from .written import ToolCall


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
    `variants_file` tells variants of one name in two files apart.  `endpoint` is
    what answers, as the variants file states it, for a recording's reader.
    `inquires` says that a check asks it, `retrieves` that retrieval does, and not
    the run.
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
    endpoint: JsonObject = field(default_factory=dict)
    inquires: bool = False
    retrieves: bool = False

    @property
    def asks(self) -> VariantKey:
        """Whom it asks: the variant, told apart from namesakes in other files."""
        return self.variants_file, self.variant


@dataclass(frozen=True, slots=True, kw_only=True)
class Inquiry:
    """What a check asks a model of its own before it can decide.

    `model` and `api_base` stand as the case writes them, `${NAME}` unfilled.  A
    chat takes the `texts` as system message and prompt; a similarity compares
    two texts by their embeddings and answers with their cosine.  `vote` counts
    from 0 and tells equal questions apart.
    """

    kind: Literal["chat", "similarity"]
    model: str
    texts: tuple[str, str]
    api_base: str | None = None
    vote: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Token counts of one call.

    `cached` is the part of `prompt` that was read from the provider's cache,
    `written` the part that was written to it, where that has a price.
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    written: int = 0

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict; few providers count what is written."""
        written: dict[str, Json] = {"written": self.written} if self.written else {}
        return {
            "prompt": self.prompt,
            "completion": self.completion,
            "cached": self.cached,
            **written,
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Tokens:
        """Return the record that `to_dict` described."""
        return cls(**{name: int(cast("int", count)) for name, count in data.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back.  Unknown is None: `usd` is never 0 for an unknown price.

    `seconds` is the wall time of the paid call, retries excluded.  `saved_usd`
    is what the provider's cache took off the price: below 0 where writing it
    cost more than reading it saved, None where nothing was cached.  `stored`
    says that no call was made for it in this run.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    contexts: tuple[Context, ...] = ()
    tokens: Tokens | None = None
    usd: float | None = None
    saved_usd: float | None = None
    seconds: float | None = None
    finish_reason: str | None = None
    stored: bool = False

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict; `stored` belongs to a run, so it is left out."""
        saved: dict[str, Json] = {}
        if self.saved_usd is not None:
            saved = {"saved_usd": self.saved_usd}
        return {
            "text": self.text,
            "tool_calls": [call.to_dict() for call in self.tool_calls],
            "contexts": [context.to_dict() for context in self.contexts],
            "tokens": self.tokens.to_dict() if self.tokens else None,
            "usd": self.usd,
            **saved,
            "seconds": self.seconds,
            "finish_reason": self.finish_reason,
        }

    @classmethod
    def from_dict(cls, data: JsonObject, *, stored: bool = False) -> Answer:
        """Return the record that `to_dict` described."""
        tokens = cast("JsonObject | None", data.get("tokens"))
        return cls(
            text=str(data["text"]),
            tool_calls=tuple(map(ToolCall.from_dict, objects(data, "tool_calls"))),
            contexts=tuple(map(Context.from_dict, objects(data, "contexts"))),
            tokens=Tokens.from_dict(tokens) if tokens else None,
            usd=cast("float | None", data.get("usd")),
            saved_usd=cast("float | None", data.get("saved_usd")),
            seconds=cast("float | None", data.get("seconds")),
            finish_reason=cast("str | None", data.get("finish_reason")),
            stored=stored,
        )
