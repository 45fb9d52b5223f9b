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
from .results import CaseResult, RunFacts
from .shards import Shard
from .terms import (
    DIMENSIONS,
    LANES,
    MARKS,
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
    VariantKey,
    message_text,
)
from .written import (
    Application,
    Case,
    CheckSpec,
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
    "LANES",
    "MARKS",
    "NOT_EXPOSED",
    "Answer",
    "Application",
    "Arm",
    "Ask",
    "Case",
    "CaseResult",
    "Cause",
    "CheckSpec",
    "Context",
    "Dimension",
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
    "RunFacts",
    "Rung",
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
