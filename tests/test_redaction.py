"""Secrets never leave the process: canaries are looked for in every byte written."""

from __future__ import annotations

import json

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import litellm
import pytest

from conftest import EvalSuite
from model_server import ModelServer, Reply, Served, status
from pytest_llm_diagnosis.records import Answer, Context, Endpoint, ToolCall
from pytest_llm_diagnosis.redaction import Redactor, secrets_of

assert aiohttp
assert litellm
CANARY = "canary-7f3a9b1c"


def test_an_answer_loses_its_secrets_and_nothing_else() -> None:
    """Text, tool calls and contexts are searched; the rest stays as it is."""
    answer = Answer(
        text=f"the key is {CANARY}.",
        tool_calls=(
            ToolCall(name="call", arguments={"key": CANARY, "n": 1}),
            ToolCall(name="call", arguments=f"broken {CANARY}"),
        ),
        contexts=(Context(text=f"see {CANARY}", source="docs/a.md"),),
        usd=0.5,
    )
    redacted = Redactor([CANARY]).answer(answer)
    assert CANARY not in str(redacted)
    assert redacted.text == "the key is ***."
    assert redacted.tool_calls[0].arguments == {"key": "***", "n": 1}
    assert (redacted.usd, redacted.contexts[0].source) == (0.5, "docs/a.md")


def test_the_longest_secret_goes_first() -> None:
    """A secret that holds another one leaves no rest of it."""
    redactor = Redactor(["secret-of-eight", "secret-of-eight-and-more", "short"])
    assert redactor.text("x secret-of-eight-and-more y short") == "x *** y short"


def test_what_counts_as_secret() -> None:
    """Variables that the variants name, and those that look like keys."""
    written = Endpoint(model="openai/m", params={"user": "${WHO_ASKS}"})
    environment = {"WHO_ASKS": "a", "OPENAI_API_KEY": "b", "HOME": "c", "X_TOKEN": "d"}
    environment["JUDGE"] = "e"
    assert set(secrets_of([written, ("m", "${JUDGE}")], environment)) == {
        "a",
        "b",
        "d",
        "e",
    }


def test_no_byte_written_holds_a_canary(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terminal, report, recording, store and JUnit of an app that leaks its key."""
    monkeypatch.setenv("LEAKED_API_KEY", CANARY)
    suite.write_file("llm_variants.yaml", LEAKING_VARIANTS)
    suite.write_file("leaking.py", LEAKING_APP)
    result = suite.run(
        "-vv", "--llm-record", "--junitxml=j.xml", "--llm-report=r.json", "-rA"
    )
    result.assert_outcomes(failed=2, errors=1)
    assert CANARY not in result.stdout.str() + result.stderr.str()
    written = [path for path in suite.path.rglob("*") if path.is_file()]
    assert {"j.xml", "r.json", "base.jsonl", "answers.sqlite"} <= {
        path.name for path in written
    }
    leaks = [path.name for path in written if CANARY.encode() in path.read_bytes()]
    assert leaks == []


ECHOED = """\
default: base
variants:
  base:
    model: openai/m
    api_base: "${LOOPBACK_URL}"
    api_key: "${ODD_NAME}"
    params: {stop: ["${OTHER_NAME}"]}
"""
ECHOING = """\
defaults: {mark: behavior}
cases:
  - {id: told, prompt: "tell", facts: [contains: "no such words"]}
  - {id: refused, prompt: "refuse", facts: [contains: "yes"]}
  - id: judged
    prompt: tell
    form:
      - judge:
          {model: openai/j, api_base: "${LOOPBACK_URL}/${THIRD_NAME}", rubric: Be kind.}
"""


@pytest.mark.parametrize("lane", ["direct", "litellm"])
def test_no_byte_written_holds_what_a_provider_echoes(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch, lane: str
) -> None:
    """Keys and parameters come back in answers and errors, also from a judge."""
    canaries = {name: f"{CANARY}-{name}" for name in ("ODD", "OTHER", "THIRD")}

    def echo(request: Served) -> Reply | str:
        said = f"{request.headers.get('authorization')} {request.body} {request.path}"
        if request.path.count("/") > 3:
            return json.dumps({"reason": said, "passed": False})
        return status(401, said) if request.prompt == "refuse" else said

    with ModelServer(echo) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        for name, canary in canaries.items():
            monkeypatch.setenv(f"{name}_NAME", canary)
        empty_suite.write_file("llm_variants.yaml", f"{ECHOED}    lane: {lane}\n")
        empty_suite.write_file("a.eval.yaml", ECHOING)
        result = empty_suite.run(
            "-vv", "--llm-record", "--junitxml=j.xml", "--llm-report=r.json", "-rA"
        )
        seen = "".join(
            f"{one.headers} {one.body} {one.path}" for one in server.requests
        )
    result.assert_outcomes(failed=2, errors=1)
    assert all(canary in seen for canary in canaries.values()), "all were sent"
    assert CANARY not in result.stdout.str() + result.stderr.str()
    written = [path for path in empty_suite.path.rglob("*") if path.is_file()]
    leaks = [path.name for path in written if CANARY.encode() in path.read_bytes()]
    assert leaks == []


LEAKING_VARIANTS = """\
default: base
variants:
  base: {call: "leaking:answer"}
"""
LEAKING_APP = """\
import os

def answer(request):
    key = os.environ["LEAKED_API_KEY"]
    if "capital" in str(request.messages):
        raise RuntimeError(f"401 for key {key}")
    return f"my key is {key}"
"""
