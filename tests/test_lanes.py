"""Both lanes send the same request and give the same answer or error.

litellm is the measure: whatever it does with a request or a response, the
direct lane does too, or leaves it to litellm.
"""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from model_server import (
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
from pytest_llm_diagnosis.errors import Location, ModelError
from pytest_llm_diagnosis.models import DirectModel, LitellmModel, open_model
from pytest_llm_diagnosis.models.litellm_library import library
from pytest_llm_diagnosis.records import (
    Answer,
    Context,
    Endpoint,
    JsonObject,
    Lane,
    Request,
    Variant,
)

ASKED = Request(
    key="k",
    case="c",
    variant="v",
    messages=(
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "How many days, M\u00fcller?"},
    ),
    contexts=(Context(text="passage"),),
)
TOOL: JsonObject = {
    "type": "function",
    "function": {
        "name": "log",
        "description": "Log it.",
        "parameters": {"type": "object", "properties": {"urgent": {"type": "boolean"}}},
    },
}
STRICT: JsonObject = {
    "type": "function",
    "function": {
        "name": "log",
        "strict": True,
        "parameters": {"type": "object", "additionalProperties": False},
    },
}
SCHEMA = {
    "type": "json_schema",
    "json_schema": {"name": "x", "strict": True, "schema": {"type": "object"}},
}
LANES: tuple[Lane, ...] = ("direct", "litellm")
OPENAI = "openai/smollm2"
VLLM = "hosted_vllm/smollm2"
CUSTOM = "custom_openai/smollm2"
HEADERS = ("authorization", "content-type", "openai-organization", "openai-project")

SCRIPTED: dict[str, Reply] = {}

# litellm dumps models that hold what pydantic did not expect.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")


class Came(NamedTuple):
    """What came of a call: an answer or an error, and what was sent for it."""

    answer: Answer | None
    error: ModelError | None
    sent: list[Served]

    @property
    def told(self) -> tuple[object, ...]:
        """What a caller sees of it, but for how long it took."""
        if self.error is None:
            assert self.answer is not None
            assert self.answer.seconds is not None
            return (replace(self.answer, seconds=None),)
        one = self.error
        return type(one), one.message, one.status, one.retryable, one.retry_after

    def request(self, *more: str) -> tuple[str, Mapping[str, Any], dict[str, Any]]:
        """Return the path, body and the headers that matter of the one request."""
        (sent,) = self.sent
        named = {name: sent.headers.get(name) for name in (*HEADERS, *more)}
        return sent.path, sent.body, named


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    """One server for the file."""
    with ModelServer(lambda _request: SCRIPTED["reply"]) as server:
        yield server
    # A connection left open would raise its ResourceWarning here.
    gc.collect()


