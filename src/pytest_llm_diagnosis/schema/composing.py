"""The JSON Schemas (draft 2020-12) of eval files and variants files.

What can only be said of a case after its defaults are merged, such as a missing
prompt, is not in the schema: the loader says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pytest_llm_diagnosis.records import (
    ACCESSES,
    CHANGES,
    LANES,
    LOCAL_MODELS,
    MARKS,
    SEARCHES,
    Json,
    JsonObject,
)

from .accepting import acceptor
from .stores import STORE

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TEXT: JsonObject = {"type": "string", "minLength": 1}
_ANY_TEXT: JsonObject = {"type": "string"}
_TEXTS: JsonObject = {"type": "array", "items": _TEXT}
_COUNT: JsonObject = {"type": "integer", "minimum": 1}
_FREE: JsonObject = {"type": "object"}
_KINDS = ("prompt", "examples", "retrieval", "long_context", "weights", "app")


def _said(description: str, schema: JsonObject) -> JsonObject:
    return {"description": description, **schema}


def _either(description: str, *schemas: JsonObject) -> JsonObject:
    return {"description": description, "anyOf": list(schemas)}


def _mapping(
    properties: Mapping[str, JsonObject], required: Sequence[str] = ()
) -> JsonObject:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


_PASSAGE = _mapping({"text": _said("the passage itself", _TEXT)}, ["text"])
_TOOL_CALL = _mapping(
    {
        "name": _said("the tool's name", _TEXT),
        "arguments": _either("what it is called with", _FREE, _ANY_TEXT),
    },
    ["name"],
)
_TURN = _mapping(
    {
        "role": _said("who speaks", {"enum": ["system", "user", "assistant", "tool"]}),
        "content": _either(
            "what is said",
            _ANY_TEXT,
            {"type": "array", "items": _FREE, "minItems": 1},
            {"type": "null"},
        ),
        "name": _said("the speaker's or the tool's name", _TEXT),
        "tool_calls": {"type": "array", "items": _FREE, "minItems": 1},
        "tool_call_id": _said("the call that a tool turn answers", _TEXT),
    },
    ["role"],
)
_REASON = ({"type": "boolean"}, _TEXT)

_CASE: Final[Mapping[str, JsonObject]] = {
    "id": _said("the case's name, unique in the file", _TEXT),
    "mark": _said(
        "what you think it tests: knowledge (does the model know) or behavior "
        "(does it answer the way you need)",
        {"enum": list(MARKS)},
    ),
    "prompt": _said("what is asked", _TEXT),
    "messages": _said(
        "a conversation, instead of a prompt",
        {"type": "array", "items": _TURN, "minItems": 1},
    ),
    "system": _said("the system prompt, or a .md or .txt file of it", _ANY_TEXT),
    "evidence": _either(
        "the passages that hold the answer: a file, a section of it by heading "
        "slug, {text: ...}, or a list",
        _TEXT,
        _PASSAGE,
        {"type": "array", "items": {"anyOf": [_TEXT, _PASSAGE]}},
    ),
    "facts": {"description": "what must be said, looked for in any form of answer"},
    "form": {"description": "how it must be said"},
    "limits": {"description": "what the answer may cost"},
    "instruction": _said("the form, asked for in so many words", _ANY_TEXT),
    "ideal": _either(
        "a reference answer that passes the case's own checks",
        _TEXT,
        _mapping(
            {
                "text": _ANY_TEXT,
                "tool_calls": {"type": "array", "items": _TOOL_CALL, "minItems": 1},
            },
            ["tool_calls"],
        ),
    ),
    "cluster": _said("cases that fail together count as one group", _ANY_TEXT),
    "tools": _said("tools on offer", {"type": "array", "items": _FREE}),
    "params": _said("settings of the call, over those of the variant", _FREE),
    "trials": _said("how often the case is asked", _COUNT),
    "pass_at": _said("how many trials must pass", _COUNT),
    "critical": _said("whether its failure matters most", {"type": "boolean"}),
    "skip": _either("leave the case out: true, or the reason", *_REASON),
    "xfail": _either("the case is known to fail: true, or the reason", *_REASON),
    "each": _either(
        "one case per row of a CSV or JSONL file, or of a list; {column} is "
        "filled in, {{ and }} are braces",
        _TEXT,
        {"type": "array", "items": _FREE, "minItems": 1},
    ),
    "tags": _said("pytest markers", _TEXTS),
}
CASE_KEYS: Final = tuple(_CASE)
LOOSE: Final = "loose"
"""The key that may stand beside a check of form."""
_LOOSE: JsonObject = {
    "description": "whether a line before or after it, and stars, are forgiven",
    "type": "boolean",
}

_GLOBS: JsonObject = {"anyOf": [_TEXT, {**_TEXTS, "minItems": 1}]}
_EMBEDDINGS = _mapping(
    {
        "model": _said("the embedding model as litellm names it", _TEXT),
        "api_base": _said("where the model is served", _TEXT),
        "api_key": _said('the key, as "${NAME}" of an environment variable', _TEXT),
        "params": _said("settings of every call, such as dimensions", _FREE),
        "call": _said("your own: texts to vectors, as module:attribute", _TEXT),
        "local": _said(
            "a model inside a Python package: wordllama",
            {"enum": list(LOCAL_MODELS)},
        ),
        "batch": _said("how many texts go into one call; 64 by default", _COUNT),
    }
)
_RETRIEVE = _mapping(
    {
        "documents": _said("the files to search, as patterns", _GLOBS),
        "top_k": _said("how many passages are shown; 3 by default", _COUNT),
        "chunk": _said(
            "how long sections are cut; without it they stay whole",
            _mapping(
                {
                    "words": _said("the most words of a piece", _COUNT),
                    "overlap": _said(
                        "how many words a piece repeats of the one before it",
                        {"type": "integer", "minimum": 0},
                    ),
                },
                ["words"],
            ),
        ),
        "search": _said(
            "by words (text), by meaning (vectors) or by both (hybrid); text without "
            "embeddings, hybrid with them",
            {"enum": list(SEARCHES)},
        ),
        "embeddings": _said("what turns texts into vectors", _EMBEDDINGS),
        "store": STORE,
        "call": _said("your own retriever, as module:attribute", _TEXT),
        "retriever": _said("one that a conftest.py registers, by name", _TEXT),
        "settings": _said("what the registered retriever is given", _FREE),
    }
)
_VARIANT: Final[Mapping[str, JsonObject]] = {
    "extends": _said("the variant whose keys it takes over", _TEXT),
    "model": _said("the model as litellm names it", _TEXT),
    "api_base": _said("where the model is served", _TEXT),
    "api_key": _said('the key, as "${NAME}" of an environment variable', _TEXT),
    "params": _said("settings of every call", _FREE),
    "system": _said("a system prompt, or a .md or .txt file of it", _ANY_TEXT),
    "examples": _either(
        "how many ideal answers of other cases are shown, or a file of them",
        {"type": "integer", "minimum": 0},
        _TEXT,
    ),
    "retrieve": _said(
        "what is searched for every question, and how many passages are shown",
        _RETRIEVE,
    ),
    "context": _said("documents shown in full before every question", _GLOBS),
    "window": _said("how many tokens the model takes, where nobody says", _COUNT),
    "call": _said(
        "your own application, as module:attribute, or a URL that requests are "
        "posted to",
        _TEXT,
    ),
    "headers": _said(
        'what goes with each request to that URL, like Authorization: "${TOKEN}"',
        {"type": "object", "additionalProperties": _ANY_TEXT},
    ),
    "script": _said("a file of scripted answers", _TEXT),
    "kind": _said("what the variant gives the model", {"enum": list(_KINDS)}),
    "revision": _either(
        "changed by hand when the same settings answer anew",
        _TEXT,
        {"type": "integer"},
    ),
    "max_concurrency": _said("how many calls at a time", _COUNT),
    "lane": _said(
        "the way to the model: litellm, or direct, a plain HTTP request, which is "
        "chosen where the endpoint speaks OpenAI's chat completions",
        {"enum": list(LANES)},
    ),
}
VARIANT_KEYS: Final = tuple(_VARIANT)
_DOCUMENTS: Final[Mapping[str, JsonObject]] = {
    "files": _said("which they are; else all that variants name", _GLOBS),
    "access": _said(
        "restricted where not everybody may read each of them",
        {"enum": list(ACCESSES)},
    ),
    "changes": _said("how often one of them changes", {"enum": list(CHANGES)}),
}


def eval_schema(
    facts_checks: Mapping[str, JsonObject],
    form_checks: Mapping[str, JsonObject],
    limit_checks: Mapping[str, JsonObject],
) -> JsonObject:
    """Return the schema of `*.eval.yaml`; a case is its definition `case`.

    Each argument maps a check's name to the schema of its parameters, which may
    not hold references.
    """
    limits: list[Json] = [_checks(limit_checks), _by_name(limit_checks)]
    case = _mapping(
        {
            **_CASE,
            "facts": {**_CASE["facts"], **_checks(facts_checks)},
            "form": {**_CASE["form"], **_form_checks(form_checks)},
            "limits": {**_CASE["limits"], "anyOf": limits},
        }
    )
    return {
        "$schema": _DIALECT,
        "title": "eval file of pytest-llm-diagnosis",
        "type": "object",
        "properties": {
            "defaults": {"$ref": "#/$defs/case"},
            "cases": {
                "type": "array",
                "items": {"$ref": "#/$defs/case"},
                "minItems": 1,
            },
        },
        "required": ["cases"],
        "additionalProperties": False,
        "$defs": {"case": case},
    }


def variants_schema() -> JsonObject:
    """Return the schema of `llm_variants.yaml`."""
    return {
        "$schema": _DIALECT,
        "title": "variants file of pytest-llm-diagnosis",
        "type": "object",
        "properties": {
            "default": _said("the variants that run when none is chosen", _TEXT),
            "documents": {
                **_said(
                    "the documents that could be put before the model",
                    _mapping(_DOCUMENTS),
                ),
                "minProperties": 1,
            },
            "variants": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": _mapping(_VARIANT),
            },
        },
        "required": ["variants"],
        "additionalProperties": False,
    }


def _checks(parameters: Mapping[str, JsonObject]) -> dict[str, Json]:
    one = {**_by_name(parameters), "minProperties": 1, "maxProperties": 1}
    bare = [name for name, schema in parameters.items() if acceptor(schema)(None)]
    named: list[Json] = [{"enum": bare}] if bare else []
    return {
        "type": "array",
        "items": {"title": "check", "anyOf": [*named, one]},
    }


def _form_checks(parameters: Mapping[str, JsonObject]) -> dict[str, Json]:
    """Return the schema of a list of checks, each alone or beside `loose`."""
    beside: Json = {"minProperties": 2, "required": [LOOSE]}
    alone: Json = {"title": "check", "maxProperties": 1, "properties": {LOOSE: False}}
    one = {
        **_by_name({**parameters, LOOSE: _LOOSE}),
        "minProperties": 1,
        "maxProperties": 2,
        "anyOf": [alone, beside],
    }
    bare = [name for name, schema in parameters.items() if acceptor(schema)(None)]
    named: list[Json] = [{"enum": bare}] if bare else []
    return {
        "type": "array",
        "items": {"title": "check", "anyOf": [*named, one]},
    }


def _by_name(parameters: Mapping[str, JsonObject]) -> dict[str, Json]:
    return {**_mapping(parameters), "title": "check"}
