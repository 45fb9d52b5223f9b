"""An application that is asked over HTTP: the contract, and what breaks it."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model_server import ModelServer, Reply, ended, raw, status, too_many
from pytest_llm_diagnosis.errors import InputError, Location, ModelError
from pytest_llm_diagnosis.models import HttpModel, open_model
from pytest_llm_diagnosis.models.answers import answer_from
from pytest_llm_diagnosis.models.wires import way_to
from pytest_llm_diagnosis.records import (
    Answer,
    Application,
    Context,
    JsonObject,
    Request,
    Tokens,
    ToolCall,
    Variant,
)
from pytest_llm_diagnosis.schema import call_schema

assert aiohttp
WRITTEN = "${APP_URL}/answer"
TOOL: JsonObject = {"type": "function", "function": {"name": "log"}}
ASKED = Request(
    key="k",
    case="c",
    variant="app_http",
    messages=({"role": "user", "content": "How many days, M\u00fcller?"},),
    tools=(TOOL,),
    params={"tenant": "${TENANT}", "depth": 2},
)
CONTRACT = call_schema()
REPLY: dict[str, Reply] = {}


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    """One application for the file; it answers what a test put into REPLY."""
    with ModelServer(lambda _request: REPLY["reply"]) as server:
        yield server
    gc.collect()


@pytest.fixture
def server(shared_server: ModelServer) -> ModelServer:
    """Give the application; nothing was asked."""
    shared_server.requests.clear()
    return shared_server


def said(body: object) -> Reply:
    """Return a reply of JSON."""
    return raw(json.dumps(body).encode())


def ask(
    server: ModelServer, reply: Reply, request: Request = ASKED, **parts: Any
) -> Answer:
    """Return the answer that a reply is read as."""
    REPLY["reply"] = reply
    target = server.url.removesuffix("/v1") + "/answer"
    timeout = parts.pop("timeout", 20)
    app = Application(target=target, **parts)
    model = HttpModel(app, timeout, written=WRITTEN, unfilled={"tenant": "${TENANT}"})

    async def call() -> Answer:
        try:
            return await model.answer(request)
        finally:
            await model.close()

    return asyncio.run(call())


def test_the_request_is_posted_as_the_contract_has_it(server: ModelServer) -> None:
    """Messages, tools, params and the variant's name, with the user's headers."""
    ask(
        server,
        said("ok"),
        params={"tenant": "north"},
        headers={"Authorization": "Bearer secret-token", "User-Agent": "mine"},
    )
    (sent,) = server.requests
    assert sent.path == "/answer"
    assert sent.body == {
        "messages": [{"role": "user", "content": "How many days, M\u00fcller?"}],
        "tools": [TOOL],
        "params": {"tenant": "north", "depth": 2},
        "variant": "app_http",
    }
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["authorization"] == "Bearer secret-token"
    assert sent.headers["user-agent"] == "mine"
    jsonschema.validate(sent.body, {**CONTRACT, "$ref": "#/$defs/request"})


FULL = {
    "text": "45 days",
    "tool_calls": [{"name": "log", "arguments": {"urgent": True}}],
    "contexts": [
        "as text",
        {"text": "p", "source": "docs/a.md#b", "score": 0.5, "rank": 1},
        {"text": "q", "source": None},
    ],
    "tokens": {"prompt": 41, "completion": 9},
    "usd": 0.001,
}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (said("45 days"), Answer(text="45 days")),
        (said({"text": "45 days"}), Answer(text="45 days")),
        (raw(b"45 days\n", content_type="text/plain; charset=utf-8"),
         Answer(text="45 days\n")),
        (raw(b'{"text": "a"}', content_type="application/vnd.x+json"),
         Answer(text="a")),
        (said({"tool_calls": [{"name": "log", "arguments": "{"}]}),
         Answer(tool_calls=(ToolCall(name="log", arguments="{"),))),
        (said(FULL), Answer(
            text="45 days",
            tool_calls=(ToolCall(name="log", arguments={"urgent": True}),),
            contexts=(
                Context(text="as text"),
                Context(text="p", source="docs/a.md#b", score=0.5),
                Context(text="q"),
            ),
            tokens=Tokens(prompt=41, completion=9),
            usd=0.001,
        )),
        (said({"text": "a", "seconds": 0.25}), Answer(text="a", seconds=0.25)),
    ],
)  # fmt: skip
def test_what_a_reply_may_be(
    server: ModelServer, reply: Reply, expected: Answer
) -> None:
    """Text or JSON; how long it took is measured where it is not said."""
    answer = ask(server, reply)
    assert answer.seconds is not None
    took = expected.seconds
    assert answer == Answer.from_dict(
        {**expected.to_dict(), "seconds": took or answer.seconds}
    )


@pytest.mark.parametrize(
    ("reply", "message", "retryable"),
    [
        (said({"answer": "45"}),
         "an object without 'text' or 'tool_calls', with 'answer'; expected text, or {",
         False),
        (said({"text": "a", "context": []}),
         "returned a dict with the unknown key 'context'; did you mean 'contexts'?",
         False),
        (said({"text": 45}), "an answer that has int as its text; expected", False),
        (said({"text": "a", "contexts": [{"source": "s"}]}), "lacks 'text'", False),
        (said({"text": "a", "contexts": [{"text": 1}]}),
         "has int as the text of a context", False),
        (said({"text": "a", "contexts": [{"text": "b", "score": "high"}]}),
         "has str as the score of a context", False),
        (said({"text": "a", "tokens": {"prompt": 1.5}}), "as its prompt tokens", False),
        (said({}), "returned dict, not text or an Answer; expected text", False),
        (said(["a"]), "returned list, not text", False),
        (said(None), "returned nothing", False),
        (raw(b"<html>Sign in</html>", content_type="text/html"),
         "answered with text/html: '<html>Sign in</html>'; expected application/json",
         False),
        (raw(b'{"text": "a"', content_type="application/json"), "is not JSON", True),
        (raw(b"\xff", content_type="text/plain"), "not UTF-8", False),
        (raw(b"[" * 100_000), "JSON too deep", False),
        (ended("half"), "'s answer is not JSON: it breaks off", True),
        (ended("reset"), "no connection to ${APP_URL}/answer", True),
        (status(500, "no model"), "${APP_URL}/answer: no model (HTTP 500)", True),
        (status(401, "bad token"), "bad token (HTTP 401)", False),
        (Reply(status=422, body=b'{"detail": [{"msg": "Field"}]}'),
         '{"detail": [{"msg": "Field"}]} (HTTP 422)', False),
        (Reply(status=502), "gives no reason (HTTP 502)", True),
        (Reply(status=307, headers={"location": "/v2/answer"}),
         "redirects to /v2/answer (HTTP 307); write that URL", False),
        (Reply(status=400, body=b"x" * 5000), f"{'x' * 600}... (HTTP 400)", False),
    ],
)  # fmt: skip
def test_what_a_reply_may_not_be(
    server: ModelServer,
    reply: Reply,
    message: str,
    retryable: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """The URL as written, what was wrong, and what would be right; asked once."""
    with pytest.raises(ModelError) as caught:
        ask(server, reply)
    assert message in caught.value.message
    assert WRITTEN in caught.value.message
    assert caught.value.retryable is retryable
    assert server.served == 1


def test_retry_after_is_passed_on(server: ModelServer) -> None:
    """A limit of the application is waited for as a provider's."""
    with pytest.raises(ModelError) as caught:
        ask(server, too_many("7"))
    assert (caught.value.status, caught.value.retry_after) == (429, 7.0)


