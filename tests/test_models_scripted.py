"""The scripted model: which rule answers, and scripts with mistakes in them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import InputError, ModelError
from pytest_llm_diagnosis.models import (
    Model,
    Rule,
    ScriptedError,
    ScriptedModel,
    load_script,
)
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    Context,
    Json,
    Request,
    Tokens,
    ToolCall,
)

BAD_PATTERN = (
    "'matches' is not a regular expression:"
    " missing ), unterminated subpattern at position 0"
)


def request(
    prompt: Json = "How many days?",
    *,
    system: str = "",
    variant: str = "base",
    arm: Arm = "first",
    trial: int = 0,
) -> Request:
    """Return a conversation that ends in a prompt."""
    return Request(
        key="k",
        case="c",
        variant=variant,
        messages=(
            {"role": "system", "content": system},
            {"role": "user", "content": "an earlier turn"},
            {"role": "assistant", "content": "an earlier answer"},
            {"role": "user", "content": prompt},
        ),
        arm=arm,
        trial=trial,
        contexts=(Context(text="passage"),),
    )


def ask(model: Model, asked: Request) -> Answer:
    """Return one answer."""
    return asyncio.run(model.answer(asked))


@pytest.mark.parametrize(
    ("rule", "asked", "applies"),
    [
        (Rule(), request(), True),
        (Rule(contains="days"), request(), True),
        (Rule(contains="weeks"), request(), False),
        (Rule(contains="earlier"), request(), False),
        (Rule(contains="days"), request([{"type": "text", "text": "days"}]), True),
        (Rule(matches=r"^How \w+"), request(), True),
        (Rule(matches=r"^many"), request(), False),
        (Rule(system="brief"), request(system="Be brief."), True),
        (Rule(system="brief"), request("brief"), False),
        (Rule(variant="rag"), request(variant="rag"), True),
        (Rule(variant="rag"), request(), False),
        (Rule(arm="E"), request(arm="E"), True),
        (Rule(arm="E"), request(), False),
        (Rule(trial=0), request(), True),
        (Rule(trial=0), request(trial=1), False),
        (Rule(contains="days", arm="E"), request(), False),
    ],
)
def test_a_rule_applies_when_all_it_states_is_true(
    rule: Rule, asked: Request, *, applies: bool
) -> None:
    """Each condition alone, and two together."""
    assert rule.applies(asked) is applies


def test_the_first_matching_rule_answers() -> None:
    """With everything an answer has; contexts are those of the request."""
    calls = (ToolCall(name="log", arguments={}),)
    tokens = Tokens(prompt=3)
    model = ScriptedModel(
        [
            Rule(contains="weeks", text="no"),
            Rule(contains="days", text="yes", tool_calls=calls, tokens=tokens),
            Rule(text="late"),
        ]
    )
    assert ask(model, request()) == Answer(
        text="yes",
        tool_calls=calls,
        contexts=(Context(text="passage"),),
        tokens=tokens,
        seconds=0.0,
        finish_reason="stop",
    )
    assert ask(model, request("?")).text == "late"
    assert [asked.messages[-1]["content"] for asked in model.requests] == [
        "How many days?",
        "?",
    ]


def test_a_rule_can_be_used_up() -> None:
    """Two errors, then an answer: what a retry needs."""
    error = ScriptedError(message="busy", status=503, retry_after=0.5)
    model = ScriptedModel([Rule(error=error, times=2), Rule(text="ok")])
    for _ in range(2):
        with pytest.raises(ModelError, match="busy") as caught:
            ask(model, request())
        assert caught.value.status == 503
        assert caught.value.retryable
        assert caught.value.retry_after == 0.5
    assert ask(model, request()).text == "ok"


@pytest.mark.parametrize(
    ("status", "retryable"),
    [(None, True), (429, True), (408, True), (500, True), (401, False), (400, False)],
)
def test_scripted_errors_are_retryable_like_real_ones(
    status: int | None, *, retryable: bool
) -> None:
    """The same rule as for providers; no status is a connection fault."""
    assert ScriptedError(status=status).raised().retryable is retryable


def test_a_delay_is_waited_for() -> None:
    """And reported as the seconds of the call."""
    begun = time.perf_counter()
    answer = ask(ScriptedModel([Rule(text="ok", delay=0.05)]), request())
    assert time.perf_counter() - begun >= 0.05
    assert answer.seconds == 0.05


def test_a_request_without_a_rule_is_an_error() -> None:
    """It names the script and shows what was asked, cut short."""
    model = ScriptedModel([Rule(contains="x")], source="answers.yaml")
    with pytest.raises(ModelError) as caught:
        ask(model, request("How " * 100, arm="E"))
    assert str(caught.value).startswith("answers.yaml has no rule for 'How How")
    assert "(variant base, arm E, trial 0)" in str(caught.value)
    assert not caught.value.retryable


def test_a_script_is_loaded_from_yaml(tmp_path: Path) -> None:
    """Every key a rule can have."""
    path = tmp_path / "answers.yaml"
    path.write_text(
        """
