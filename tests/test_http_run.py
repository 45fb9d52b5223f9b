"""Whole runs against a loopback provider that misbehaves."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import pytest

from comparing import cases_by_id
from conftest import EvalSuite
from model_server import (
    Faults,
    ModelServer,
    Reply,
    Served,
    answered,
    completion,
    ended,
    http_date,
    quota_spent,
    raw,
    status,
    too_many,
)
from pytest_llm_diagnosis.engine import RetryPolicy
from pytest_llm_diagnosis.records import JsonObject

assert aiohttp
CASES = 60
TOO_LONG = "This model's maximum context length is 8192 tokens"

# What the provider does, what the first line says of it, and how often it is asked.
ENDS = {
    "http-500": (status(500, "the engine stumbled"), "the engine stumbled", 2),
    "http-503": (status(503, "overloaded"), "overloaded", 2),
    "http-429": (too_many("0"), "Rate limit reached", 2),
    "http-429-late": (too_many("3600"), "Rate limit reached", 1),
    "http-429-dated": (
        too_many(http_date(time.time() + 7200)),
        "Rate limit reached",
        1,
    ),
    "quota": (quota_spent(), "You exceeded your current quota", 1),
    "http-401": (status(401, "Incorrect API key provided"), "Incorrect API key", 1),
    "http-403": (status(403, "Country not supported"), "Country not supported", 1),
    "http-404": (
        status(404, "The model `x` does not exist", error_code="model_not_found"),
        "The model `x` does not exist",
        1,
    ),
    "http-400": (
        status(400, TOO_LONG, error_code="context_length_exceeded"),
        TOO_LONG,
        1,
    ),
    "reset": (ended("reset"), "", 2),
    "half": (ended("half"), "", 2),
    "stall": (ended("stall"), "within 0.5 s", 2),
    "slow": (answered("yes", delay=5), "within 0.5 s", 2),
    "no-json": (raw(b"<html>busy</html>"), "the provider's answer", 2),
    "html": (raw(b"<html>busy</html>", content_type="text/html"), "", 1),
    "no-choices": (completion([]), "the provider's answer holds no choices", 1),
}
GRADED = {
    "nothing": answered(None),
    "broken-call": answered(None, tool_calls=[{"name": "log", "arguments": '{"a": '}]),
    "good": answered("yes"),
    "late-byte": answered("yes", delay=0.1),
}


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let retries follow at once."""
    defaults = {
        **(RetryPolicy.__init__.__kwdefaults__ or {}),
        "first_pause": 0.001,
        "longest_pause": 0.002,
    }
    monkeypatch.setattr(RetryPolicy.__init__, "__kwdefaults__", defaults)


@pytest.fixture
def http_suite(empty_suite: EvalSuite) -> EvalSuite:
    """Return a suite whose variant is a provider at `LOOPBACK_URL`."""
    text = "default: b\nvariants: {b: {model: openai/x, api_base: '${LOOPBACK_URL}'}}\n"
    empty_suite.write_file("llm_variants.yaml", text)
    return empty_suite


def ask(suite: EvalSuite, prompts: list[str]) -> None:
    """Write a case for each prompt, which wants the answer `yes`."""
    lines = [f"  - {{id: {prompt}, prompt: {prompt}}}" for prompt in prompts]
    head = "defaults: {mark: knowledge, facts: [contains: 'yes']}\ncases:"
    suite.write_file("a.eval.yaml", "\n".join([head, *lines, ""]))


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Run a provider that does what the prompt names."""

    def reply(request: Served) -> Reply:
        ends = ENDS.get(request.prompt)
        return ends[0] if ends else GRADED[request.prompt]

    with ModelServer(reply) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        yield server


@pytest.mark.usefixtures("short_pauses")
def test_each_fault_ends_in_its_outcome(
    http_suite: EvalSuite, misbehaving: ModelServer
) -> None:
    """The provider's message is in the first line; an answer is paid once."""
    ask(http_suite, [*ENDS, *GRADED])
    cases = cases_by_id(
        http_suite.report("--llm-attempts=2", "--llm-timeout=0.5", "--llm-probe=off")
    )
    asked = [request.prompt for request in misbehaving.requests]
    for name, (_, said, tries) in ENDS.items():
        assert cases[name]["outcome"] == "error", name
        first, *_ = str(cases[name]["message"]).splitlines()
        assert said in first, (name, first)
        assert first.endswith(f"(after {tries} tries)") == (tries > 1), (name, first)
        assert asked.count(name) == tries, name
    outcomes = {name: cases[name]["outcome"] for name in GRADED}
    assert outcomes == {
        "nothing": "failed",
        "broken-call": "failed",
        "good": "passed",
        "late-byte": "passed",
    }
    assert all(asked.count(name) == 1 for name in GRADED)


@pytest.mark.usefixtures("short_pauses")
@pytest.mark.parametrize("share", [0.05, 0.3])
@pytest.mark.parametrize(
    "fault",
    [
        status(500, "stumbled"),
        too_many("0"),
        too_many(http_date(0.0)),
        ended("reset"),
        ended("half"),
    ],
    ids=["500", "429", "429-dated", "reset", "half"],
)
def test_passing_faults_cost_no_answer(
    http_suite: EvalSuite,
    monkeypatch: pytest.MonkeyPatch,
    share: float,
    fault: Reply,
) -> None:
    """Every case is answered, each paid once, and what was retried is told."""
    ask(http_suite, [f"q{number}" for number in range(CASES)])
    faults = Faults(share=share, replies=[fault])
    with ModelServer(lambda _: "yes", faults=faults) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        result = http_suite.run("-Werror", "--llm-concurrency=8")
        served = server.served
        http_suite.run("-Werror").assert_outcomes(passed=CASES)
        assert server.served == served, "the second run calls nobody"
    result.assert_outcomes(passed=CASES)
    assert len(server.paid) == CASES
    assert set(server.paid.values()) == {1}
    assert server.served > CASES
    assert f"{server.served - CASES} retries" in result.stdout.str()


def test_a_limit_of_calls_a_second_is_kept(
    http_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are answered, and few are refused."""
    ask(http_suite, [f"q{number}" for number in range(CASES)])
    with ModelServer(lambda _: "yes", rate_limit=30) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        result = http_suite.run("--llm-concurrency=64")
    result.assert_outcomes(passed=CASES)
    assert set(server.paid.values()) == {1}
    assert server.served < 2 * CASES


def test_workers_share_the_calls(
    http_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each worker has connections of its own; no call is made twice."""
    ask(http_suite, [f"q{number}" for number in range(CASES)])
    with ModelServer(lambda _: "yes") as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        http_suite.run("-n2").assert_outcomes(passed=CASES)
        assert server.served == CASES


def test_tokens_are_counted_and_an_unknown_price_stays_unknown(
    http_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A local server's answer costs nothing that is known, which is not 0."""
    ask(http_suite, ["q0"])
    with ModelServer(lambda _: "yes") as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        report = http_suite.report("--llm-probe=off")
    (trial,) = cast("list[JsonObject]", cases_by_id(report)["q0"]["trials"])
    assert trial["usd"] is None
    assert trial["tokens"] == {"prompt": 7, "completion": 3, "cached": 0}