def test_a_late_reply_is_an_error_that_may_be_tried_again(server: ModelServer) -> None:
    """The time limit is that of the whole call."""
    with pytest.raises(ModelError, match=r"did not answer within 0\.05 s") as caught:
        ask(server, ended("stall"), timeout=0.05)
    assert caught.value.retryable


def test_nobody_there_is_an_error_that_may_be_tried_again() -> None:
    """The URL is named as written."""
    app = Application(target="http://127.0.0.1:9/answer")
    model = HttpModel(app, 5, written=WRITTEN, unfilled={})

    async def call() -> None:
        try:
            await model.answer(ASKED)
        finally:
            await model.close()

    with pytest.raises(ModelError, match=r"^no connection to \$\{APP_URL\}") as caught:
        asyncio.run(call())
    assert caught.value.retryable


def test_an_error_repeats_no_header(server: ModelServer) -> None:
    """Neither the value nor a word of it, though the application does."""
    headers = {"Authorization": "Bearer topsecret-1", "X-Key": "another-secret"}
    with pytest.raises(ModelError) as caught:
        ask(server, status(403, "topsecret-1 and another-secret"), headers=headers)
    assert "*** and *** (HTTP 403)" in caught.value.message


def test_passages_of_the_request_count_as_shown_behind_its_own(
    server: ModelServer,
) -> None:
    """The gold passage of a probe stands in the messages, not in the reply."""
    request = Request(
        key="k",
        case="c",
        variant="v",
        messages=ASKED.messages,
        contexts=(Context(text="gold", source="a.md"), Context(text="own")),
    )
    answer = ask(server, said({"text": "a", "contexts": ["own"]}), request)
    assert answer.contexts == (Context(text="own"), request.contexts[0])