@pytest.fixture
def server(shared_server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> ModelServer:
    """Give the server; nothing was asked, and the environment says nothing."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.delenv(name, raising=False)
    SCRIPTED["reply"] = answered("45 days")
    return shared_server


def ask(
    server: ModelServer,
    lane: Lane | None,
    request: Request = ASKED,
    *,
    timeout: float = 20,
    **endpoint: Any,
) -> Came:
    """Return what came of one call in a lane, through a model that is closed."""
    server.requests.clear()
    settings: dict[str, Any] = {"model": OPENAI, "api_base": server.url}
    variant = Variant(
        name="v",
        location=Location(path=Path("llm_variants.yaml"), line=3),
        kind="prompt",
        live=Endpoint(**settings | endpoint),
        lane=lane,
    )

    async def once() -> Came:
        model = open_model(variant, timeout=timeout, root=Path())
        assert lane is None or isinstance(
            model, DirectModel if lane == "direct" else LitellmModel
        )
        try:
            return Came(await model.answer(request), None, list(server.requests))
        except ModelError as error:
            return Came(None, error, list(server.requests))
        finally:
            await model.close()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(once())


def ask_both(server: ModelServer, request: Request = ASKED, **parts: Any) -> Came:
    """Ask in both lanes and compare; return what came of the direct one."""
    direct, slow = (ask(server, lane, request, **parts) for lane in LANES)
    assert direct.told == slow.told
    assert direct.request() == slow.request()
    return direct


# -- requests --------------------------------------------------------------------

PARAMS: list[dict[str, Any]] = [
    {},
    {"temperature": 0},
    {"temperature": None, "top_p": 0.5},
    {"n": 1},
    {"n": 2},
    {"stop": "END"},
    {"stop": ["a", "b", "c", "d"]},
    {"stop": []},
    {"max_tokens": 4},
    {"max_completion_tokens": 4},
    {"presence_penalty": 0, "frequency_penalty": 0.1},
    {"logit_bias": {"1": 2}},
    {"seed": 0},
    {"logprobs": True, "top_logprobs": 2},
    {"logprobs": False},
    {"response_format": {"type": "json_object"}},
    {"response_format": SCHEMA},
    {"service_tier": "flex"},
    {"stream": True},
    {"extra_body": {"mystery": 1, "temperature": 3}},
    {"temperature": 1, "extra_body": {"temperature": None}},
    {"extra_body": {}},
]
SERVERS_PARAMS: list[dict[str, Any]] = [
    {"top_k": 4, "min_p": 0.1, "top_a": 1, "typical_p": 1},
    {"repetition_penalty": 1.1, "repeat_penalty": 1.1, "length_penalty": 1.0},
    {"guided_json": {}, "guided_choice": ["a"], "guided_regex": "a"},
    {"guided_grammar": "a", "grammar": "a", "structured_outputs": {"json": {}}},
    {"ignore_eos": True, "min_tokens": 1, "stop_token_ids": [1]},
    {"skip_special_tokens": False, "use_beam_search": True, "mirostat": 1},
    {"chat_template_kwargs": {"enable_thinking": False}, "cache_prompt": True},
    {"include_reasoning": True},
]


def shown(value: object) -> str:
    """Return a short id for a parameter set."""
    return json.dumps(value)[:40] if isinstance(value, dict) else str(value)


@pytest.mark.parametrize(
    ("model", "params"),
    [
        *((OPENAI, params) for params in (*PARAMS, *SERVERS_PARAMS)),
        *((VLLM, params) for params in (*PARAMS, *SERVERS_PARAMS)),
        *((CUSTOM, one) for one in PARAMS if "max_completion_tokens" not in one),
    ],
    ids=shown,
)
def test_parameters(server: ModelServer, model: str, params: dict[str, Any]) -> None:
    """Each goes out by its own name, or not at all."""
    ask_both(server, replace(ASKED, params=params), model=model)
    ask_both(server, ASKED, model=model, params=params)


@pytest.mark.parametrize(
    ("tools", "params"),
    [
        ((TOOL,), {}),
        ((TOOL,), {"tool_choice": "auto", "parallel_tool_calls": False}),
        ((TOOL,), {"tool_choice": {"type": "function", "function": {"name": "log"}}}),
        ((TOOL, STRICT), {}),
    ],
)
def test_tools(
    server: ModelServer, tools: tuple[JsonObject, ...], params: dict[str, Any]
) -> None:
    """They are sent whole, and what comes back is parsed where it can be."""
    calls = [
        {"name": "log", "arguments": '{"urgent": true}'},
        {"name": "log", "arguments": '{"urgent": tr'},
    ]
    SCRIPTED["reply"] = answered(None, tool_calls=calls, finish_reason="tool_calls")
    came = ask_both(server, replace(ASKED, tools=tools, params=params))
    assert came.answer is not None
    assert [call.arguments for call in came.answer.tool_calls] == [
        {"urgent": True},
        '{"urgent": tr',
    ]


CALL: JsonObject = {
    "id": "1",
    "type": "function",
    "function": {"name": "f", "arguments": "{}"},
}
MESSAGES: list[tuple[JsonObject, ...]] = [
    ({"role": "user", "content": ""},),
    ({"role": "user", "content": "a", "name": None},),
    ({"role": "user", "content": "a", "name": "Ann"},),
    ({"role": "user", "content": [{"type": "text", "text": "a"}]},),
    (
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "1", "content": "done"},
    ),
    (
        {"role": "user", "content": 'say "cache_control"\n\x00\u2028'},
        {"role": "assistant", "content": "no"},
        {"role": "user", "content": "\U0001f600"},
    ),
]


@pytest.mark.parametrize("messages", MESSAGES)
@pytest.mark.parametrize("model", [OPENAI, VLLM])
def test_messages(
    server: ModelServer, model: str, messages: tuple[JsonObject, ...]
) -> None:
    """Turns go out as they stand, but for empty keys."""
    ask_both(server, replace(ASKED, messages=messages), model=model)


@pytest.mark.parametrize("model", [OPENAI, VLLM, CUSTOM])
def test_keys_and_headers(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    """The key is stated, or the environment's; a user may add headers."""
    came = ask_both(server, model=model)
    assert came.request()[2]["authorization"] == "Bearer none"
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "vllm-environment")
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project")
    ask_both(server, model=model)
    ask_both(server, model=model, api_key="sk-stated")
    params = {"extra_headers": {"X-Team": "boots", "User-Agent": "me"}}
    sent = [
        ask(server, lane, model=model, params=params).request("x-team", "user-agent")
        for lane in LANES
    ]
    assert sent[0] == sent[1]
    assert sent[0][2]["x-team"] == "boots"


