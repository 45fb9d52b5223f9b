"""Runs in the direct lane, against a server that misbehaves."""

from __future__ import annotations

from typing import cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import pytest

import pytest_llm_diagnosis.plugin.running
import pytest_llm_diagnosis.report.terminal
from conftest import EvalSuite
from model_server import (
    Faults,
    ModelServer,
    Reply,
    Script,
    ended,
    raw,
    status,
    too_many,
)
from pytest_llm_diagnosis.engine import RetryPolicy
from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.records import JsonObject

assert aiohttp
assert pytest_llm_diagnosis.plugin.running
assert pytest_llm_diagnosis.report.terminal
CASES = 60
TRIES = 9


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once, often enough for any share of faults."""

    def pause(
        _policy: RetryPolicy, attempt: int, error: ModelError, _chance: float
    ) -> float | None:
        return 0.001 if error.retryable and attempt < TRIES else None

    monkeypatch.setattr(RetryPolicy, "pause", pause)


def write_suite(suite: EvalSuite, server: ModelServer, count: int) -> None:
    """Write cases that ask a server, each something else."""
    text = f"{{model: openai/m, api_base: '{server.url}', lane: direct}}"
    suite.write_file("llm_variants.yaml", f"default: base\nvariants: {{base: {text}}}")
    lines = [f"  - {{id: c{number}, prompt: 'q {number}'}}" for number in range(count)]
    head = "defaults: {mark: knowledge, facts: [contains: 'yes']}\ncases:"
    suite.write_file("good.eval.yaml", "\n".join([head, *lines, ""]))


def run(suite: EvalSuite, *arguments: str) -> pytest.RunResult:
    """Run with every warning an error, those of unclosed connections among them."""
    return suite.run("-Werror", "--llm-probe=off", "good.eval.yaml", *arguments)


FAULTS = [
    status(500, "It broke"),
    status(503, "Overloaded"),
    too_many("0"),
    ended("reset"),
    ended("half"),
]


def test_every_case_is_answered_and_paid_once(empty_suite: EvalSuite) -> None:
    """With three faults in ten calls; a second run calls nobody."""
    faults = Faults(share=0.3, replies=FAULTS)
    with ModelServer(lambda _sent: "yes", faults=faults) as server:
        write_suite(empty_suite, server, CASES)
        run(empty_suite).assert_outcomes(passed=CASES)
        assert sorted(server.paid.values()) == [1] * CASES
        served = server.served
        assert served > CASES
        run(empty_suite).assert_outcomes(passed=CASES)
        assert server.served == served


def test_workers_share_the_calls(empty_suite: EvalSuite) -> None:
    """Each worker has connections of its own; no call is made twice."""
    with ModelServer(lambda _sent: "yes") as server:
        write_suite(empty_suite, server, CASES)
        run(empty_suite, "-n2").assert_outcomes(passed=CASES)
        assert server.served == CASES


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (status(401, "Incorrect API key"), "Incorrect API key (HTTP 401)"),
        (status(400, "context length is 8"), "context length is 8 (HTTP 400)"),
        (status(500, "It broke"), f"It broke (HTTP 500) (after {TRIES} tries)"),
        (raw(b"<p>", content_type="text/html"), "the provider's answer is not a chat"),
    ],
)
def test_the_first_line_is_the_providers(
    empty_suite: EvalSuite, reply: Reply, said: str
) -> None:
    """An error of the case, at its line."""
    script: Script = lambda _sent: reply  # noqa: E731 - a script is a function of a request
    with ModelServer(script) as server:
        write_suite(empty_suite, server, 1)
        result = run(empty_suite)
    result.assert_outcomes(errors=1)
    assert f"good.eval.yaml:3: {said}" in " ".join(result.stdout.str().split())


def test_a_price_and_its_tokens_are_reported(empty_suite: EvalSuite) -> None:
    """A local server's are counted, and cost nothing known."""
    with ModelServer(lambda _sent: "yes") as server:
        write_suite(empty_suite, server, 2)
        report = empty_suite.report("--llm-probe=off")
    cases = cast("list[JsonObject]", report["cases"])
    trials = [cast("list[JsonObject]", case["trials"])[0] for case in cases]
    assert [trial["usd"] for trial in trials] == [None, None]
    assert [trial["tokens"] for trial in trials] == [
        {"prompt": 7, "completion": 3, "cached": 0}
    ] * 2
