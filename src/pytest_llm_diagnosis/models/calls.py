"""What a call of an endpoint is made of, whichever way it is sent."""

from __future__ import annotations

import copy
import ipaddress
import json
from urllib.parse import urlsplit

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Endpoint, Json, JsonObject, Request, Tokens

NO_KEY = "none"
_SHORTEST_SECRET = 6


def sent_params(
    endpoint: Endpoint, written: Endpoint | None, request: Request
) -> dict[str, Json]:
    """Return the parameters of a call: the request's over the endpoint's.

    `written` is the endpoint as its file states it: a parameter that a request
    carries unchanged from there is sent as `endpoint` has it, filled from the
    environment.  They are copies, since litellm adds headers and keys to what it
    is given.
    """
    unfilled = written.params if written else {}
    return without_stream(filled_params(endpoint.params, unfilled, request))


def filled_params(
    filled: JsonObject, unfilled: JsonObject, request: Request
) -> dict[str, Json]:
    """Return a request's parameters, those of its variant filled in, as copies."""
    stated = {
        name: value
        for name, value in request.params.items()
        if name not in unfilled or unfilled[name] != value
    }
    return {
        name: copy.deepcopy(value) if isinstance(value, dict | list) else value
        for name, value in {**filled, **stated}.items()
    }


def without_stream(params: JsonObject) -> dict[str, Json]:
    """Return parameters without `stream`: an answer is graded whole."""
    return {name: value for name, value in params.items() if name != "stream"}


def stated_key(endpoint: Endpoint) -> str | None:
    """Return the key of an endpoint; a local server without one gets `NO_KEY`.

    Clients insist on a key; a local server needs none, and a real one from the
    environment must not reach whoever listens on the port.
    """
    if endpoint.api_key is None and is_loopback(endpoint.api_base):
        return NO_KEY
    return endpoint.api_key


def is_loopback(api_base: str | None) -> bool:
    """Whether a URL leads to this machine."""
    host = urlsplit(api_base or "").hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def too_late(endpoint: Endpoint, timeout: float) -> ModelError:
    """Return the error of a call that took longer than `timeout` seconds."""
    where = endpoint.api_base or endpoint.model
    return ModelError(f"no answer from {where} within {timeout:g} s", retryable=True)


def without_key(error: ModelError, endpoint: Endpoint) -> ModelError:
    """Return the error without the endpoint's key, which some providers repeat."""
    key = endpoint.api_key or ""
    if len(key) < _SHORTEST_SECRET or key not in error.message:
        return error
    return error.saying(error.message.replace(key, "***"))


def parsed_arguments(text: str) -> JsonObject | str:
    """Return a tool call's arguments as an object; text that holds none stays."""
    try:
        value: Json = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict) else text


def counted(
    prompt: int | None, completion: int | None, cached: int, written: int
) -> Tokens | None:
    """Return the counts; zeros are what is left where nothing was counted."""
    if not (prompt or completion):
        return None
    return Tokens(
        prompt=prompt or 0, completion=completion or 0, cached=cached, written=written
    )


def _refuse(constant: str) -> Json:
    raise ValueError(f"{constant} is not JSON")