@pytest.mark.parametrize(
    ("model", "base", "key"),
    [
        ("openai/m", "OPENAI_BASE_URL", "OPENAI_API_KEY"),
        ("gpt-4o", "OPENAI_API_BASE", "OPENAI_API_KEY"),
        ("hosted_vllm/m", "HOSTED_VLLM_API_BASE", "HOSTED_VLLM_API_KEY"),
        ("hosted_vllm/m", "HOSTED_VLLM_API_BASE", "NO_KEY_AT_ALL"),
    ],
)
def test_an_endpoint_from_the_environment(
    server: ModelServer,
    monkeypatch: pytest.MonkeyPatch,
    model: str,
    base: str,
    key: str,
) -> None:
    """As litellm finds it, and then with the key that goes with it."""
    monkeypatch.setenv(base, server.url)
    monkeypatch.setenv(key, "sk-environment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org")
    ask_both(server, model=model, api_base=None)


def test_a_slash_at_the_end_of_the_url(server: ModelServer) -> None:
    """It makes no difference."""
    assert ask_both(server, api_base=f"{server.url}/").request()[0] == (
        "/v1/chat/completions"
    )


LITELLMS: list[dict[str, Any]] = [
    {"user": "u"},
    {"stop": ["a", "b", "c", "d", "e"]},
    {"reasoning_effort": "low"},
    {"metadata": {"a": "b"}},
    {"drop_params": True, "reasoning_effort": "low"},
    {"extra_headers": {"Authorization": "Bearer other"}},
    {"organization": "org"},
    {"tool_choice": {"type": "x"}},
    {"unheard_of": 1},
]


@pytest.mark.parametrize("params", LITELLMS, ids=shown)
def test_what_litellm_has_rules_for_is_left_to_it(
    server: ModelServer, params: dict[str, Any]
) -> None:
    """Without a lane the request of a case still gets through, by litellm."""
    asked = replace(ASKED, params=params)
    free, slow = (ask(server, lane, asked) for lane in (None, "litellm"))
    assert free.told == slow.told
    bodies = [[one.body for one in came.sent] for came in (free, slow)]
    assert bodies[0] == bodies[1]
    refused = ask(server, "direct", asked)
    assert refused.error is not None
    assert refused.error.message.startswith("not sent: lane is direct, but ")
    assert refused.sent == []


