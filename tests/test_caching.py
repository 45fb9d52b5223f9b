"""A corpus that many cases begin with, marked for and read from a cache."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_server import ModelServer, Reply, answered
from pytest_llm_diagnosis.errors import Location, ModelError
from pytest_llm_diagnosis.models import open_model
from pytest_llm_diagnosis.models.caching import PrefixFirst, marked, wants_mark
from pytest_llm_diagnosis.models.litellm_library import library
from pytest_llm_diagnosis.models.model_list import listed_window, model_entry
from pytest_llm_diagnosis.models.prices import Usage, price_list
from pytest_llm_diagnosis.records import (
    Answer,
    Endpoint,
    Request,
    Tokens,
    Variant,
)

CORPUS = "# docs/returns.md\n\nBoots may come back for 45 days."
CLAUDE = "anthropic/claude-sonnet-4-5"
EPHEMERAL = {"type": "ephemeral"}
SCRIPTED: dict[str, Reply] = {}


def request(system: str = f"{CORPUS}\n\nBe brief.") -> Request:
    """Return a question behind a system prompt."""
    return Request(
        key="k",
        case="c",
        variant="long",
        messages=(
            {"role": "system", "content": system},
            {"role": "user", "content": "How many days?"},
        ),
    )


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    """One server for the file."""
    with ModelServer(lambda _request: SCRIPTED["reply"]) as server:
        yield server


@pytest.fixture
def server(shared_server: ModelServer) -> ModelServer:
    """Give the server, with nothing asked of it yet."""
    shared_server.requests.clear()
    SCRIPTED["reply"] = answered("45 days")
    return shared_server


def said_by_claude(**usage: int) -> Reply:
    """Return an answer as Anthropic words it."""
    body = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "45 days"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 20, "output_tokens": 5, **usage},
    }
    return Reply(body=json.dumps(body).encode())


def ask(endpoint: Endpoint, *requests: Request) -> list[Answer]:
    """Return the answers of a variant that gives the corpus."""
    variant = Variant(
        name="long",
        location=Location(path=Path("llm_variants.yaml"), line=3),
        kind="long_context",
        live=endpoint,
        context=f"{CORPUS}\n",
    )

    async def all_of_them() -> list[Answer]:
        model = open_model(variant, timeout=20, root=Path())
        try:
            return await asyncio.gather(*map(model.answer, requests))
        finally:
            await model.close()

    return asyncio.run(all_of_them())


def claude(server: ModelServer, **parts: Any) -> Endpoint:
    """Return Claude, answered for by the server."""
    root = server.url.removesuffix("/v1")
    return Endpoint(model=CLAUDE, api_base=root, api_key="a-key", **parts)


# -- who wants a mark ------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "wants"),
    [
        (CLAUDE, True),
        ("claude-sonnet-4-5", True),
        ("anthropic/claude-newer-than-any-list", True),
        ("bedrock/anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("bedrock/converse/anthropic.claude-sonnet-4-5-20250929-v1:0", True),
        ("bedrock/amazon.nova-lite-v1:0", True),
        ("vertex_ai/claude-sonnet-4-5", True),
        ("azure_ai/claude-sonnet-4-5", True),
        ("databricks/databricks-claude-sonnet-4", True),
        ("openrouter/anthropic/claude-sonnet-4", True),
        ("litellm_proxy/claude-sonnet-4-5", True),
        ("minimax/MiniMax-M2", True),
        # Too old to cache anything: Bedrock answers a mark with an error.
        ("bedrock/anthropic.claude-v2:1", False),
        ("anthropic.claude-v2:1", False),
        ("bedrock/meta.llama3-70b-instruct-v1:0", False),
        ("minimax/unheard-of-model", True),
        # They find a common beginning by themselves.
        ("openai/gpt-4o", False),
        ("gpt-4o", False),
        ("azure/gpt-4o", False),
        ("azure/our-claude-in-name-only", False),
        ("deepseek/deepseek-chat", False),
        ("gemini/gemini-2.5-flash", False),
        ("vertex_ai/gemini-2.5-pro", False),
        ("openrouter/deepseek/deepseek-chat", False),
        ("openai/smollm2", False),
        # litellm takes the mark out.
        ("vercel_ai_gateway/anthropic/claude-4-opus", False),
        ("openai/claude-behind-some-proxy", False),
    ],
)
def test_who_wants_a_mark(model: str, wants: bool) -> None:  # noqa: FBT001 - a table
    """Those who cache only what is marked, and who get the mark from litellm."""
    assert wants_mark(model) is wants


def test_the_corpus_is_a_block_of_its_own() -> None:
    """A case's own system prompt behind it must not miss what another has written."""
    blocks = [
        marked(request(f"{CORPUS}{rest}").messages, CORPUS)[0]["content"]
        for rest in ("\n\nBe brief.", "\n\nAnswer in JSON.", "")
    ]
    first = {"type": "text", "text": CORPUS, "cache_control": EPHEMERAL}
    assert blocks[0] == [first, {"type": "text", "text": "\n\nBe brief."}]
    assert blocks[1] == [first, {"type": "text", "text": "\n\nAnswer in JSON."}]
    assert blocks[2] == [first]


