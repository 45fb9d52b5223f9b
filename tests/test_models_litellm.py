"""Live calls through litellm, against a loopback server that can misbehave."""

from __future__ import annotations

import asyncio
import gc
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

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
from pytest_llm_diagnosis.errors import ModelError
from pytest_llm_diagnosis.models import LitellmModel
from pytest_llm_diagnosis.models.calls import is_loopback, parsed_arguments
from pytest_llm_diagnosis.models.provider_errors import NO_CHOICES, NO_COMPLETION
from pytest_llm_diagnosis.records import (
    Answer,
    Context,
    Endpoint,
    JsonObject,
    Request,
    Tokens,
    ToolCall,
)

REQUEST = Request(
    key="k",
    case="c",
    variant="base",
    messages=(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How many days?"},
    ),
    contexts=(Context(text="passage"),),
)

SCRIPTED: dict[str, Reply] = {}


def scripted(_request: Served) -> Reply:
    """Return the reply a test has put there."""
    return SCRIPTED["reply"]


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    """One server for the file."""
    with ModelServer(scripted) as server:
        yield server


@pytest.fixture
def server(shared_server: ModelServer) -> ModelServer:
    """Give the server, with nothing asked of it yet."""
    shared_server.requests.clear()
    SCRIPTED["reply"] = answered("45 days")
    return shared_server


def ask(
    server: ModelServer,
    request: Request = REQUEST,
    *,
    timeout: float = 20,
    written: Endpoint | None = None,
    **endpoint: Any,
) -> Answer:
    """Return one answer through a model that is closed afterwards."""
    settings: dict[str, Any] = {"model": "openai/smollm2", "api_base": server.url}
    model = LitellmModel(Endpoint(**settings | endpoint), timeout, written=written)

    async def once() -> Answer:
        try:
            return await model.answer(request)
        finally:
            await model.close()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    answer = asyncio.run(once())
    # A connection left open would raise its ResourceWarning here.
    gc.collect()
    return answer


def test_an_answer_has_all_that_the_provider_said(server: ModelServer) -> None:
    """Text, tokens with the cached part, finish reason, seconds; no invented price."""
    usage = {
        "prompt_tokens": 41,
        "completion_tokens": 9,
        "total_tokens": 50,
        "prompt_tokens_details": {"cached_tokens": 32},
    }
    SCRIPTED["reply"] = answered("45 days", usage=usage)
    answer = ask(server)
    assert answer.seconds is not None
    assert 0 < answer.seconds < 10
    assert replace(answer, seconds=None) == Answer(
        text="45 days",
        contexts=REQUEST.contexts,
        tokens=Tokens(prompt=41, completion=9, cached=32),
        finish_reason="stop",
    )


def test_the_request_goes_out_as_planned(server: ModelServer) -> None:
    """Messages, tools and params, the request's over the endpoint's, nothing else."""
    tool: JsonObject = {
        "type": "function",
        "function": {"name": "log", "parameters": {}},
    }
    asked = replace(
        REQUEST, tools=(tool,), params={"temperature": 0.5, "top_k": 4, "stream": True}
    )
    ask(server, asked, params={"temperature": 0, "max_tokens": 8}, api_key="sk-1")
    (sent,) = server.requests
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-1"
    assert sent.body == {
        "model": "smollm2",
        "messages": list(REQUEST.messages),
        "tools": [tool],
        "temperature": 0.5,
        "max_tokens": 8,
        "top_k": 4,
    }


def test_a_call_changes_nothing_of_its_request(server: ModelServer) -> None:
    """Although litellm writes keys and notes of its own into what it is given."""
    tool: JsonObject = {
        "type": "function",
        "function": {"name": "log", "strict": True, "parameters": {}},
    }
    asked = replace(
        REQUEST, tools=(tool,), params={"extra_headers": {"X-A": "b"}, "metadata": {}}
    )
    before = repr(asked)
    ask(server, asked, model="hosted_vllm/m", api_key="sk-secret")
    assert server.requests[0].headers["x-a"] == "b"
    assert repr(asked) == before


def test_a_parameter_from_the_environment_is_sent_filled(server: ModelServer) -> None:
    """The request carries it as written, because keys must not hold secrets."""
    asked = replace(REQUEST, params={"stop": "${NAME}", "seed": 3})
    written = Endpoint(model="m", params={"stop": "${NAME}", "seed": 1})
    ask(server, asked, params={"stop": "END", "seed": 1}, written=written)
    assert server.requests[0].body["stop"] == "END"
    assert server.requests[0].body["seed"] == 3


