"""The JSON Schema of a call over HTTP: what is posted, and what may come back."""

from __future__ import annotations

from pytest_llm_diagnosis.records import JsonObject

_TEXT: JsonObject = {"type": "string"}
_OBJECT: JsonObject = {"type": "object"}
_COUNT: JsonObject = {"type": "integer"}
_MAYBE_NUMBER: JsonObject = {"type": ["number", "null"]}

_MESSAGE: JsonObject = {
    "description": "a turn, as OpenAI's chat completions have it",
    "type": "object",
    "properties": {
        "role": {"enum": ["system", "user", "assistant", "tool"]},
        "content": {"type": ["string", "array", "null"]},
    },
    "required": ["role"],
}
_REQUEST: JsonObject = {
    "title": "request",
    "description": "what is posted, as application/json",
    "type": "object",
    "properties": {
        "messages": {"type": "array", "items": _MESSAGE, "minItems": 1},
        "tools": {
            "description": "tools on offer, as OpenAI's chat completions have them",
            "type": "array",
            "items": _OBJECT,
        },
        "params": {
            "description": "the variant's params, and over them the case's",
            "type": "object",
        },
        "variant": {"description": "the variant's name", **_TEXT},
    },
    "required": ["messages", "tools", "params", "variant"],
    "additionalProperties": False,
}
_CONTEXT: JsonObject = {
    "description": "a passage that was put before the model",
    "anyOf": [
        _TEXT,
        {
            "type": "object",
            "properties": {
                "text": _TEXT,
                "source": {
                    "description": "where it stands, such as docs/returns.md#boots",
                    "type": ["string", "null"],
                },
                "score": _MAYBE_NUMBER,
            },
            "required": ["text"],
        },
    ],
}
_TOOL_CALL: JsonObject = {
    "type": "object",
    "properties": {
        "name": _TEXT,
        "arguments": {"type": ["object", "string"]},
    },
    "required": ["name"],
}
_TOKENS: JsonObject = {
    "description": "cached is the part of prompt that was not paid anew",
    "type": ["object", "null"],
    "properties": {
        name: _COUNT
        for kind in ("prompt", "completion", "cached")
        for name in (kind, f"{kind}_tokens")
    },
}
_ANSWER: JsonObject = {
    "type": "object",
    "properties": {
        "text": {"type": ["string", "null"]},
        "tool_calls": {"type": ["array", "null"], "items": _TOOL_CALL},
        "contexts": {"type": ["array", "null"], "items": _CONTEXT},
        "tokens": _TOKENS,
        "usd": {"description": "null where the price is unknown", **_MAYBE_NUMBER},
        "seconds": {"description": "else they are measured", **_MAYBE_NUMBER},
        "finish_reason": {"type": ["string", "null"]},
    },
    "anyOf": [{"required": ["text"]}, {"required": ["tool_calls"]}],
    "additionalProperties": False,
}


def call_schema() -> JsonObject:
    """Return the schema of both bodies, its definitions `request` and `reply`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "a call of pytest-llm-diagnosis over HTTP",
        "$defs": {
            "request": _REQUEST,
            "reply": {
                "title": "reply",
                "description": "what comes back, as application/json with status "
                "200; text alone may come as text/plain",
                "anyOf": [_TEXT, _ANSWER],
            },
        },
        "anyOf": [{"$ref": "#/$defs/request"}, {"$ref": "#/$defs/reply"}],
    }