@pytest.mark.parametrize(
    "messages",
    [
        ({"role": "user", "content": CORPUS},),
        ({"role": "system", "content": "The passage alone."},),
        ({"role": "system", "content": [{"type": "text", "text": CORPUS}]},),
        (),
    ],
)
def test_messages_without_the_corpus_stay_what_they_are(messages: Any) -> None:
    """The passage alone replaces it; and nothing else is ever marked."""
    assert marked(messages, CORPUS) == list(messages)


def test_the_mark_changes_neither_the_request_nor_its_key() -> None:
    """It is transport: what is stored and recorded never shows it."""
    asked = request()
    before = (asked.key, json.dumps(asked.messages))
    marked(asked.messages, CORPUS)
    assert (asked.key, json.dumps(asked.messages)) == before


# -- what is sent ----------------------------------------------------------


def test_claude_is_sent_the_mark_on_the_corpus_alone(server: ModelServer) -> None:
    """Anthropic's own form of it, out of litellm's hands."""
    SCRIPTED["reply"] = said_by_claude()
    ask(claude(server), request(), request(f"{CORPUS}\n\nAnswer in JSON."))
    sent = [one.body["system"] for one in server.requests]
    assert [blocks[0] for blocks in sent] == [
        {"type": "text", "text": CORPUS, "cache_control": EPHEMERAL}
    ] * 2
    assert sent[0][1] == {"type": "text", "text": "\n\nBe brief."}
    assert "cache_control" not in json.dumps([sent[0][1], sent[1][1]])


def test_a_user_s_own_marks_come_first(server: ModelServer) -> None:
    """`cache_control_injection_points` is litellm's, and stays the user's to set."""
    SCRIPTED["reply"] = said_by_claude()
    points = [{"location": "message", "role": "user"}]
    params = {"cache_control_injection_points": points}
    ask(claude(server, params=params), request())
    (sent,) = server.requests
    assert "cache_control" not in json.dumps(sent.body["system"])
    assert "cache_control" in json.dumps(sent.body["messages"])


@pytest.mark.parametrize("lane", ["direct", "litellm"])
@pytest.mark.parametrize("model", ["openai/smollm2", "openai/claude-like"])
def test_an_openai_compatible_server_gets_the_text_as_it_is(
    server: ModelServer, model: str, lane: Any
) -> None:
    """It caches by prefix; blocks of content would be news to many servers."""
    endpoint = Endpoint(model=model, api_base=server.url, api_key="k")
    variant = Variant(
        name="long",
        location=Location(path=Path("llm_variants.yaml"), line=3),
        kind="long_context",
        live=endpoint,
        context=CORPUS,
        lane=lane,
    )

    async def once() -> None:
        opened = open_model(variant, timeout=20, root=Path())
        await opened.answer(request())
        await opened.close()

    asyncio.run(once())
    (sent,) = server.requests
    assert sent.body["messages"] == list(request().messages)


# -- what comes back -------------------------------------------------------


