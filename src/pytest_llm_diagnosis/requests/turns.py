"""The turns of a request: what the system says, examples, the case's own."""

from __future__ import annotations

import json
from collections.abc import Sequence

from pytest_llm_diagnosis.records import (
    Arm,
    Case,
    Context,
    Ideal,
    Json,
    JsonObject,
    Message,
    Variant,
    message_text,
)

from .prepared import Prepared

NO_DEMAND = "You are a helpful assistant."


def system_turn(case: Case, variant: Variant, arm: Arm) -> tuple[Message, ...]:
    """Put the corpus first, so that providers can cache it, then what is demanded.

    Free form drops what the variant demands and keeps what the case says of
    itself: whom it answers for is no matter of form, and the closing sentence
    lifts a form that stands there.  The gold passage alone replaces the corpus.
    """
    corpus = None if "E" in arm else variant.context
    demand = variant.system
    if "F" in arm and demand:
        # An empty place is filled by many chat templates, with words of theirs.
        demand = None if corpus or case.system else NO_DEMAND
    parts = [part.strip() for part in (corpus, case.system, demand) if part]
    return ({"role": "system", "content": "\n\n".join(parts)},) if parts else ()


def conversation(
    messages: tuple[Message, ...], contexts: tuple[Context, ...], demand: str
) -> tuple[Message, ...]:
    """Return the case's turns; passages open the last one, a demand closes it."""
    if not contexts and not demand:
        return messages
    *earlier, last = messages
    parts = [_passages(contexts), message_text(last), demand]
    content = "\n\n".join(part for part in parts if part)
    return (*earlier, {**last, "content": content})


def _passages(contexts: tuple[Context, ...]) -> str:
    if not contexts:
        return ""
    shown = "\n\n".join(context.text.strip() for context in contexts)
    return f"Use this information to answer:\n\n{shown}"


def example_turns(examples: Sequence[Prepared], demand: str) -> tuple[Message, ...]:
    """Return other cases' questions with their ideal answers, a demand closing each."""
    turns: list[Message] = []
    for number, example in enumerate(examples):
        turns += conversation(example.case.messages, (), demand)
        turns += _ideal_turns(example.case.ideal, number)
    return tuple(turns)


def _ideal_turns(ideal: Ideal | None, number: int) -> list[Message]:
    if ideal is None:
        return []
    if not ideal.tool_calls:
        return [{"role": "assistant", "content": ideal.text}]
    calls: list[Json] = [
        {
            "id": f"call_{number}_{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": _arguments(call.arguments)},
        }
        for index, call in enumerate(ideal.tool_calls)
    ]
    results: list[Message] = [
        {"role": "tool", "tool_call_id": f"call_{number}_{index}", "content": "done"}
        for index in range(len(calls))
    ]
    return [{"role": "assistant", "content": ideal.text, "tool_calls": calls}, *results]


def _arguments(arguments: JsonObject | str) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments)


def ideal_text(ideal: Ideal | None) -> str:
    """Return all that an ideal answer would show, empty where there is none."""
    if ideal is None:
        return ""
    calls = [_arguments(call.arguments) for call in ideal.tool_calls]
    return "\n".join([ideal.text, *calls])