rules:
  - {contains: days, arm: E, trial: 1, variant: rag, system: brief, text: "45"}
  - matches: ^How many
    delay: 0
    tokens: {prompt: 4, completion: 2, cached: 1}
    finish_reason: length
    tool_calls:
      - {name: log, arguments: {urgent: true, list: [1]}}
      - {name: log, arguments: "{broken"}
      - {name: log}
  - {times: 1, error: {status: 429, message: slow down, retry_after: 0.5}}
  - {error: {}}
"""
    )
    model = load_script(path)
    answer = ask(model, request("How many?"))
    assert answer.tool_calls == (
        ToolCall(name="log", arguments={"urgent": True, "list": [1]}),
        ToolCall(name="log", arguments="{broken"),
        ToolCall(name="log", arguments={}),
    )
    assert answer.tokens == Tokens(prompt=4, completion=2, cached=1)
    assert answer.finish_reason == "length"
    special = request(arm="E", trial=1, variant="rag", system="brief")
    assert ask(model, special).text == "45"
    for message, status in (("slow down", 429), ("scripted error", None)):
        with pytest.raises(ModelError, match=message) as caught:
            ask(model, request("?"))
        assert caught.value.status == status


def test_all_mistakes_of_a_script_are_named_at_their_lines(tmp_path: Path) -> None:
    """At once, each with its line and what would be right."""
    path = tmp_path / "answers.yaml"
    path.write_text(
        """rules:
  - contain: days
    text: 45
  - {text: ok, arm: Q}
  - {text: ok, matches: "("}
  - {contains: days}
  - just text
  - {text: ok, times: -1}
  - {text: ok, delay: true}
  - error: {status: teapot}
  - tool_calls:
      - log
      - {arguments: {}}
      - {name: log, arguments: 3}
  - {text: ok, tokens: {promt: 3}}
rule: []
"""
    )
    with pytest.raises(InputError) as caught:
        load_script(path)
    found = [
        (problem.location.line, problem.finding) for problem in caught.value.problems
    ]
    assert found == [
        (2, "unknown key 'contain'"),
        (3, "'text' must be text in quotes"),
        (4, "unknown arm 'Q'"),
        (5, BAD_PATTERN),
        (6, "the rule answers nothing"),
        (7, "a rule must be a mapping"),
        (8, "'times' must be a whole number from 0"),
        (9, "'delay' must be a number from 0"),
        (10, "'status' must be a whole number from 0"),
        (12, "a tool call must be a mapping"),
        (13, "the tool call has no name"),
        (14, "'arguments' must be a mapping or text"),
        (15, "unknown key 'promt'"),
        (16, "unknown key 'rule'"),
    ]  # fmt: skip
    assert "did you mean 'contains'?" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("- {text: a}", ":1: not a script of answers"),
        ("{}", ":1: 'rules' is missing"),
        ("rules: [", "not YAML"),
        ("", "empty"),
    ],
)
def test_a_file_that_is_no_script_is_refused(
    tmp_path: Path, text: str, finding: str
) -> None:
    """Whatever is wrong with it as a whole."""
    path = tmp_path / "answers.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=finding):
        load_script(path)
