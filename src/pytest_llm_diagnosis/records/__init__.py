"""The vocabulary: frozen records that travel between the layers.

A record that leaves the process (to the store, a recording, an xdist
controller or `report.json`) has its dict round trip beside it: `to_dict` gives
JSON-ready values and `from_dict` gives an equal record back.
"""

from __future__ import annotations

from .asked import Answer, Context, Inquiry, Request, Tokens
from .flat import Flat
from .graded import NOT_EXPOSED, Grade, Trial, Verdict
from .probed import Ask, Finding
from .results import CaseResult, Retrieved, RunFacts
from .shards import Shard
from .terms import (
    DIMENSIONS,
    EMBEDDED,
    LANES,
    LOCAL_MODELS,
    MARKS,
    RETRIEVED,
    SEARCHES,
    SUB_NAMES,
    Arm,
    Cause,
    Dimension,
    Json,
    JsonObject,
    Kind,
    Lane,
    Mark,
    Message,
    Outcome,
    Rung,
    Search,
    VariantKey,
    message_text,
)
from .written import (
    Application,
    Case,
    CheckSpec,
    Chunk,
    Embeddings,
    Endpoint,
    Examples,
    Ideal,
    Passage,
    Retrieve,
    ToolCall,
    Variant,
    is_remote,
)

__all__ = [
    "DIMENSIONS",
    "EMBEDDED",
    "LANES",
    "LOCAL_MODELS",
    "MARKS",
    "NOT_EXPOSED",
    "RETRIEVED",
    "SEARCHES",
    "SUB_NAMES",
    "Answer",
    "Application",
    "Arm",
    "Ask",
    "Case",
    "CaseResult",
    "Cause",
    "CheckSpec",
    "Chunk",
    "Context",
    "Dimension",
    "Embeddings",
    "Endpoint",
    "Examples",
    "Finding",
    "Flat",
    "Grade",
    "Ideal",
    "Inquiry",
    "Json",
    "JsonObject",
    "Kind",
    "Lane",
    "Mark",
    "Message",
    "Outcome",
    "Passage",
    "Request",
    "Retrieve",
    "Retrieved",
    "RunFacts",
    "Rung",
    "Search",
    "Shard",
    "Tokens",
    "ToolCall",
    "Trial",
    "Variant",
    "VariantKey",
    "Verdict",
    "is_remote",
    "message_text",
]
