"""A request as the body and the headers of a chat completion.

Parameters go out as litellm sends them; those it renames, drops, refuses or
keeps to itself are left to it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Json, JsonObject, Message, Request

from .wires import NotDirectError, Wire

_STOPS = 4
_OPENAIS = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "tool_choice",
        "top_logprobs",
        "top_p",
    }
)
# Servers' own parameters that litellm does not know and passes on.
_SERVERS = frozenset(
    {
        "cache_prompt",
        "chat_template_kwargs",
        "grammar",
        "guided_choice",
        "guided_grammar",
        "guided_json",
        "guided_regex",
        "ignore_eos",
        "include_reasoning",
        "length_penalty",
        "min_p",
        "min_tokens",
        "mirostat",
        "repeat_penalty",
        "repetition_penalty",
        "skip_special_tokens",
        "stop_token_ids",
        "structured_outputs",
        "top_a",
        "top_k",
        "typical_p",
        "use_beam_search",
    }
)
_ROLES = frozenset({"system", "user", "assistant", "tool"})
_KEPT_HEADERS = frozenset(
    {"accept", "accept-encoding", "authorization", "connection", "content-length"}
    | {"content-type", "host", "transfer-encoding"}
)
# litellm takes these keys out, wherever they stand.
_TAKEN = ('"cache_control"', '"thinking_blocks"', '"input_examples"')
_TAKEN_BY_VLLM = ('"additionalProperties"', '"strict"')


class Body(NamedTuple):
    """What is sent: JSON, the headers with it, and the service tier asked for."""

    data: bytes
    headers: Mapping[str, str]
    tier: str | None


def body_of(request: Request, params: JsonObject, wire: Wire) -> Body:
    """Return what is sent for a request with these parameters.

    Raises `NotDirectError` where litellm would send something else, and
    `ModelError` for text that no bytes stand for.
    """
    sent, more, headers = checked(params, wire)
    tools: dict[str, Json] = {"tools": list(request.tools)} if request.tools else {}
    messages: list[Json] = [_message(message) for message in request.messages]
    named = {"model": wire.model, "messages": messages, **sent, **tools, **more}
    tier = sent.get("service_tier")
    return Body(
        data=_encoded(named, wire, _json(tools)),
        headers={**wire.headers, **headers},
        tier=tier if isinstance(tier, str) else None,
    )


class Checked(NamedTuple):
    """Parameters that this lane can send, with `extra_body` and `extra_headers`."""

    params: JsonObject
    more: JsonObject
    headers: Mapping[str, str]


def checked(params: JsonObject, wire: Wire) -> Checked:
    """Return the parameters; raises `NotDirectError` where one is litellm's."""
    stated = {name: value for name, value in params.items() if value is not None}
    more = _extra(stated.pop("extra_body", {}), "extra_body")
    headers = _extra(stated.pop("extra_headers", {}), "extra_headers")
    _check(stated, wire.provider)
    return Checked(stated, more, _headers(headers))


def _check(params: JsonObject, provider: str) -> None:
    known = _OPENAIS if provider == "custom_openai" else _OPENAIS | _SERVERS
    for name, value in params.items():
        fits = _FITS.get(name)
        if name not in known or (fits is not None and not fits(value)):
            raise NotDirectError(f"litellm has rules of its own for {name!r}")
    if provider == "custom_openai" and "max_completion_tokens" in params:
        raise NotDirectError("litellm renames 'max_completion_tokens'")


def _is_tool_choice(value: Json) -> bool:
    if isinstance(value, dict):
        return "type" in value and "function" in value
    return isinstance(value, str)


_FITS: Mapping[str, Callable[[Json], bool]] = {
    "response_format": lambda value: isinstance(value, dict),
    "stop": lambda value: not isinstance(value, list) or len(value) <= _STOPS,
    "tool_choice": _is_tool_choice,
}


def _extra(value: Json, name: str) -> JsonObject:
    if not isinstance(value, dict):
        raise NotDirectError(f"{name!r} is not a mapping")
    return value


def _headers(extra: JsonObject) -> dict[str, str]:
    """Return headers that a user adds; the call's own are not among them."""
    for name, value in extra.items():
        if name.lower() in _KEPT_HEADERS or not isinstance(value, str):
            raise NotDirectError(f"the header {name!r} is litellm's")
    return {_cased(name): str(value) for name, value in extra.items()}


def _cased(name: str) -> str:
    return "User-Agent" if name.lower() == "user-agent" else name


def _message(message: Message) -> Message:
    """Return a message without its empty keys."""
    content = message.get("content")
    if message.get("role") not in _ROLES or isinstance(content, dict):
        raise NotDirectError(f"litellm rewrites the role {message.get('role')!r}")
    if isinstance(content, list) and not all(map(_is_text, content)):
        raise NotDirectError("litellm rewrites content that is not text")
    if None not in message.values():
        return message
    return {name: value for name, value in message.items() if value is not None}


def _is_text(part: Json) -> bool:
    return isinstance(part, dict) and part.get("type") == "text"


def _encoded(named: JsonObject, wire: Wire, tools: str) -> bytes:
    text = _json(named)
    rewritten = any(key in text for key in _TAKEN)
    if wire.provider == "hosted_vllm" and tools:
        rewritten |= any(key in tools for key in _TAKEN_BY_VLLM)
    if rewritten:
        raise NotDirectError("litellm takes keys out of messages or tools")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise ModelError(f"the request is not text: {error}") from error


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