def test_text_that_no_bytes_stand_for_is_not_sent(server: ModelServer) -> None:
    """Half a surrogate pair."""
    messages = ({"role": "user", "content": "\ud800"},)
    request = Request(key="k", case="c", variant="v", messages=messages)
    with pytest.raises(ModelError, match="the request is not text"):
        ask(server, said("ok"), request)
    assert server.served == 0


_VALUES: st.SearchStrategy[object] = (
    st.none() | st.integers(0, 9) | st.text("ab", max_size=2) | st.just({})
)
_LISTS = _VALUES | st.lists(
    _VALUES
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("text", "name", "source", "arguments"), _VALUES)
    ),
    max_size=2,
)
_BODIES = _LISTS | st.fixed_dictionaries(
    {},
    optional={
        "text": _VALUES,
        "tool_calls": _LISTS,
        "contexts": _LISTS,
        "tokens": st.fixed_dictionaries({}, optional={"prompt": _VALUES}) | _VALUES,
        "usd": _VALUES,
        "answer": _VALUES,
    },
)


@given(body=_BODIES)
def test_what_the_schema_accepts_is_an_answer(body: object) -> None:
    """Whoever holds to the contract gets no error."""
    contract = {**CONTRACT, "$ref": "#/$defs/reply"}
    if jsonschema.Draft202012Validator(contract).is_valid(body):
        assert isinstance(answer_from(body, "app"), Answer)


def test_the_way_is_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for others, none on this machine; the certificates that are set."""
    for name in ("http_proxy", "no_proxy", "NO_PROXY", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert way_to("https://app.example/answer").proxy == "http://proxy.example:3128"
    assert way_to("https://127.0.0.1:1/answer").proxy is None
    monkeypatch.setenv("no_proxy", "app.example")
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    assert way_to("https://app.example/answer") == ("/ca.pem", None)


def test_a_remote_variant_opens_filled_in_or_not_at_all(tmp_path: Path) -> None:
    """Its URL comes from the environment."""
    place = Location(path=tmp_path / "llm_variants.yaml", line=3)
    live = Application(target="http://127.0.0.1:9/answer")
    for app, kind in ((live, HttpModel), (None, None)):
        variant = Variant(
            name="v", location=place, kind="app", call=WRITTEN, live_app=app
        )
        if kind is None:
            with pytest.raises(InputError, match="not filled in"):
                open_model(variant, timeout=5, root=tmp_path)
        else:
            assert type(open_model(variant, timeout=5, root=tmp_path)) is kind
