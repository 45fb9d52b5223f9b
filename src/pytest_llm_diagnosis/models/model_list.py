"""What litellm's package knows of a model, read without importing litellm.

The list is 1.3 MB of JSON, parsed in about 10 ms; litellm takes seconds.
"""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.records import Json, JsonObject

_LIST = "model_prices_and_context_window_backup.json"


def listed_models() -> Mapping[str, JsonObject]:
    """Return the list by model name, empty where litellm has none."""
    spec = importlib.util.find_spec("litellm")
    folders = (spec.submodule_search_locations if spec else None) or ()
    for folder in folders:
        path = Path(folder) / _LIST
        if path.is_file():
            return cast("Mapping[str, JsonObject]", json.loads(path.read_bytes()))
    return {}


@functools.lru_cache(maxsize=64)
def model_entry(model: str) -> JsonObject | None:
    """Return what is listed of a model as litellm names it, None of an unknown one.

    `anthropic/claude-x` may stand there as `claude-x`, and a model of Bedrock
    without the way to it (`bedrock/converse/...`).
    """
    listed = listed_models()
    if model in listed:
        return listed[model]
    provider = model.partition("/")[0]
    found = (listed.get(name) for name in _names(model))
    return next((one for one in found if one and _is_of(one, provider)), None)


def listed_window(model: str) -> int | None:
    """Return the most tokens that a prompt of a model may have, None if unlisted."""
    entry = model_entry(model) or {}
    window = entry.get("max_input_tokens") or entry.get("max_tokens")
    return int(window) if isinstance(window, int | float) and window > 0 else None


def _names(model: str) -> Iterator[str]:
    """Yield the name without its provider, and without all that stands before it."""
    rest = model.partition("/")[2]
    while rest:
        yield rest
        rest = rest.partition("/")[2]


def _is_of(entry: JsonObject, provider: str) -> bool:
    """Whether an entry is a provider's: `bedrock` goes for `bedrock_converse`."""
    owner: Json = entry.get("litellm_provider")
    return isinstance(owner, str) and owner.startswith(provider)