def test_a_key_of_the_environment_does_not_reach_a_local_server(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever listens on the port."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    ask(server)
    assert "sk-secret" not in server.requests[0].headers["authorization"]


def test_tool_calls_are_parsed_where_they_can_be(server: ModelServer) -> None:
    """Broken arguments stay text, and a null content is an empty text."""
    calls = [
        {"name": "log", "arguments": '{"urgent": true}'},
        {"name": "log", "arguments": '{"urgent": tr'},
    ]
    SCRIPTED["reply"] = answered(None, tool_calls=calls, finish_reason="tool_calls")
    answer = ask(server)
    assert answer.text == ""
    assert answer.finish_reason == "tool_calls"
    assert answer.tool_calls == (
        ToolCall(name="log", arguments={"urgent": True}),
        ToolCall(name="log", arguments='{"urgent": tr'),
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "3", '{"a": NaN}', "{", "[" * 100_000, '{"a": 1} x']
)
def test_arguments_that_are_no_object_stay_text(text: str) -> None:
    """Also where the JSON parser would give up with something else."""
    assert parsed_arguments(text) == text


def test_a_filtered_answer_is_an_answer(server: ModelServer) -> None:
    """The store will not keep it, the case will fail."""
    SCRIPTED["reply"] = answered("", finish_reason="content_filter")
    assert ask(server).finish_reason == "content_filter"


def test_a_provider_that_counts_nothing_leaves_tokens_unknown(
    server: ModelServer,
) -> None:
    """Zero tokens are not an answer's size."""
    counted_nothing = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    SCRIPTED["reply"] = answered("ok", usage=counted_nothing)
    assert ask(server).tokens is None


def test_a_price_is_shown_only_where_it_is_due(server: ModelServer) -> None:
    """A local server that borrows a priced name costs nothing known."""
    assert ask(server, model="openai/gpt-4o-mini").usd is None


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:80/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:8/v1", True),
        ("http://a.localhost", True),
        ("http://10.0.0.1", False),
        ("https://api.openai.com/v1", False),
        ("http://127.0.0.1.evil.org", False),
        ("", False),
        (None, False),
    ],
)
def test_what_counts_as_local(url: str | None, *, loopback: bool) -> None:
    """Names and addresses of this machine."""
    assert is_loopback(url) is loopback


BROKEN = [
    (status(500, "It broke"), "It broke (HTTP 500)", 500, True),
    (status(503, "Overloaded"), "Overloaded (HTTP 503)", 503, True),
    (status(529, "Overloaded"), "Overloaded (HTTP 529)", 529, True),
    (status(408, "Too slow"), "Too slow (HTTP 408)", 408, True),
    (too_many(), "Rate limit reached (HTTP 429)", 429, True),
    (quota_spent(), "You exceeded your current quota", 429, False),
    (status(401, "Incorrect API key"), "Incorrect API key (HTTP 401)", 401, False),
    (status(403, "Not in your region"), "Not in your region (HTTP 403)", 403, False),
    (status(404, "No model `x`"), "No model `x` (HTTP 404)", 404, False),
    (
        status(
            400, "maximum context length is 8", error_code="context_length_exceeded"
        ),
        "maximum context length is 8 (HTTP 400)",
        400,
        False,
    ),
    (
        status(422, "temperature: too hot"),
        "temperature: too hot (HTTP 422)",
        422,
        False,
    ),
    (
        Reply(body=b"<html>Bad\n gateway</html>", status=502),
        "<html>Bad gateway</html> (HTTP 502)",
        502,
        True,
    ),
    (ended("reset"), "no connection to the provider: Server disc", None, True),
    (ended("half"), "the provider's answer is not JSON", None, True),
    (raw(b"{not json"), "the provider's answer is not JSON", None, True),
    (raw(b""), "the provider's answer is not JSON", None, True),
    (raw(b'{"foo": 1}'), NO_COMPLETION, None, False),
    (raw(b"<p>", content_type="text/html"), NO_COMPLETION, None, False),
    (completion([]), NO_CHOICES, None, False),
]


@pytest.mark.parametrize(("reply", "message", "code", "retryable"), BROKEN)
def test_each_way_to_fail_says_what_the_provider_said(
    server: ModelServer,
    reply: Reply,
    message: str,
    code: int | None,
    *,
    retryable: bool,
) -> None:
    """First the provider's words, then the status; asked once, never more."""
    SCRIPTED["reply"] = reply
    with pytest.raises(ModelError) as caught:
        ask(server)
    assert caught.value.message.startswith(message)
    assert "\n" not in caught.value.message
    assert (caught.value.status, caught.value.retryable) == (code, retryable)
    assert server.served == 1


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [
        (lambda: "7", 7, 7),
        (lambda: "0.5", 0.5, 0.5),
        (lambda: http_date(time.time() + 60), 50, 61),
        (lambda: http_date(time.time() - 60), 0, 0),
        (lambda: "soon", None, None),
    ],
)
def test_retry_after_is_understood(
    server: ModelServer,
    header: Callable[[], str],
    low: float | None,
    high: float | None,
) -> None:
    """Seconds, a date, a date that has passed, and nonsense."""
    SCRIPTED["reply"] = too_many(header())
    with pytest.raises(ModelError) as caught:
        ask(server)
    if low is None or high is None:
        assert caught.value.retry_after is None
    else:
        assert caught.value.retry_after is not None
        assert low <= caught.value.retry_after <= high


