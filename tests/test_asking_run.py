"""Runs whose checks ask models of their own: judges and embeddings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import litellm
import pytest

from comparing import cases_by_id
from conftest import EvalSuite
from model_server import ModelServer, Reply, Served, raw
from pytest_llm_diagnosis.records import JsonObject

assert aiohttp
assert litellm
EVALS = """\
defaults: {mark: behavior}
cases:
  - id: kind
    prompt: kind
    form: [{judge: {model: openai/judge, api_base: "${JUDGE_URL}", rubric: Be kind.}}]
  - id: rude
    prompt: rude
    form: [{judge: {model: openai/judge, api_base: "${JUDGE_URL}", rubric: Be kind.}}]
  - id: wrong-and-rude
    prompt: rude
    facts: [contains: Oslo]
    form: [{judge: {model: openai/judge, api_base: "${JUDGE_URL}", rubric: Be kind.}}]
  - id: torn
    prompt: rude
    form:
      - judge:
          {model: openai/odd, api_base: "${JUDGE_URL}", rubric: Be kind., votes: 3}
"""
SIMILAR = """\
cases:
  - id: near
    mark: knowledge
    prompt: kind
    facts: [{similar: {text: hello, model: openai/e, api_base: "${JUDGE_URL}"}}]
  - id: far
    mark: knowledge
    prompt: rude
    facts: [{similar: {text: hello, model: openai/e, api_base: "${JUDGE_URL}"}}]
"""
APP = """\
def answer(request):
    return "Dear you" if "kind" in request.messages[-1]["content"] else "Go away"
"""


def replied(request: Served) -> Reply | str:
    """Judge by a word; embed the rude one aside."""
    if request.path.endswith("/embeddings"):
        vectors = [
            [0.0, 1.0] if "Go" in t else [1.0, 0.1] for t in request.body["input"]
        ]
        data = [
            {"object": "embedding", "index": number, "embedding": vector}
            for number, vector in enumerate(vectors)
        ]
        usage = {"prompt_tokens": 5, "total_tokens": 5}
        body = {"object": "list", "data": data, "model": "e", "usage": usage}
        return raw(json.dumps(body).encode())
    if request.body["model"] == "odd":
        return "I would rather not say."
    kind = "Dear you" in request.prompt
    return json.dumps({"reason": "Go away is rude.", "passed": kind})


@pytest.fixture
def judged(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[EvalSuite, ModelServer]]:
    """Return a suite of an application, and the server of its judges."""
    empty_suite.write_file("app.py", APP)
    variants = "default: app\nvariants: {app: {call: 'app:answer'}}\n"
    empty_suite.write_file("llm_variants.yaml", variants)
    with ModelServer(replied) as server:
        monkeypatch.setenv("JUDGE_URL", server.url)
        yield empty_suite, server


def test_a_judge_fails_cases_and_decides_no_cause(
    judged: tuple[EvalSuite, ModelServer],
) -> None:
    """Its calls are counted apart, and it is not asked when causes are looked for."""
    suite, server = judged
    suite.write_file("a.eval.yaml", EVALS)
    report = suite.report()
    cases = cases_by_id(report)
    outcomes = {name: case["outcome"] for name, case in cases.items()}
    assert outcomes == {
        "kind": "passed",
        "rude": "failed",
        "wrong-and-rude": "failed",
        "torn": "error",
    }
    assert "judge:unreadable" in str(cases["torn"]) or "majority" in str(cases["torn"])
    assert cases["rude"]["cause"] is None
    assert cases["wrong-and-rude"]["cause"] is not None
    # Two cases ask the same of the same judge, which is paid once.
    run = cast("JsonObject", report["run"])
    assert run["check_calls"] == server.served == 2 + 3
    result = suite.run("--llm-probe=off")
    result.stdout.fnmatch_lines(["failed *knowledge *behavior *judge *"])
    assert server.served == 5, "the second run asks no judge"


def test_a_judge_is_recorded_and_replayed(
    judged: tuple[EvalSuite, ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A replay needs neither the judge nor its address."""
    suite, server = judged
    suite.write_file("a.eval.yaml", EVALS)
    before = cases_by_id(suite.report("--llm-record", "--llm-probe=off"))
    served = server.served
    monkeypatch.delenv("JUDGE_URL")
    after = cases_by_id(suite.report("--llm-answers=replay", "--llm-probe=off"))
    for name, case in before.items():
        assert after[name]["outcome"] == case["outcome"]
    assert server.served == served


def test_a_judge_without_an_address(
    judged: tuple[EvalSuite, ModelServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case is ungraded, and says which variable is not set."""
    suite, _ = judged
    suite.write_file("a.eval.yaml", EVALS)
    monkeypatch.delenv("JUDGE_URL")
    result = suite.run("-k", "kind", "--llm-probe=off")
    result.assert_outcomes(errors=1, deselected=3)
    result.stdout.fnmatch_lines(["*the variable 'JUDGE_URL' is not set*"])


def test_similarity_decides_like_any_check(
    judged: tuple[EvalSuite, ModelServer],
) -> None:
    """It votes: a failing case is asked again, and its answers compared."""
    suite, server = judged
    suite.write_file("a.eval.yaml", SIMILAR)
    cases = cases_by_id(suite.report())
    assert cases["near"]["outcome"] == "passed"
    assert cases["far"]["outcome"] == "failed"
    assert cases["far"]["cause"] is not None
    assert "similarity 0.10 to 'hello' is below 0.8" in str(cases["far"]["trials"])
    # The rude answer is always the same one, so it is compared once.
    assert server.served == 2
