"""Whole runs over a team's own application, in process and over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import pytest

from comparing import cases_by_id
from conftest import RETURNS, EvalSuite
from model_server import ModelServer, Reply, Served, raw, status
from pytest_llm_diagnosis.records import JsonObject

assert aiohttp
CASES = """\
defaults:
  mark: knowledge
  prompt: How many days do customers have to return unworn boots?
cases:
  - id: cited
    evidence: docs/returns.md#unworn-goods
    facts: [{number: 45}, cites, grounded]
  - id: other
    prompt: Within how many days are worn goods exchanged?
    evidence: docs/returns.md#worn-goods
    facts: [{number: {value: 10, unit: days}}]
"""
VARIANTS = """\
default: app
variants:
  app: {call: "shop:answer", params: {tenant: north}}
  app_http:
    call: "${APP_URL}/answer"
    headers: {Authorization: "Bearer ${APP_TOKEN}"}
    params: {tenant: north}
"""
# What both forms of the application answer; a gold passage in the prompt is read.
SHOP = """\
UNWORN = "Unworn boots may be returned within 45 days of delivery."

def told(question, params):
    assert params == {"tenant": "north"}, params
    if "within 10 days" in question:
        return {"text": "Within 10 days."}
    if "worn goods exchanged" in question:
        passages = [{"text": UNWORN, "source": "kb/1"}]
        return {"text": "Within 45 days.", "contexts": passages}
    passages = [{"text": UNWORN, "source": "kb/1", "score": 3.5}, "Closed on Sunday."]
    return {"text": "You have 45 days [1].", "contexts": passages, "usd": 0.25}

async def answer(request):
    return told(request.messages[-1]["content"], request.params)
"""


def served(request: Served) -> Reply:
    """Answer over HTTP as the module does, to those who bring the token."""
    if request.headers.get("authorization") != "Bearer token-of-the-shop":
        return status(401, "no token")
    scope: dict[str, object] = {}
    exec(SHOP, scope)  # noqa: S102 - the text above
    told = cast("Callable[[str, object], object]", scope["told"])
    answer = told(request.prompt, request.body["params"])
    return raw(json.dumps(answer).encode())


@pytest.fixture
def app_suite(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EvalSuite]:
    """Return a suite whose variants are the application's two forms."""
    empty_suite.write_file("a.eval.yaml", CASES)
    empty_suite.write_file("docs/returns.md", RETURNS)
    empty_suite.write_file("shop.py", SHOP)
    empty_suite.write_file("llm_variants.yaml", VARIANTS)
    monkeypatch.syspath_prepend(empty_suite.path)
    with ModelServer(served) as server:
        monkeypatch.setenv("APP_URL", server.url.removesuffix("/v1"))
        monkeypatch.setenv("APP_TOKEN", "token-of-the-shop")
        yield empty_suite


@pytest.mark.parametrize("variant", ["app", "app_http"])
def test_contexts_are_reported_and_count(app_suite: EvalSuite, variant: str) -> None:
    """They are in the report, `cites` and `grounded` decide by them, they stay."""
    option = f"--llm-variant={variant}"
    first = cases_by_id(app_suite.report(option))
    cited = first["cited"]
    assert cited["outcome"] == "passed"
    (trial,) = cast("list[JsonObject]", cited["trials"])
    assert trial["contexts"] == [
        {
            "text": "Unworn boots may be returned within 45 days of delivery.",
            "source": "kb/1",
            "score": 3.5,
        },
        {"text": "Closed on Sunday.", "source": "", "score": None},
    ]
    assert trial["usd"] == 0.25
    verdicts = cast("list[JsonObject]", trial["facts"])
    assert [verdict["passed"] for verdict in verdicts] == [True, True, True]
    app_suite.run(option, "--llm-record")
    for again in ("--llm-answers=auto", "--llm-answers=replay"):
        later = cases_by_id(app_suite.report(option, again))
        (kept,) = cast("list[JsonObject]", later["cited"]["trials"])
        assert kept["stored"]
        assert kept["contexts"] == trial["contexts"]
        assert later["other"]["note"] == first["other"]["note"]


@pytest.mark.parametrize("variant", ["app", "app_http"])
def test_a_retrieval_miss_of_an_application_is_told(
    app_suite: EvalSuite, variant: str
) -> None:
    """By the words of its passages, whatever it calls them."""
    other = cases_by_id(app_suite.report(f"--llm-variant={variant}"))["other"]
    assert (other["outcome"], other["cause"]) == ("failed", "knowledge")
    assert "retrieval miss" in str(other["note"])


@pytest.mark.parametrize("source", ["kb/1", "docs/returns.md#worn-goods"])
def test_a_passage_that_was_there_distracted(app_suite: EvalSuite, source: str) -> None:
    """It is known by its words or by its source."""
    text = "Worn goods are exchanged once, within 10 days." if source == "kb/1" else "x"
    passages = json.dumps([{"text": text, "source": source}])
    shop = SHOP.replace('[{"text": UNWORN, "source": "kb/1"}]', passages)
    assert shop != SHOP
    app_suite.write_file("shop.py", shop)
    other = cases_by_id(app_suite.report())["other"]
    assert other["cause"] == "knowledge"
    assert "distracted" in str(other["note"])


def test_a_wrong_token_is_an_error_that_shows_none(
    app_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application's message comes after the URL as written; asked once."""
    monkeypatch.setenv("APP_TOKEN", "wrong-token-of-mine")
    result = app_suite.run("--llm-variant=app_http", "--llm-probe=off")
    result.assert_outcomes(errors=2)
    result.stdout.no_fnmatch_line("*wrong-token-of-mine*")
    result.stdout.fnmatch_lines(["*${APP_URL}/answer: no token (HTTP 401)*"])


def test_a_replay_needs_neither_application_nor_variables(
    app_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recording holds the URL as written, and no header."""
    app_suite.run("--llm-variant=app_http", "--llm-record")
    recording = (app_suite.path / "recordings/app_http.jsonl").read_text("utf-8")
    assert "${APP_URL}/answer" in recording
    assert "token" not in recording.casefold()
    for name in ("APP_URL", "APP_TOKEN"):
        monkeypatch.delenv(name)
    report = app_suite.report("--llm-variant=app_http", "--llm-answers=replay")
    assert cast("JsonObject", report["run"])["calls"] == 0
    assert cases_by_id(report)["cited"]["outcome"] == "passed"
