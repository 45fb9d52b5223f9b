"""How many tokens a model takes, how many a text has, and whether it fits."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from model_server import ModelServer, Reply, Served, status
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.models import (
    Window,
    corpus_of,
    estimated_tokens,
    refuse_too_large,
    window_of,
)
from pytest_llm_diagnosis.models.litellm_library import library
from pytest_llm_diagnosis.models.token_counts import openai_tokens
from pytest_llm_diagnosis.records import (
    ESTIMATE_FACTOR,
    Corpus,
    Endpoint,
    Library,
    Setup,
    Variant,
)

ROUTES: dict[str, Reply] = {}
DOCUMENT = """\
# Returns

Unworn boots may be returned within 45 days of delivery, at no cost. Write to
help@northwind.example first, and we will send you a label.

| goods | days |
| --- | --- |
| tents | 30 |
"""


def route(request: Served) -> Reply:
    """Return what a test has put at the path."""
    return ROUTES.get(request.path, status(404, "not found"))


@pytest.fixture(scope="module")
def shared_server() -> Iterator[ModelServer]:
    """One server for the file."""
    with ModelServer(route) as server:
        yield server


@pytest.fixture
def server(shared_server: ModelServer) -> ModelServer:
    """Give the server, which knows nothing yet."""
    shared_server.requests.clear()
    ROUTES.clear()
    return shared_server


def said(body: Any) -> Reply:
    """Return a reply of JSON."""
    return Reply(body=json.dumps(body).encode())


def variant(endpoint: Endpoint, window: int | None = None) -> Variant:
    """Return a variant of an endpoint."""
    return Variant(
        name="long",
        location=Location(path=Path("llm_variants.yaml"), line=12),
        kind="long_context",
        written=endpoint,
        live=endpoint,
        window=window,
    )


# -- the window ------------------------------------------------------------


@pytest.mark.parametrize(
    ("routes", "window"),
    [
        ({"/v1/models": {"data": [{"id": "m", "max_model_len": 8192}]}}, 8192),
        (
            {
                "/v1/models": {
                    "data": [
                        {"id": "other", "context_length": 1},
                        {"id": "m", "context_length": 65536},
                    ]
                }
            },
            65536,
        ),
        (
            {"/v1/models": {"data": [{"id": "gguf", "meta": {"n_ctx": 2048}}]}},
            2048,
        ),
        (
            {
                "/v1/models": {"data": [{"id": "m", "meta": {"n_ctx_train": 9999}}]},
                "/props": {"default_generation_settings": {"n_ctx": 4096}},
            },
            4096,
        ),
        ({"/v1/props": {"default_generation_settings": {"n_ctx": 512}}}, 512),
        ({"/v1/models": {"data": [{"id": "m"}, {"id": "n"}]}}, None),
        ({"/v1/models": {"data": [{"id": "n", "n_ctx": 1}, {"id": "k"}]}}, None),
        ({"/v1/models": {"data": [{"id": "m", "n_ctx": "many"}]}}, None),
        ({"/v1/models": {"data": [{"id": "m", "n_ctx": True}]}}, None),
        ({"/v1/models": {"data": [{"id": "m", "n_ctx": -1}]}}, None),
        ({"/v1/models": {"data": 7}, "/props": [1]}, None),
        ({"/v1/models": None}, None),
        ({}, None),
    ],
)
def test_a_server_says_how_much_its_model_takes(
    server: ModelServer, routes: Mapping[str, Any], window: int | None
) -> None:
    """In whatever way vLLM, llama.cpp and gateways say it; nonsense is nothing."""
    ROUTES.update({path: said(body) for path, body in routes.items()})
    endpoint = Endpoint(model="openai/m", api_base=server.url, api_key="a-key")
    told = window_of(variant(endpoint), ask=True)
    assert told == (None if window is None else Window(window, "server"))
    sent = {request.headers["authorization"] for request in server.requests}
    assert sent == {"Bearer a-key"}


def test_what_is_written_counts_first_and_asks_nobody(server: ModelServer) -> None:
    """Then the server, then litellm's list."""
    ROUTES["/v1/models"] = said({"data": [{"id": "gpt-4o", "max_model_len": 8192}]})
    served = Endpoint(model="openai/gpt-4o", api_base=server.url)
    assert window_of(variant(served, 4096), ask=True) == Window(4096, "written")
    assert server.requests == []
    assert window_of(variant(served), ask=True) == Window(8192, "server")
    assert window_of(variant(served), ask=False) == Window(128_000, "listed")
    ROUTES.clear()
    assert window_of(variant(served), ask=True) == Window(128_000, "listed")
    assert window_of(variant(Endpoint(model="openai/own")), ask=True) is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=302, headers={"location": "/v1/elsewhere"}),
        Reply(body=b"<html>busy</html>"),
        Reply(body=b"[" * 100_000),
        Reply(ending="reset"),
        Reply(body=b'{"data": []}', ending="half"),
        status(500, "broken"),
    ],
    ids=["redirect", "html", "deep", "reset", "half", "500"],
)
def test_a_server_that_says_nothing_useful_is_no_error(
    server: ModelServer, reply: Reply
) -> None:
    """The window is unknown then; and a redirect is not followed, key in hand."""
    ROUTES["/v1/models"] = reply
    ROUTES["/v1/elsewhere"] = said({"data": [{"id": "m", "n_ctx": 1}]})
    endpoint = Endpoint(model="openai/m", api_base=server.url, api_key="a-key")
    assert window_of(variant(endpoint), ask=True) is None
    assert "/v1/elsewhere" not in {request.path for request in server.requests}


