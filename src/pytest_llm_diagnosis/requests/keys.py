"""The name of a request in the store, the same wherever it is asked again."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

from pytest_llm_diagnosis.records import Json, JsonObject, Request, Variant

KEY_FORMAT = 1


def keyed(request: Request, variant: Variant) -> Request:
    """Return the request with its name in the store: what, of whom, how often.

    The endpoint stands in it as written, so that neither a secret nor a port
    chosen at run time changes it; timeouts, retries and concurrency do not.
    """
    written = variant.written
    identity: Json = [
        KEY_FORMAT,
        written.model if written else _called(variant),
        written.api_base if written else None,
        request.messages,
        request.tools,
        request.params,
        variant.revision,
        request.trial,
        request.arm,
    ]
    # JSON escapes what is not ASCII, a hostile case's lone surrogates included.
    key = hashlib.sha256(canonical(identity).encode("ascii")).hexdigest()
    return replace(request, key=key)


def _called(variant: Variant) -> Json:
    """Return what answers instead of a model; headers may say for whom."""
    if variant.headers:
        return [variant.call, dict(variant.headers)]
    return variant.call or _script(variant)


def _script(variant: Variant) -> str:
    """Return the script's path from its variants file: a checkout may move."""
    folder, script = variant.location.path.parent, variant.script
    if script is None or not script.is_relative_to(folder):
        return str(script)
    return script.relative_to(folder).as_posix()


def endpoint_of(variant: Variant) -> JsonObject:
    """Return what a variant asks, without its settings."""
    written = variant.written
    stated: dict[str, Json] = {
        "model": written.model if written else None,
        "api_base": written.api_base if written else None,
        "call": variant.call,
        "revision": variant.revision,
    }
    return {name: value for name, value in stated.items() if value is not None}


def canonical(value: Json) -> str:
    """Return JSON that is the same for equal values, in ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
