"""The JSON Schema of `store:`, where the vectors of a variant are kept or found.

A mapping of one key, the kind of store, with what it takes to reach it.  What
stands under `columns`, `payload` or `metadata` names fields of the team's own
data, which is then read and never written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pytest_llm_diagnosis.records import JsonObject

NAMESPACE: Final = "llm_diagnosis_passages"
"""What a table or collection of ours is called where nobody names it."""


def _text(description: str) -> JsonObject:
    return {"description": description, "type": "string", "minLength": 1}


def _mapping(description: str, required: list[str], **keys: JsonObject) -> JsonObject:
    return {
        "description": description,
        "type": "object",
        "properties": keys,
        "required": list(required),
        "additionalProperties": False,
    }


_SOURCE = _text("what names a passage, such as its file")
_COLUMNS = _mapping(
    "the columns of a table of your own, which is only read",
    [],
    text=_text("the passage itself"),
    source=_SOURCE,
    vector=_text("its vector"),
)
_FIELDS: Mapping[str, JsonObject] = {
    "text": _text("the passage itself; a.b is b inside a"),
    "source": _text("what names a passage, such as its file; else its id"),
}

STORE: Final[JsonObject] = {
    "description": "the database that keeps or has the passages' vectors",
    "type": "object",
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        "pgvector": _mapping(
            "a PostgreSQL database with the extension vector",
            ["url"],
            url=_text('postgresql://..., or "${NAME}" of an environment variable'),
            table=_text(f"a table, as name or schema.name; else {NAMESPACE}"),
            columns=_COLUMNS,
        ),
        "qdrant": _mapping(
            "Qdrant: a server's url, or the path of a folder",
            [],
            path=_text("a folder beside the variants file, without any server"),
            url=_text("where the server is"),
            api_key=_text('the key, as "${NAME}" of an environment variable'),
            collection=_text(f"a collection; else {NAMESPACE}"),
            payload=_mapping(
                "the payload of a collection of your own, which is only read",
                [],
                **_FIELDS,
            ),
            vector=_text("the name of the vector, where points have several"),
        ),
        "lancedb": _mapping(
            "LanceDB: a folder of tables",
            ["path"],
            path=_text("a folder beside the variants file, or an address"),
            table=_text(f"a table; else {NAMESPACE}"),
            columns=_COLUMNS,
        ),
        "pinecone": _mapping(
            "an index of Pinecone",
            ["host", "api_key"],
            host=_text("the index's own host"),
            api_key=_text('the key, as "${NAME}" of an environment variable'),
            namespace={
                "description": "a namespace of the index; '' is its default one; "
                f"else {NAMESPACE}",
                "type": "string",
            },
            metadata=_mapping(
                "the metadata of vectors of your own, which are only read",
                [],
                **_FIELDS,
            ),
        ),
    },
    "additionalProperties": False,
}
