"""The closed sets of words, JSON, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast

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
Lane: TypeAlias = Literal["direct", "litellm"]
"""The way to an endpoint: one HTTP request of ours, or litellm."""
Search: TypeAlias = Literal["text", "vectors", "hybrid"]
"""How passages are found: by their words, by their meaning, or by both."""
Access: TypeAlias = Literal["open", "restricted"]
"""Who may read the documents: everybody all of them, or not everybody each."""
Changes: TypeAlias = Literal["rarely", "weekly", "daily", "hourly"]
"""How often some document changes."""
VariantKey: TypeAlias = tuple[str, str]
"""A variants file and a name in it."""

MARKS: tuple[Mark, ...] = ("knowledge", "behavior")
LANES: tuple[Lane, ...] = ("direct", "litellm")
RETRIEVED, EMBEDDED = SUB_NAMES = (".retrieved", ".embeddings")
"""What ends the names under which a variant's retrieval asks and is recorded."""
LOCAL_MODELS = ("wordllama",)
"""Embedding models that Python packages hold."""
SEARCHES: tuple[Search, ...] = ("text", "vectors", "hybrid")
ACCESSES: tuple[Access, ...] = ("open", "restricted")
CHANGES: tuple[Changes, ...] = ("rarely", "weekly", "daily", "hourly")
DIMENSIONS: tuple[Dimension, ...] = ("facts", "form", "limits")


def message_text(message: Message) -> str:
    """Return a turn's text; the texts of content blocks are joined by lines."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        blocks = [block for block in content if isinstance(block, Mapping)]
        return "\n".join(str(block.get("text", "")) for block in blocks)
    return ""


def objects(data: JsonObject, name: str) -> Sequence[JsonObject]:
    """Return a list of objects, empty where there is none."""
    return cast("Sequence[JsonObject]", data.get(name) or ())