@pytest.mark.parametrize(
    "messages",
    [
        ({"role": "developer", "content": "a"},),
        ({"role": "user", "content": "a", "cache_control": {"type": "ephemeral"}},),
        ({"role": "user", "content": [{"type": "image_url", "image_url": "data:x"}]},),
    ],
)
def test_turns_that_litellm_rewrites_are_left_to_it(
    server: ModelServer, messages: tuple[JsonObject, ...]
) -> None:
    """They reach the server in litellm's form."""
    asked = replace(ASKED, messages=messages)
    free, slow = (ask(server, lane, asked) for lane in (None, "litellm"))
    assert free.sent[0].body == slow.sent[0].body
    assert free.sent[0].body["messages"] != list(messages)


@pytest.mark.parametrize(
    ("model", "tools", "params"),
    [
        (VLLM, (STRICT,), {}),
        (OPENAI, ({**TOOL, "cache_control": {"type": "ephemeral"}},), {}),
        (CUSTOM, (), {"max_completion_tokens": 4}),
        (CUSTOM, (), {"top_k": 4}),
    ],
)
def test_what_a_provider_of_litellm_changes_is_left_to_it(
    server: ModelServer,
    model: str,
    tools: tuple[JsonObject, ...],
    params: dict[str, Any],
) -> None:
    """It takes keys out of tools, renames a parameter, or refuses it."""
    asked = replace(ASKED, tools=tools, params=params)
    free, slow = (ask(server, lane, asked, model=model) for lane in (None, "litellm"))
    assert free.told == slow.told
    assert [one.body for one in free.sent] == [one.body for one in slow.sent]
    assert ask(server, "direct", asked, model=model).error is not None


# -- answers ---------------------------------------------------------------------

SAID = {"role": "assistant", "content": "45 days"}
GOOD = json.loads(answered("45 days").body)


def with_usage(**usage: object) -> Reply:
    """Return a good reply with these counts."""
    return answered("45 days", usage=usage)


def with_body(**parts: object) -> Reply:
    """Return a good reply with other keys in its body."""
    return raw(json.dumps({**GOOD, **parts}).encode())


def with_call(name: str | None, arguments: object) -> Reply:
    """Return a reply that calls a tool."""
    call = {"name": name, "arguments": arguments}
    return answered(None, tool_calls=[call], finish_reason="stop")


