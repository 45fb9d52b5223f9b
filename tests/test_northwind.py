"""The example company's assistant, in process and over HTTP, on a scripted model."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import jsonschema
import pytest

from model_server import ModelServer, Served, answered, status
from pytest_llm_diagnosis.records import Json, JsonObject, Request
from pytest_llm_diagnosis.schema import call_schema

SUITE = Path(__file__).parent.parent / "example_suite"
ASKED: JsonObject = {
    "messages": [
        {"role": "system", "content": "Speak plainly."},
        {"role": "user", "content": "How many years of warranty does a tent have?"},
    ],
    "tools": [],
    "params": {},
    "variant": "app_http",
}


def smollm2(request: Served) -> str:
    """Read the answer off a passage, where one is shown."""
    system = str(request.body["messages"][0]["content"])
    shown = "Tents: Tents have a warranty of 7 years." in system
    return "7 years [1]." if shown else "I am not sure."


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `northwind` be found, as the suite's conftest.py lets it."""
    monkeypatch.syspath_prepend(SUITE)


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Give a scripted model in the place of SmolLM2."""
    with ModelServer(smollm2) as server:
        monkeypatch.setenv("SMOLLM2_URL", server.url)
        yield server


def post(body: object) -> tuple[int, Json]:
    """Return status and body of the web service's answer, asked as ASGI is."""
    import httpx
    from northwind.api import app

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://a") as web:
            return await web.post("/answer", json=body)

    response = asyncio.run(call())
    return response.status_code, response.json()


def test_every_section_of_the_documents_is_found() -> None:
    """The heading of each, as a question, leads to it among two."""
    from northwind.search import _sections, search

    sections = _sections()
    assert len(sections) > 20
    missed = [
        section.source
        for section in sections
        if section.source not in [one.section.source for one in search(section.text)]
    ]
    assert missed == []


def test_a_question_about_nothing_finds_nothing() -> None:
    """No word of it stands anywhere."""
    from northwind.search import search

    assert search("qqq zzz") == []


def test_the_assistant_tells_what_it_showed(model: ModelServer) -> None:
    """Its prompt, the suite's, the passages; then sources, scores and tokens."""
    from northwind.assistant import answer

    messages = cast(
        "tuple[JsonObject, ...]", tuple(cast("list[Json]", ASKED["messages"]))
    )
    request = Request(key="k", case="c", variant="app", messages=messages)
    told = asyncio.run(answer(request))
    assert told.text == "7 years [1]."
    assert told.contexts[0].source == "docs/warranty.md#tents"
    assert told.tokens is not None
    (sent,) = model.requests
    system = sent.body["messages"][0]["content"]
    assert system.startswith("You are the assistant of Northwind Outfitters.")
    assert "Speak plainly." in system
    assert sent.body["temperature"] == 0


def test_the_web_service_keeps_the_contract(model: ModelServer) -> None:
    """What it takes and gives is what the schema says."""
    contract = call_schema()
    jsonschema.validate(ASKED, {**contract, "$ref": "#/$defs/request"})
    code, body = post(ASKED)
    assert code == 200
    jsonschema.validate(body, {**contract, "$ref": "#/$defs/reply"})
    assert model.served == 1


def test_the_web_service_tells_what_is_wrong(model: ModelServer) -> None:
    """A bad question is 422; a model that does not answer is 502, not 500."""
    assert post({"messages": []})[0] == 422
    model.script = lambda _: status(503, "loading")
    code, body = post(ASKED)
    assert code == 502
    assert "the model did not answer" in json.dumps(body)
    model.script = lambda _: answered("ok")
    assert post(ASKED)[0] == 200


def run_suite(tmp_path: Path, *options: str) -> JsonObject:
    """Return the report of a run of the suite, with nothing kept."""
    path = tmp_path / "report.json"
    command = [
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
        *("services.eval.yaml", "-k", "tent-warranty", "--llm-probe=off"),
        *(*options, f"--llm-report={path}"),
    ]
    run = subprocess.run(  # noqa: S603 - this checkout's own suite
        command,
        cwd=SUITE,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    report: JsonObject = json.loads(path.read_text("ascii"))
    return report


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("workers", [(), ("-n2",)])
def test_both_variants_answer_with_their_contexts(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    """The suite's conftest.py serves the application and ends it."""
    report = run_suite(tmp_path, "--llm-variant=app,app_http", *workers)
    cases = cast("list[JsonObject]", report["cases"])
    assert {case["variant"]: case["outcome"] for case in cases} == {
        "app": "passed",
        "app_http": "passed",
    }
    contexts = [
        cast(
            "list[JsonObject]", cast("list[JsonObject]", case["trials"])[0]["contexts"]
        )
        for case in cases
    ]
    assert contexts[0] == contexts[1]
    assert contexts[0][0]["source"] == "docs/warranty.md#tents"
