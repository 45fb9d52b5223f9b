"""The cases as the page's script reads them: short, and nothing told twice.

A prompt is the same under every variant and a passage the same in many answers,
so both stand in tables of their own and are named by their place in them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Generic, TypeVar

from pytest_llm_diagnosis.records import (
    Answer,
    Ask,
    CaseResult,
    Context,
    Finding,
    Ideal,
    Json,
    Message,
    Trial,
    Verdict,
    message_text,
)
from pytest_llm_diagnosis.report.explaining import retrieved_text
from pytest_llm_diagnosis.report.failure import call_text, first_line
from pytest_llm_diagnosis.report.lines import one_line
from pytest_llm_diagnosis.report.view import View
from pytest_llm_diagnosis.report.wording import ASKED, cause_text

_T = TypeVar("_T")

Shared = dict[str, Json]


class _Table(Generic[_T]):
    """Values in the order in which they first came, each of them once."""

    def __init__(self, told: Callable[[_T], Json]) -> None:
        self.rows: list[Json] = []
        self._told = told
        self._places: dict[Hashable, int] = {}

    def place(self, value: _T, key: Hashable) -> int:
        """Return the place of a value in the table; equal keys mean equal values."""
        if key not in self._places:
            self._places[key] = len(self.rows)
            self.rows.append(self._told(value))
        return self._places[key]


def case_data(view: View) -> tuple[Iterator[Json], Shared]:
    """Return the cases, and what they share, which is whole once they are read."""
    teller = _Teller()
    shared: Shared = {
        "prompts": teller.prompts.rows,
        "passages": teller.passages.rows,
        "asked": dict(ASKED),
    }
    return map(teller.case, view.results), shared


class _Teller:
    """Tells cases, and keeps what they share."""

    def __init__(self) -> None:
        self.prompts = _Table(_prompt)
        self.passages = _Table(_passage)

    def case(self, result: CaseResult) -> Json:
        """Return what the page knows of a case; what is nothing is left out."""
        finding = result.finding
        prompt = (result.messages, result.ideal)
        place = self.prompts.place(prompt, str(prompt)) if any(prompt) else None
        told: dict[str, Json] = {
            "id": result.id,
            "nodeid": result.nodeid,
            "file": result.file,
            "line": result.line,
            "mark": result.mark,
            "variant": result.variant,
            "outcome": result.outcome,
            "why": _why(result),
            "prompt": place,
            "trials": [self.trial(trial) for trial in result.trials],
            "cluster": result.cluster,
            "critical": result.critical,
            "pass_at": result.pass_at if len(result.trials) > 1 else None,
            "message": result.message,
            "costume": result.costume,
            "retrieved": retrieved_text(result.retrieved) if result.retrieved else None,
            **(self._finding(finding) if finding else {}),
        }
        return _filled(told)

    def _finding(self, finding: Finding) -> dict[str, Json]:
        return {
            "cause": finding.cause,
            "story": cause_text(finding),
            "untested": list(finding.untested),
            "arms": {
                arm: [self._ask(ask, free="F" in arm) for ask in finding.arms[arm]]
                for arm in ASKED
                if finding.arms.get(arm)
            },
        }

    def _ask(self, ask: Ask, *, free: bool) -> Json:
        seen: dict[str, Json] = {}
        if ask.trial is not None:
            seen = self.trial(ask.trial)
        if free:
            # In free form nothing but facts was graded.
            seen = {name: value for name, value in seen.items() if name != "form"}
        bits = {"facts_right": ask.facts, "form_right": ask.form}
        told = {name: bit for name, bit in bits.items() if bit is not None}
        return {**seen, **told, **({"lost": True} if ask.error else {})}

    def trial(self, trial: Trial) -> dict[str, Json]:
        """Return an answer with its verdicts, or the error in its place."""
        grade = trial.grade
        told: dict[str, Json] = {
            "facts": [_verdict(one) for one in grade.facts],
            "form": [_verdict(one) for one in grade.form],
            "limits": [_verdict(one) for one in grade.limits],
            "error": trial.error,
        }
        if trial.answer is not None:
            told |= self._answer(trial.answer)
        return _filled(told)

    def _answer(self, answer: Answer) -> dict[str, Json]:
        tokens = answer.tokens
        return {
            "text": answer.text,
            "calls": [call_text(call) for call in answer.tool_calls],
            "contexts": [
                self.passages.place(one, (one.source, one.text))
                for one in answer.contexts
            ],
            "tokens": [tokens.prompt, tokens.completion, tokens.cached]
            if tokens
            else None,
            "usd": answer.usd,
            "saved": answer.saved_usd or None,
            "seconds": None if answer.seconds is None else round(answer.seconds, 3),
            "stored": answer.stored,
            "finish": answer.finish_reason if answer.finish_reason != "stop" else None,
        }


def _filled(data: dict[str, Json]) -> dict[str, Json]:
    """Return the data without what is nothing; an answer may well be empty."""
    return {
        name: value
        for name, value in data.items()
        if name == "text"
        or not (value is None or value is False or value in ("", [], {}))
    }


def _why(result: CaseResult) -> str | None:
    if result.outcome == "failed":
        return first_line(result)
    if result.outcome == "passed":
        return None
    return one_line(result.message or "no answer", 100)


def _verdict(verdict: Verdict) -> Json:
    told: list[Json] = [verdict.check, verdict.passed, verdict.code, verdict.reason]
    return [*told, True] if verdict.judged else told


def _prompt(prompt: tuple[Sequence[Message], Ideal | None]) -> Json:
    messages, ideal = prompt
    told: dict[str, Json] = {
        "messages": [[str(one.get("role", "")), message_text(one)] for one in messages]
    }
    if ideal is not None:
        told["ideal"] = "\n".join(
            filter(None, [ideal.text, *map(call_text, ideal.tool_calls)])
        )
    return told


def _passage(context: Context) -> Json:
    return [context.source, context.text]