WRAPPED = {"tool_uses": [{"recipient_name": "functions.a", "parameters": {"x": 1}}]}
ANSWERS = {
    "plain": answered("45 days"),
    "empty": answered(""),
    "null content": answered(None),
    "null content at the limit": answered(None, finish_reason="length"),
    "filtered": answered("", finish_reason="content_filter"),
    "no finish reason": answered("x", finish_reason=None),
    "unknown finish reason": answered("x", finish_reason="weird"),
    "thought": answered("<think>hm\n</think>45 days"),
    "thought apart": completion([{"message": {**SAID, "reasoning_content": "hm"}}]),
    "unfinished thought": answered("<think>hm"),
    "thought said": completion(
        [{"message": {**SAID, "content": "<think>a</think>b", "reasoning": "c"}}]
    ),
    "refusal": completion([{"message": {**SAID, "content": None, "refusal": "no"}}]),
    "two choices": completion([{"message": SAID}, {"message": SAID}]),
    "a call": with_call("a", '{"x": 1}'),
    "a call with an object": with_call("a", {"x": 1}),
    "a call without arguments": with_call("a", None),
    "a call without a name": with_call(None, "{}"),
    "a call that wraps several": with_call(
        "multi_tool_use.parallel", json.dumps(WRAPPED)
    ),
    "no calls": completion([{"message": {**SAID, "tool_calls": []}}]),
    "no usage": with_body(usage=None),
    "zero usage": with_usage(prompt_tokens=0, completion_tokens=0, total_tokens=0),
    "half of the usage": with_usage(prompt_tokens=5),
    "cached": with_usage(
        prompt_tokens=41,
        completion_tokens=9,
        prompt_tokens_details={"cached_tokens": 32, "audio_tokens": 0},
        completion_tokens_details={"reasoning_tokens": 4},
    ),
    "cached, without details": with_usage(
        prompt_tokens=41, completion_tokens=9, prompt_tokens_details=None
    ),
    "cached at DeepSeek": with_usage(
        prompt_tokens=41, completion_tokens=9, prompt_cache_hit_tokens=32
    ),
    "cached at Anthropic": with_usage(
        prompt_tokens=41, completion_tokens=9, cache_read_input_tokens=32
    ),
    "cached at llama.cpp": with_body(timings={"cache_n": 32, "prompt_n": 9}),
    "cached at a newer llama.cpp": with_body(
        usage={
            "prompt_tokens": 41,
            "completion_tokens": 9,
            "prompt_tokens_details": {"cached_tokens": 32},
        },
        timings={"cache_n": 32, "prompt_n": 9},
    ),
    "odd timings": with_body(timings=[1]),
    "written at Anthropic": with_usage(
        prompt_tokens=41, completion_tokens=9, cache_creation_input_tokens=32
    ),
    "an empty error": with_body(error={}),
    "no error": with_body(error=None),
    "created": Reply(body=answered("x").body, status=201),
    "charset": Reply(
        body=answered("\u00fc").body,
        headers={"content-type": "application/json; charset=utf-8"},
    ),
    "another content type": Reply(
        body=answered("x").body, headers={"content-type": "text/plain"}
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("model", [OPENAI, VLLM])
def test_answers(server: ModelServer, model: str, name: str) -> None:
    """Text, calls, tokens and the reason to finish are the same."""
    SCRIPTED["reply"] = ANSWERS[name]
    assert ask_both(server, model=model).answer is not None


def test_every_finish_reason(server: ModelServer) -> None:
    """Litellm's table of reasons, in words of our own."""
    library()
    from litellm.litellm_core_utils.core_helpers import _FINISH_REASON_MAP

    reasons: dict[str, str] = _FINISH_REASON_MAP
    found = {}
    for reason in reasons:
        SCRIPTED["reply"] = answered("x", finish_reason=reason)
        came = ask(server, "direct")
        assert came.answer is not None
        found[reason] = came.answer.finish_reason
    assert found == reasons


def test_prices(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenAI's own endpoint has litellm's price, of the model that answered."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-environment")
    usage = {
        "prompt_tokens": 4_000,
        "completion_tokens": 90,
        "prompt_tokens_details": {"cached_tokens": 3_200},
    }
    body = {**GOOD, "usage": usage}
    for answering in ("gpt-4o-2024-08-06", "gpt-4o-mini", "unheard-of"):
        for tier in (None, "default", "priority"):
            parts = {**body, "model": answering, "service_tier": tier}
            SCRIPTED["reply"] = raw(json.dumps(parts).encode())
            came = ask_both(server, model="openai/gpt-4o", api_base=None)
            assert came.answer is not None
            assert came.answer.usd is not None
    assert ask_both(server, model="openai/own", api_base=None).told[0] == replace(
        ask(server, "direct", model="openai/own", api_base=None).told[0],  # type: ignore[type-var]  # an answer
        usd=None,
    )
    came = ask_both(server, model="openai/gpt-4o")
    assert came.answer is not None
    assert came.answer.usd is None


# -- errors ----------------------------------------------------------------------

LONG = status(400, "maximum context length is 8", error_code="context_length_exceeded")
ERRORS = {
    **{
        f"HTTP {code}": status(code, "Said")
        for code in (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 503, 529)
    },
    "a model that is not there": status(404, "No `x`", error_code="model_not_found"),
    "too long": LONG,
    "spent": quota_spent(),
    "text": Reply(body=b"<html>Bad\n gateway</html>", status=502),
    "nothing": Reply(status=500),
    "an empty object": Reply(body=b"{}", status=500),
    "a detail": Reply(body=b'{"detail": "D"}', status=400),
    "details": Reply(body=b'{"detail": [{"msg": "m"}]}', status=400),
    "vLLM's": Reply(body=b'{"object": "error", "message": "M"}', status=400),
    "seconds": too_many("7"),
    "a date that has passed": too_many(http_date(time.time() - 60)),
    "milliseconds": status(429, "R", headers={"retry-after-ms": "250"}),
    "seconds with a 503": status(503, "R", headers={"retry-after": "3"}),
    "nonsense": too_many("soon"),
    "reset": ended("reset"),
    "broken JSON": raw(b"{not json"),
    "no JSON": raw(b""),
    "no text": raw(b'{"a": "\xff"}'),
    "another object": raw(b'{"foo": 1}'),
    "a list": raw(b"[]"),
    "null": raw(b"null"),
    "a page": raw(b"<p>", content_type="text/html"),
    "no choices": completion([]),
    "null choices": raw(b'{"choices": null}'),
    "an empty choice": completion([{}]),
    "no message": completion([{"message": None}]),
    "content that is no text": completion([{"message": {**SAID, "content": 3}}]),
    "calls that are none": completion([{"message": {**SAID, "tool_calls": [3]}}]),
    "an error in a good response": with_body(error={"message": "M", "code": 429}),
    "an error of its own": with_body(error={"message": "M", "code": "own"}),
    "an error without a code": with_body(error={"message": "M"}),
    "a made-up status": with_body(error={"message": "M", "code": 500}),
}


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("model", [OPENAI, VLLM])
def test_errors(server: ModelServer, model: str, name: str) -> None:
    """Class, message, status, whether to retry and when are the same."""
    SCRIPTED["reply"] = ERRORS[name]
    came = ask_both(server, model=model)
    assert came.error is not None
    assert "\n" not in came.error.message


@pytest.mark.parametrize("model", [OPENAI, VLLM])
def test_a_body_cut_off(server: ModelServer, model: str) -> None:
    """Only the words after the finding differ: litellm shows its parser's."""
    SCRIPTED["reply"] = ended("half")
    direct, slow = (ask(server, lane, model=model) for lane in LANES)
    assert direct.error is not None
    assert slow.error is not None
    finding = "the provider's answer is not JSON: "
    assert direct.error.message == f"{finding}it breaks off"
    assert slow.error.message.startswith(finding)
    assert direct.told[2:] == slow.told[2:] == (None, True, None)


@pytest.mark.parametrize(
    "reply",
    [ended("stall"), replace(answered("late"), delay=30)],
    ids=["stalled half-way", "slow first byte"],
)
def test_a_call_that_takes_too_long(server: ModelServer, reply: Reply) -> None:
    """The timeout covers the whole call and names the endpoint."""
    SCRIPTED["reply"] = reply
    came = ask_both(server, timeout=0.3)
    assert came.error is not None
    assert came.error.message == f"no answer from {server.url} within 0.3 s"


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nowhere.invalid"])
def test_a_server_that_is_not_there(server: ModelServer, host: str) -> None:
    """With the operating system's reason, and worth another try."""
    address = f"http://{host}/v1"
    direct, slow = (ask(server, lane, api_base=address, api_key="k") for lane in LANES)
    assert direct.told == slow.told
    assert direct.error is not None
    assert direct.error.retryable
    assert direct.error.message.startswith("no connection to the provider: ")


def test_the_key_is_not_shown(server: ModelServer) -> None:
    """Some providers repeat it."""
    SCRIPTED["reply"] = status(401, "Incorrect API key provided: sk-verysecret")
    came = ask_both(server, api_key="sk-verysecret")
    assert came.error is not None
    assert came.error.message == "Incorrect API key provided: *** (HTTP 401)"


def test_text_that_no_bytes_stand_for(server: ModelServer) -> None:
    """A lone surrogate is refused before anything is sent."""
    asked = replace(ASKED, messages=({"role": "user", "content": "\ud800"},))
    for lane in LANES:
        came = ask(server, lane, asked)
        assert came.error is not None
        assert not came.error.retryable
        assert came.sent == []