def test_a_server_that_hangs_is_waited_for_no_longer_than_stated(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that it is asked shares one deadline."""
    monkeypatch.setattr("pytest_llm_diagnosis.models.server_words.SECONDS", 0.05)
    ROUTES["/v1/models"] = Reply(body=b"{}", delay=0.5)
    endpoint = Endpoint(model="openai/m", api_base=server.url)
    assert window_of(variant(endpoint), ask=True) is None
    assert len(server.requests) == 1


@pytest.mark.parametrize("base", ["http://127.0.0.1:1/v1", "ftp://127.0.0.1/v1", "x"])
def test_a_server_that_is_not_there_has_no_window(base: str) -> None:
    """The first call will say so, in words of its own."""
    endpoint = Endpoint(model="openai/m", api_base=base)
    assert window_of(variant(endpoint), ask=True) is None


# -- tokens ----------------------------------------------------------------

TEXTS = {
    "prose": DOCUMENT * 8,
    "code": Path(__file__).read_text(encoding="utf-8"),
    "json": json.dumps([{"order": n, "status": "shipped"} for n in range(300)]),
    "table": "\n".join(
        f"{n},{n * 37 % 991}.50,2026-11-{n % 28 + 1}" for n in range(500)
    ),
    "german": "F\u00fcr ungetragene Stiefel gilt eine R\u00fcckgabefrist von 45 Tagen. "
    * 40,
}


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("model", ["gpt-4o", "gpt-4", "claude-haiku-4-5"])
def test_an_estimate_is_within_its_bounds(name: str, model: str) -> None:
    """Those that a refusal allows for, of the tokenizers that litellm has along."""
    counted = library().token_counter(model=model, text=TEXTS[name])
    ratio = estimated_tokens(TEXTS[name]) / counted
    assert 1 / ESTIMATE_FACTOR < ratio < ESTIMATE_FACTOR


def test_the_estimate_of_a_long_text_looks_at_parts_of_it() -> None:
    """From all over: its halves may differ."""
    text = TEXTS["code"] * 20 + TEXTS["table"] * 20
    parts = 20 * (estimated_tokens(TEXTS["code"]) + estimated_tokens(TEXTS["table"]))
    assert estimated_tokens(text) == pytest.approx(parts, rel=0.1)


@pytest.mark.parametrize("text", ["", "\ud800", "\x00\u2028", "\u4e2d" * 5, "a" * 9000])
def test_any_text_has_an_estimate(text: str) -> None:
    """Hostile ones too."""
    assert (estimated_tokens(text) > 0) == bool(text)


@pytest.mark.parametrize("model", ["gpt-4o", "openai/gpt-4o-mini", "gpt-4", "gpt-4.1"])
@pytest.mark.parametrize("name", TEXTS)
def test_openai_s_tokens_are_those_litellm_counts(model: str, name: str) -> None:
    """The same tables, without litellm's import."""
    counter = library().token_counter
    expected = counter(model=model.removeprefix("openai/"), text=TEXTS[name])
    assert openai_tokens(TEXTS[name], model) == expected


@pytest.mark.parametrize("model", ["openai/smollm2", "anthropic/claude-sonnet-4-5", ""])
def test_the_tokens_of_other_models_are_not_guessed_exactly(model: str) -> None:
    """Claude's tokenizer is not public, and a local model's is its server's."""
    assert openai_tokens("text", model) is None


def test_counting_imports_neither_litellm_nor_a_tokenizer_where_it_is_clear() -> None:
    """A corpus far below the window is estimated: no table is loaded for it."""
    code = (
        "import sys; from pathlib import Path;"
        "from pytest_llm_diagnosis.errors import Location;"
        "from pytest_llm_diagnosis.models import corpus_of, window_of;"
        "from pytest_llm_diagnosis.records import Endpoint, Variant;"
        "v = Variant(name='v', location=Location(path=Path('a'), line=1),"
        " kind='long_context', written=Endpoint(model='openai/gpt-4o'));"
        "c = corpus_of(v, 'some text ' * 100, window_of(v, ask=False));"
        "assert c.fits and c.window == 128000;"
        "print(sorted({'litellm', 'tiktoken', 'urllib.request'} & set(sys.modules)))"
    )
    shown = subprocess.run(  # noqa: S603 - this test's own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"


# -- whether it fits -------------------------------------------------------


def corpus(tokens: int, window: int | None, by: Any = "estimate") -> Corpus:
    """Return a corpus of so many tokens."""
    return Corpus(tokens=tokens, counted_by=by, model="openai/m", window=window)


@pytest.mark.parametrize(
    ("tokens", "by", "fits"),
    [
        (999, "tokenizer", True),
        (1000, "server", True),
        (1001, "tokenizer", False),
        (666, "estimate", True),
        (667, "estimate", None),
        (1500, "estimate", None),
        (1501, "estimate", False),
    ],
)
def test_whether_a_corpus_fits(tokens: int, by: str, fits: bool | None) -> None:  # noqa: FBT001 - a table
    """An estimate is held to be wrong by half of it, either way."""
    assert corpus(tokens, 1000, by).fits is fits
    assert corpus(tokens, None, by).fits is None


def test_what_an_estimate_leaves_open_is_counted(server: ModelServer) -> None:
    """By OpenAI's table, or by the server itself, where it may be asked."""
    text = DOCUMENT * 100
    tokens = library().token_counter(model="gpt-4o", text=text)
    gpt = variant(Endpoint(model="openai/gpt-4o"))
    near = corpus_of(gpt, text, Window(tokens, "written"))
    assert (near.tokens, near.counted_by, near.fits) == (tokens, "tokenizer", True)
    assert corpus_of(gpt, text, Window(tokens - 1, "written")).fits is False
    far = corpus_of(gpt, text, Window(100 * tokens, "written"))
    assert (far.counted_by, far.fits) == ("estimate", True)

    ROUTES["/tokenize"] = said({"tokens": list(range(5000))})
    own = variant(Endpoint(model="openai/own", api_base=server.url))
    asked = corpus_of(own, text, Window(tokens, "server"), ask=True)
    assert (asked.tokens, asked.counted_by) == (5000, "server")
    assert server.requests[0].body["content"] == text
    unasked = corpus_of(own, text, Window(tokens, "server"))
    assert (unasked.counted_by, unasked.fits) == ("estimate", None)


def test_a_corpus_knows_what_is_said_of_the_documents() -> None:
    """And keeps it through a report."""
    library_ = Library(files=(), access="restricted", changes="daily")
    found = corpus_of(variant(Endpoint(model="openai/own")), "text", None, library_)
    assert (found.access, found.changes, found.window) == ("restricted", "daily", None)
    setup = Setup(
        kind="prompt", plain="base", examples=3, given=9, seen=1, corpus=found
    )
    assert Setup.from_dict(setup.to_dict()) == setup
    assert Setup.from_dict({"kind": "prompt"}) == Setup(kind="prompt")


def test_a_corpus_that_does_not_fit_is_refused_at_its_variant() -> None:
    """With the count, how it was made, and the window."""
    long = variant(Endpoint(model="openai/gpt-4o"))
    large = Corpus(
        tokens=210_431,
        counted_by="tokenizer",
        model="openai/gpt-4o",
        window=128_000,
        window_from="listed",
    )
    with pytest.raises(InputError) as caught:
        refuse_too_large(long, large)
    assert caught.value.show() == (
        "llm_variants.yaml:12: variant 'long': the corpus has 210,431 tokens (counted "
        "with the model's tokenizer); openai/gpt-4o takes 128,000\n"
        "  search it instead: retrieve: {documents: ..., top_k: ...}; if the model "
        "takes more, write window: N"
    )


@pytest.mark.parametrize(("tokens", "window"), [(140_000, 128_000), (9_999_999, None)])
def test_a_corpus_that_may_fit_is_not_refused(tokens: int, window: int | None) -> None:
    """An unknown window refuses nothing, nor does an estimate that is near."""
    refuse_too_large(variant(Endpoint(model="openai/m")), corpus(tokens, window))