@pytest.mark.parametrize(
    "reply",
    [ended("stall"), replace(answered("late"), delay=30)],
    ids=["stalled half-way", "slow first byte"],
)
def test_a_call_that_takes_too_long_is_given_up(
    server: ModelServer, reply: Reply
) -> None:
    """The timeout covers the whole call and names the endpoint."""
    SCRIPTED["reply"] = reply
    begun = time.perf_counter()
    with pytest.raises(ModelError) as caught:
        ask(server, timeout=0.3)
    assert time.perf_counter() - begun < 3
    assert caught.value.message == f"no answer from {server.url} within 0.3 s"
    assert caught.value.retryable


def test_a_server_that_is_not_there_is_a_connection_fault(server: ModelServer) -> None:
    """With the operating system's reason, and worth another try."""
    with pytest.raises(
        ModelError,
        match=r"no connection to the provider: .*refused|"
        r"Connect call failed",
    ) as caught:
        ask(server, api_base="http://127.0.0.1:9/v1")
    assert caught.value.retryable
    assert caught.value.status is None


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ({"model": "smollm2"}, "LLM Provider NOT provided"),
        ({"model": "openai/x", "api_base": None}, "Missing credentials"),
        (
            {
                "model": "anthropic/claude-3-5-haiku-latest",
                "params": {"logit_bias": {}},
            },
            "anthropic does not support parameters",
        ),
    ],
)
def test_a_wrong_setting_is_said_and_not_retried(
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: dict[str, Any],
    message: str,
) -> None:
    """Litellm's own words; a parameter is never dropped silently."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ModelError, match=message) as caught:
        ask(server, **endpoint)
    assert not caught.value.retryable
    assert server.served == 0


def test_the_key_is_not_shown_in_an_error(server: ModelServer) -> None:
    """Some providers repeat it."""
    SCRIPTED["reply"] = status(401, "Incorrect API key provided: sk-verysecret")
    with pytest.raises(ModelError) as caught:
        ask(server, api_key="sk-verysecret")
    assert caught.value.message == "Incorrect API key provided: *** (HTTP 401)"


def test_many_calls_share_a_model() -> None:
    """All in flight at once; each good answer is paid exactly once."""
    faults = Faults(share=0.3, replies=[status(500, "broke"), ended("reset")])
    requests = [
        replace(REQUEST, messages=({"role": "user", "content": f"question {number}"},))
        for number in range(40)
    ]
    with ModelServer(lambda sent: sent.prompt, latency=0.2, faults=faults) as server:
        model = LitellmModel(Endpoint(model="openai/x", api_base=server.url), 20)

        async def all_at_once() -> list[Answer | BaseException]:
            try:
                calls = [model.answer(request) for request in requests]
                return await asyncio.gather(*calls, return_exceptions=True)
            finally:
                await model.close()

        results = asyncio.run(all_at_once())
    good = [result for result in results if isinstance(result, Answer)]
    bad = [result for result in results if isinstance(result, ModelError)]
    assert len(good) + len(bad) == server.served == 40
    assert all(error.retryable for error in bad)
    assert sorted(server.paid.values()) == [1] * len(good)
    assert 0 < len(bad) < 40
    assert server.most_in_flight > 30
    for request, result in zip(requests, results, strict=True):
        if isinstance(result, Answer):
            assert result.text == request.messages[0]["content"]


def test_litellm_stays_silent(
    server: ModelServer,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No banner, no advertisement, no log line, whatever happens."""
    SCRIPTED["reply"] = status(500, "It broke")
    with caplog.at_level(logging.WARNING), pytest.raises(ModelError):
        ask(server)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


def test_litellm_is_imported_by_the_first_call_only() -> None:
    """Neither the module nor an opened model nor closing it imports litellm."""
    code = (
        "import asyncio, sys; from pytest_llm_diagnosis import models;"
        "from pytest_llm_diagnosis.records import Endpoint;"
        "model = models.LitellmModel(Endpoint(model='openai/x'), 5);"
        "asyncio.run(model.close());"
        "print(sorted({'litellm', 'openai', 'httpx', 'aiohttp'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    shown = subprocess.run(  # noqa: S603 - this test's own code
        command, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"
