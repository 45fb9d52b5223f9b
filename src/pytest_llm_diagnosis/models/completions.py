"""An OpenAI chat completion, as it stands in a response, to an `Answer`.

What litellm makes of such a body is made of it here too, so that both lanes
give the same answer: reasons to finish are brought to OpenAI's names, a leading
`<think>` block is not part of the text, and a tool call that wraps several is
taken apart.  `tests/test_lanes.py` compares both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import Answer, Json, JsonObject, Request, ToolCall

from .calls import counted, parsed_arguments
from .prices import Price, Usage
from .provider_errors import NO_CHOICES, NO_COMPLETION, disguised_error

_FINISHES = {
    "length": ("max_tokens", "MAX_TOKENS", "compaction"),
    "tool_calls": ("tool_use",),
    "function_call": (),
    "content_filter": (
        "refusal",
        "content_filtered",
        "guardrail_intervened",
        "ERROR_TOXIC",
        "SAFETY",
        "RECITATION",
        "LANGUAGE",
        "OTHER",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
    ),
}
_FINISH = {
    alias: name for name, aliases in _FINISHES.items() for alias in (name, *aliases)
}
_THOUGHT = re.compile(
    r"<(?:budget:)?think(?:ing)?>.*?</(?:budget:)?think(?:ing)?>", re.DOTALL
)
_SEVERAL = "multi_tool_use.parallel"


class Completion(NamedTuple):
    """A body that holds a completion: its first choice, and what it cost.

    `model` is the name the provider gives itself, `tier` its service tier.
    """

    message: JsonObject
    finish: str | None
    usage: Usage
    model: str | None
    tier: str | None

    def answer(self, request: Request, *, seconds: float, price: Price) -> Answer:
        """Return the answer to a request."""
        calls = tuple(_tool_calls(self.message))
        usage = self.usage
        return Answer(
            text=_text(self.message),
            tool_calls=calls,
            contexts=request.contexts,
            tokens=counted(usage.prompt, usage.completion, usage.cached, usage.written),
            usd=price.usd,
            saved_usd=price.saved_usd,
            seconds=seconds,
            finish_reason=_finish_reason(self.finish, has_calls=bool(calls)),
        )


def completion(body: Json) -> Completion:
    """Return the completion of a response's body.

    Raises `ModelError` when it is something else, or an error in disguise.
    """
    error = disguised_error(body)
    if error is not None:
        raise error
    choices = body.get("choices") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(choices, list):
        raise ModelError(NO_COMPLETION)
    if not choices:
        raise ModelError(NO_CHOICES)
    choice = choices[0]
    message = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(message, dict):
        raise ModelError(NO_COMPLETION)
    finish = choice.get("finish_reason") or choice.get("finish_details")
    usage = _object(body.get("usage"))
    return Completion(
        message=message,
        finish=finish if isinstance(finish, str) else None,
        usage=_usage(usage, message, _object(body.get("timings"))),
        model=_name(body.get("model")),
        tier=_name(body.get("service_tier") or usage.get("service_tier")),
    )


def _text(message: JsonObject) -> str:
    content = message.get("content")
    if content is None:
        return ""
    if not isinstance(content, str):
        raise ModelError(NO_COMPLETION)
    if "reasoning_content" in message or "reasoning" in message:
        return content
    thought = _THOUGHT.match(content)
    return content[thought.end() :] if thought else content


def _finish_reason(finish: str | None, *, has_calls: bool) -> str:
    reason = _FINISH.get(finish or "stop", "stop")
    return "tool_calls" if finish in (None, "stop") and has_calls else reason


def _tool_calls(message: JsonObject) -> Iterator[ToolCall]:
    calls = message.get("tool_calls") or []
    functions = (_object(call).get("function") for call in cast("list[Json]", calls))
    for function in functions:
        if not isinstance(function, dict):
            raise ModelError(NO_COMPLETION)
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(arguments, dict):
            parsed: JsonObject | str = arguments
        else:
            parsed = parsed_arguments(str(arguments or ""))
        yield from _apart(ToolCall(name=str(name or ""), arguments=parsed))


def _apart(call: ToolCall) -> Iterator[ToolCall]:
    """Yield the calls inside one that OpenAI's models make up to wrap several."""
    wrapped = _object(call.arguments).get("tool_uses")
    if call.name != _SEVERAL or not isinstance(wrapped, list):
        yield call
        return
    for one in map(_object, wrapped):
        name = str(one.get("recipient_name") or "").removeprefix("functions.")
        yield ToolCall(name=name, arguments=_object(one.get("parameters")))


def _usage(usage: JsonObject, message: JsonObject, timings: JsonObject) -> Usage:
    prompt = _object(usage.get("prompt_tokens_details"))
    completion = _object(usage.get("completion_tokens_details"))
    # DeepSeek and Anthropic count cached tokens under names of their own, and so
    # did llama.cpp before February 2026 (ggml-org/llama.cpp#19361).
    cached = (
        usage.get("cache_read_input_tokens"),
        usage.get("prompt_cache_hit_tokens"),
        prompt.get("cached_tokens"),
        timings.get("cache_n"),
    )
    written = (
        usage.get("cache_creation_input_tokens"),
        prompt.get("cache_creation_tokens"),
    )
    other = (
        details.get(kind)
        for details in (prompt, completion)
        for kind in ("audio_tokens", "image_tokens")
    )
    return Usage(
        prompt=_count(usage.get("prompt_tokens")),
        completion=_count(usage.get("completion_tokens")),
        cached=_first_count(cached),
        written=_first_count(written),
        text=_count(prompt.get("text_tokens")),
        said=_count(completion.get("text_tokens")),
        reasoning=_count(completion.get("reasoning_tokens")),
        # A web search, which annotations tell of, has a price of its own.
        plain=not any(other) and not message.get("annotations"),
    )


def _first_count(values: Iterable[Json]) -> int:
    found = (value for value in values if isinstance(value, int))
    return _count(next(found, 0))


def _count(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0


def _object(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def _name(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None
