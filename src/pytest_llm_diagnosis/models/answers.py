"""What an application may return, brought into the form of an `Answer`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import cast

from pytest_llm_diagnosis.errors import ModelError, valid_choices
from pytest_llm_diagnosis.records import (
    Answer,
    Context,
    JsonObject,
    Request,
    Tokens,
    ToolCall,
)

_KEYS = frozenset(
    {"text", "tool_calls", "contexts", "tokens", "usd", "saved_usd", "seconds"}
    | {"finish_reason"}
)
_TOKENS = ("prompt", "completion", "cached", "written")
EXPECTED = "text, or {text, tool_calls, contexts, tokens, usd}"
"""What an application gives, in words."""


def answer_from(returned: object, source: str) -> Answer:
    """Return an answer made of text, an `Answer`, or a dict with its fields.

    Its parts may be records or what they are made of: contexts strings or
    dicts, tool calls and tokens dicts.  `source` names the application in the
    `ModelError` that says what is wrong with anything else.
    """
    if isinstance(returned, str):
        return Answer(text=returned)
    if returned is None:
        raise ModelError(f"{source} returned nothing")
    try:
        if isinstance(returned, Answer):
            return _normalised(returned)
        if isinstance(returned, Mapping) and returned and _KEYS.issuperset(returned):
            return _normalised(Answer(**{"text": "", **returned}))
    except (TypeError, ValueError, KeyError, RecursionError) as error:
        said = f"lacks {error}" if isinstance(error, KeyError) else error
        raise ModelError(f"{source} returned an answer that {said}") from error
    raise ModelError(f"{source} returned {_odd(returned)}")


def with_shown(answer: Answer, request: Request) -> Answer:
    """Return an application's answer with all passages that it was given.

    Its own come first, since it may have numbered them; behind them those that
    stand in the request's messages.
    """
    own = {context.text for context in answer.contexts}
    more = tuple(one for one in request.contexts if one.text not in own)
    return replace(answer, contexts=answer.contexts + more) if more else answer


def _odd(returned: object) -> str:
    """Return what came instead of an answer, in words."""
    keys = map(str, returned) if isinstance(returned, Mapping) else ()
    unknown = sorted(set(keys) - _KEYS)
    if not unknown:
        return f"{type(returned).__name__}, not text or an Answer"
    hint = valid_choices(unknown[0], sorted(_KEYS))
    return f"a dict with the unknown key {unknown[0]!r}; {hint}"


def _normalised(answer: Answer) -> Answer:
    normal = replace(
        answer,
        text=_text(answer.text),
        tool_calls=tuple(_tool_call(call) for call in _items(answer.tool_calls)),
        contexts=tuple(_context(context) for context in _items(answer.contexts)),
        tokens=_tokens(answer.tokens),
        usd=_number(answer.usd, "usd"),
        saved_usd=_number(answer.saved_usd, "saved_usd"),
        seconds=_number(answer.seconds, "seconds"),
        stored=False,
    )
    # What cannot be stored is refused here, where the application is known.
    json.dumps(normal.to_dict(), allow_nan=False)
    return normal


def _text(text: object) -> str:
    if text is None or isinstance(text, str):
        return text or ""
    raise TypeError(f"has {type(text).__name__} as its text")


def _items(items: object) -> Iterable[object]:
    if items is None:
        return ()
    if isinstance(items, Iterable) and not isinstance(items, str | Mapping):
        return items
    raise TypeError(f"has {type(items).__name__} where a list is expected")


def _tool_call(call: object) -> ToolCall:
    if isinstance(call, ToolCall):
        return call
    if not isinstance(call, Mapping):
        raise TypeError(f"has {type(call).__name__} as a tool call")
    arguments = call.get("arguments", {})
    if not isinstance(arguments, str | Mapping):
        raise TypeError(f"has {type(arguments).__name__} as arguments of a tool call")
    return ToolCall(name=str(call["name"]), arguments=cast("JsonObject", arguments))


def _context(context: object) -> Context:
    if isinstance(context, Context):
        return context
    if isinstance(context, str):
        return Context(text=context)
    if isinstance(context, Mapping):
        text, source = context["text"], context.get("source")
        if not isinstance(text, str):
            raise TypeError(f"has {type(text).__name__} as the text of a context")
        return Context(
            text=text,
            source="" if source is None else str(source),
            score=_number(context.get("score"), "the score of a context"),
        )
    raise TypeError(f"has {type(context).__name__} as a context")


def _tokens(tokens: object) -> Tokens | None:
    if tokens is None or isinstance(tokens, Tokens):
        return tokens
    if isinstance(tokens, Mapping):
        return Tokens(**{name: _count(tokens, name) for name in _TOKENS})
    raise TypeError(f"has {type(tokens).__name__} as its tokens")


def _count(tokens: Mapping[str, object], name: str) -> int:
    """Return a count by our name or by OpenAI's (`prompt_tokens`)."""
    count = tokens.get(name, tokens.get(f"{name}_tokens", 0))
    if isinstance(count, int) and not isinstance(count, bool):
        return count
    raise TypeError(f"has {type(count).__name__} as its {name} tokens")


def _number(value: object, name: str) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise TypeError(f"has {type(value).__name__} as {name}")