def test_claude_s_cached_tokens_and_their_price(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading saves nine tenths of the input price, writing adds a quarter."""
    monkeypatch.setattr(
        "pytest_llm_diagnosis.models.litellm_model.is_loopback", lambda _base: False
    )
    entry = library().model_cost["claude-sonnet-4-5"]
    new, out = entry["input_cost_per_token"], entry["output_cost_per_token"]
    SCRIPTED["reply"] = said_by_claude(cache_creation_input_tokens=3000)
    (wrote,) = ask(claude(server), request())
    SCRIPTED["reply"] = said_by_claude(cache_read_input_tokens=3000)
    (read,) = ask(claude(server), request())
    assert wrote.tokens == Tokens(prompt=3020, completion=5, written=3000)
    assert read.tokens == Tokens(prompt=3020, completion=5, cached=3000)
    whole = 3020 * new + 5 * out
    for answer, price in (
        (wrote, entry["cache_creation_input_token_cost"]),
        (read, entry["cache_read_input_token_cost"]),
    ):
        assert answer.usd == pytest.approx(20 * new + 3000 * price + 5 * out)
        assert answer.saved_usd == pytest.approx(whole - (answer.usd or 0))
    assert (wrote.saved_usd or 0) < 0 < (read.saved_usd or 0)


def test_an_answer_without_a_cache_saves_nothing_to_speak_of(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its price is known, and no saving is claimed."""
    monkeypatch.setattr(
        "pytest_llm_diagnosis.models.litellm_model.is_loopback", lambda _base: False
    )
    SCRIPTED["reply"] = said_by_claude()
    (answer,) = ask(claude(server), request())
    assert answer.usd is not None
    assert answer.saved_usd is None


def test_deepseek_s_cached_tokens_and_their_price(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It counts hits under a name of its own, and needs no mark."""
    monkeypatch.setattr(
        "pytest_llm_diagnosis.models.litellm_model.is_loopback", lambda _base: False
    )
    entry = library().model_cost["deepseek/deepseek-chat"]
    new, read = entry["input_cost_per_token"], entry["cache_read_input_token_cost"]
    counts = {"prompt_tokens": 3020, "completion_tokens": 5, "total_tokens": 3025}
    hits = {"prompt_cache_hit_tokens": 3000, "prompt_cache_miss_tokens": 20}
    SCRIPTED["reply"] = answered("45 days", usage={**counts, **hits})
    endpoint = Endpoint(
        model="deepseek/deepseek-chat", api_base=server.url, api_key="a-key"
    )
    (answer,) = ask(endpoint, request())
    assert answer.tokens == Tokens(prompt=3020, completion=5, cached=3000)
    out = 5 * entry["output_cost_per_token"]
    assert answer.usd == pytest.approx(20 * new + 3000 * read + out)
    assert answer.saved_usd == pytest.approx(3000 * (new - read))
    assert "cache_control" not in json.dumps(server.requests[0].body["messages"])


@pytest.mark.parametrize(
    ("usage", "saves"),
    [
        (Usage(prompt=1000, completion=9), None),
        (Usage(prompt=1000, completion=9, cached=800), 800 * 1.25e-6),
        (Usage(prompt=1000, completion=9, cached=800, text=200), 800 * 1.25e-6),
    ],
)
def test_what_openai_s_cache_saves(usage: Usage, saves: float | None) -> None:
    """gpt-4o reads at half its price of 2.50 USD a million."""
    saved = price_list().saved_usd(["gpt-4o"], usage)
    assert saved == (None if saves is None else pytest.approx(saves))


def test_a_cache_without_a_price_is_not_said_to_save() -> None:
    """Litellm counts such tokens as free, which nobody has promised."""
    usage = Usage(prompt=1000, completion=9, cached=800)
    prices = price_list()
    assert prices.usd(["gpt-4"], usage) is not None
    assert prices.saved_usd(["gpt-4"], usage) is None
    assert prices.saved_usd(["unheard-of"], usage) is None


# -- the first call --------------------------------------------------------


class Watched:
    """A model that knows how many calls it has at a time; the first may fail."""

    def __init__(self, *, failing: bool = False) -> None:
        self.in_flight = 0
        self.seen: list[int] = []
        self._failing = failing

    async def answer(self, _request: Request) -> Answer:
        """Answer after a turn of the loop."""
        self.in_flight += 1
        self.seen.append(self.in_flight)
        first = len(self.seen) == 1
        for _ in range(3):
            await asyncio.sleep(0)
        self.in_flight -= 1
        if first and self._failing:
            raise ModelError("no")
        return Answer(text="45 days")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("failing", [False, True])
def test_the_first_call_is_made_alone(failing: bool) -> None:  # noqa: FBT001 - a table
    """The others wait for what it writes, once, and also when it fails."""
    watched = Watched(failing=failing)

    async def ask_four() -> list[object]:
        model = PrefixFirst(watched, CORPUS)
        asked = [model.answer(request()) for _ in range(4)]
        return list(await asyncio.gather(*asked, return_exceptions=True))

    came = asyncio.run(ask_four())
    assert watched.seen == [1, 1, 2, 3]
    assert [isinstance(one, ModelError) for one in came] == [failing] + [False] * 3


def test_calls_without_the_corpus_do_not_wait() -> None:
    """They share nothing that could be cached."""
    watched = Watched()

    async def ask_three() -> None:
        model = PrefixFirst(watched, CORPUS)
        plain = replace(request(), messages=({"role": "user", "content": "q"},))
        await asyncio.gather(*(model.answer(plain) for _ in range(3)))
        await model.close()

    asyncio.run(ask_three())
    assert watched.seen == [1, 2, 3]


# -- litellm's list --------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "window"),
    [
        ("openai/gpt-4o", 128_000),
        ("gpt-4o", 128_000),
        (CLAUDE, 200_000),
        ("deepseek/deepseek-chat", 131_072),
        ("openai/smollm2", None),
        ("ollama_chat/gpt-4o", None),
        ("", None),
    ],
)
def test_windows_that_are_listed(model: str, window: int | None) -> None:
    """A model of the same name at another provider is another model."""
    assert listed_window(model) == window


def test_every_model_that_litellm_knows_is_known_by_its_name() -> None:
    """What is read is the list that litellm itself reads."""
    cost = library().model_cost
    for model in ("gpt-4o-mini", "claude-haiku-4-5", "gemini/gemini-2.5-flash"):
        entry = model_entry(model)
        assert entry is not None
        assert entry["max_input_tokens"] == cost[model]["max_input_tokens"]
