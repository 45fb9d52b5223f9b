"""What a failed case shows: the prompt, the answer, what was wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.records import (
    Answer,
    CaseResult,
    Context,
    Message,
    ToolCall,
    Trial,
    Verdict,
    message_text,
)

from .lines import Line, one_line, printable

SHOWN = 600
"""Characters of a text shown without `-vv`."""

_SOURCE = 200
"""Characters of a passage's name, which an application may make up."""


def first_line(result: CaseResult) -> str:
    """Return one line that says what failed: `number:missing: expected 45 ...`."""
    for trial in result.trials:
        for verdict in trial.grade.verdicts:
            if verdict.passed is False:
                return one_line(f"{verdict.code or verdict.check}: {verdict.reason}")
    return "failed"


def failure_lines(
    result: CaseResult, messages: Sequence[Message], *, full: bool
) -> list[Line]:
    """Return the failure as lines; long texts are cut unless `full`."""
    return list(_failure(result, messages, SHOWN if not full else None))


def exchange_lines(
    messages: Sequence[Message], answer: Answer, *, full: bool
) -> list[Line]:
    """Return what a Python test asked and what it got, cut unless `full`."""
    most = None if full else SHOWN
    lines = [*_conversation(messages, most)]
    if answer.contexts:
        lines += _contexts(answer.contexts, most)
    lines += _block("answer", answer.text or "(no text)", most)
    for call in answer.tool_calls:
        lines += _block("tool call", call_text(call), most)
    return lines


def _conversation(messages: Sequence[Message], most: int | None) -> Iterator[Line]:
    for message in messages:
        yield from _block(str(message.get("role", "")), message_text(message), most)


def _failure(
    result: CaseResult, messages: Sequence[Message], most: int | None
) -> Iterator[Line]:
    yield Line(f"{result.file}:{result.line}: {first_line(result)}", "head")
    yield Line(f"{printable(result.id)} ({result.mark}), asked of {result.variant}")
    yield from _conversation(messages, most)
    for number, trial in enumerate(result.trials, start=1):
        if trial.grade.all_passed is True:
            continue
        if len(result.trials) > 1:
            yield Line(f"trial {number} of {len(result.trials)}:", "head")
        yield from trial_lines(trial, most)


def trial_lines(trial: Trial, most: int | None) -> Iterator[Line]:
    """Yield an answer and the verdicts that are not good, or the error."""
    answer = trial.answer
    if answer is None:
        yield Line(f"error: {printable(trial.error or '')}", "bad")
        return
    if answer.contexts:
        yield from _contexts(answer.contexts, most)
    yield from _block("answer", answer.text or "(no text)", most)
    for call in answer.tool_calls:
        yield from _block("tool call", call_text(call), most)
    for dimension in ("facts", "form", "limits"):
        for verdict in getattr(trial.grade, dimension):
            if verdict.passed is not True:
                yield from _verdict(dimension, verdict)


def _verdict(dimension: str, verdict: Verdict) -> Iterator[Line]:
    what = "failed" if verdict.passed is False else "ungraded"
    head, *rest = printable(verdict.reason).split("\n")
    yield Line(
        f"{dimension}: {verdict.check} {what} [{verdict.code}] {head}",
        "bad" if verdict.passed is False else "warn",
    )
    for row in rest:
        yield Line(f"  {row}", "bad")


def _contexts(contexts: Sequence[Context], most: int | None) -> Iterator[Line]:
    yield Line(f"contexts ({len(contexts)}):", "dim")
    for number, context in enumerate(contexts, start=1):
        source = one_line(context.source, _SOURCE)
        yield from _block(f"  [{number}] {source}", context.text, most)


def _block(name: str, text: str, most: int | None) -> Iterator[Line]:
    yield Line(f"{name}:", "dim")
    for row in printable(_cut(text, most)).split("\n"):
        yield Line(f"  {row}")


def _cut(text: str, most: int | None) -> str:
    if most is None or len(text) <= most:
        return text
    return f"{text[:most]}\n... {len(text) - most} more characters (-vv shows all)"


def call_text(call: ToolCall) -> str:
    """Return a tool call on one line."""
    if isinstance(call.arguments, str):
        return f"{call.name} {call.arguments}"
    return f"{call.name} {json.dumps(call.arguments, ensure_ascii=False)}"
