"""Which endpoints take the direct lane; in doubt litellm has them."""

from __future__ import annotations

import asyncio
import logging
import ssl
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from model_server import Faults, ModelServer, answered, ended, status
from pytest_llm_diagnosis.errors import InputError, Location, ModelError
from pytest_llm_diagnosis.models import (
    DirectModel,
    LitellmModel,
    lane_of,
    open_model,
)
from pytest_llm_diagnosis.models.connections import _trusted
from pytest_llm_diagnosis.models.wires import NotDirectError, wire_of
from pytest_llm_diagnosis.records import Answer, Endpoint, Lane, Request, Variant

LOCAL = "http://127.0.0.1:8080/v1"
REMOTE = "https://models.example.org/v1"
NAMES = (
    "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_API_BASE", "HOSTED_VLLM_API_BASE",
    "SSL_CERT_FILE", "SSL_VERIFY", "http_proxy", "https_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY",
)  # fmt: skip
REQUEST = Request(
    key="k", case="c", variant="v", messages=({"role": "user", "content": "q"},)
)


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave nothing in the environment that decides about lanes."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def variant(lane: Lane | None = None, **endpoint: Any) -> Variant:
    """Return a variant of an endpoint."""
    return Variant(
        name="base",
        location=Location(path=Path("llm_variants.yaml"), line=3),
        kind="prompt",
        live=Endpoint(**endpoint),
        lane=lane,
    )


@pytest.mark.parametrize(
    ("endpoint", "lane"),
    [
        ({"model": "openai/smollm2", "api_base": LOCAL}, "direct"),
        ({"model": "openai/org/model", "api_base": LOCAL}, "direct"),
        ({"model": "hosted_vllm/m", "api_base": LOCAL}, "direct"),
        ({"model": "hosted_vllm/m", "api_base": REMOTE}, "direct"),
        ({"model": "custom_openai/m", "api_base": LOCAL}, "direct"),
        ({"model": "openai/m", "api_base": REMOTE, "api_key": "k"}, "direct"),
        ({"model": "openai/gpt-4o", "api_key": "k"}, "direct"),
        ({"model": "gpt-4o", "api_key": "k"}, "direct"),
        ({"model": "gpt-4.1-mini", "api_key": "k"}, "direct"),
        ({"model": "openai/gpt-oss-20b", "api_base": LOCAL}, "direct"),
        ({"model": "openai/olmo", "api_base": LOCAL}, "direct"),
        # no key, or nowhere to go
        ({"model": "openai/m", "api_base": REMOTE}, "litellm"),
        ({"model": "gpt-4o"}, "litellm"),
        ({"model": "hosted_vllm/m"}, "litellm"),
        # litellm's own rules for a model
        ({"model": "openai/gpt-5", "api_key": "k"}, "litellm"),
        ({"model": "openai/gpt-5-chat-latest", "api_key": "k"}, "litellm"),
        ({"model": "openai/o1", "api_base": LOCAL}, "litellm"),
        ({"model": "openai/team/o3-mini", "api_base": LOCAL}, "litellm"),
        ({"model": "o3-mini", "api_key": "k"}, "litellm"),
        ({"model": "openai/gpt-4o-audio-preview", "api_key": "k"}, "litellm"),
        ({"model": "openai/gpt-4o-search-preview", "api_key": "k"}, "litellm"),
        ({"model": "openai/responses/gpt-4o", "api_key": "k"}, "litellm"),
        ({"model": "openai/gpt-4", "api_key": "k"}, "litellm"),
        ({"model": "openai/dall-e-3", "api_key": "k"}, "litellm"),
        ({"model": "openai/text-embedding-3-small", "api_key": "k"}, "litellm"),
        # another provider, or a name that is not OpenAI's
        ({"model": "azure/gpt-4o", "api_base": LOCAL}, "litellm"),
        ({"model": "anthropic/claude-sonnet-4-5", "api_key": "k"}, "litellm"),
        ({"model": "openai_like/m", "api_base": LOCAL}, "litellm"),
        ({"model": "text-completion-openai/m", "api_base": LOCAL}, "litellm"),
        ({"model": "gpt-4o", "api_base": LOCAL}, "litellm"),
        ({"model": "smollm2", "api_base": LOCAL}, "litellm"),
        ({"model": "openai/", "api_base": LOCAL}, "litellm"),
        # a URL that is more than a place
        ({"model": "openai/m", "api_base": f"{LOCAL}?a=b"}, "litellm"),
        ({"model": "openai/m", "api_base": f"{LOCAL}/chat/completions"}, "litellm"),
        ({"model": "openai/m", "api_base": "http://a:b@localhost/v1"}, "litellm"),
        ({"model": "openai/m", "api_base": "localhost:80/v1"}, "litellm"),
        ({"model": "openai/m", "api_base": "unix:///tmp/socket"}, "litellm"),
        # a parameter that litellm maps
        ({"model": "openai/m", "api_base": LOCAL, "params": {"user": "u"}}, "litellm"),
        ({"model": "openai/m", "api_base": LOCAL, "params": {"stream": 1}}, "direct"),
        ({"model": "custom_openai/m", "api_base": LOCAL, "params": {"top_k": 1}},
         "litellm"),
    ],
)  # fmt: skip
def test_which_lane_an_endpoint_takes(endpoint: dict[str, Any], lane: Lane) -> None:
    """The direct one only where the request is known to be the same."""
    assert lane_of(variant(**endpoint)) == lane
    model = open_model(variant(**endpoint), timeout=5, root=Path())
    assert type(model) is (DirectModel if lane == "direct" else LitellmModel)


def test_a_lane_can_be_insisted_on() -> None:
    """Litellm always can; what the direct lane cannot is an error at its line."""
    slow = variant("litellm", model="openai/m", api_base=LOCAL)
    assert lane_of(slow) == "litellm"
    assert isinstance(open_model(slow, timeout=5, root=Path()), LitellmModel)
    wrong = variant("direct", model="anthropic/claude", api_base=LOCAL)
    with pytest.raises(InputError) as caught:
        open_model(wrong, timeout=5, root=Path())
    assert str(caught.value) == (
        "llm_variants.yaml:3: variant 'base' cannot take the direct lane: "
        "anthropic/claude is not one of openai/, custom_openai/, hosted_vllm/\n"
        "  leave 'lane' out, or write lane: litellm"
    )
    assert lane_of(replace(slow, live=None)) is None


@pytest.mark.parametrize(
    ("name", "value", "base"),
    [
        ("LITELLM_DROP_PARAMS", "True", LOCAL),
        ("LITELLM_LOG", "DEBUG", LOCAL),
        ("LITELLM_LOCAL_MODEL_COST_MAP", "False", LOCAL),
        ("USE_LITELLM_PROXY", "True", LOCAL),
        ("OPENAI_CUSTOM_HEADERS", "X-A: b", LOCAL),
        ("AIOHTTP_TRUST_ENV", "True", LOCAL),
        ("http_proxy", "http://proxy:3128", LOCAL),
        ("https_proxy", "http://proxy:3128", REMOTE),
        ("all_proxy", "http://proxy:3128", REMOTE),
        ("SSL_VERIFY", "False", REMOTE),
        ("SSL_SECURITY_LEVEL", "1", REMOTE),
    ],
)
def test_settings_of_litellm_are_honoured_by_litellm(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, base: str
) -> None:
    """Whoever sets one wants what it does there."""
    endpoint = Endpoint(model="openai/m", api_base=base, api_key="k")
    assert wire_of(endpoint).url == f"{base}/chat/completions"
    monkeypatch.setenv(name, value)
    with pytest.raises(NotDirectError):
        wire_of(endpoint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
        ("LITELLM_MODE", "PRODUCTION"),
        ("https_proxy", "http://proxy:3128"),
        ("SSL_VERIFY", "False"),
    ],
)
def test_settings_that_change_nothing(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """What this plugin sets itself, and what concerns another scheme."""
    monkeypatch.setenv(name, value)
    assert wire_of(Endpoint(model="openai/m", api_base=LOCAL))


def test_a_host_that_needs_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is asked directly, as by litellm."""
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    assert wire_of(Endpoint(model="openai/m", api_base=LOCAL))


def test_whom_a_tls_connection_trusts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file that is set, else certifi's; a file that is not there is none."""
    import certifi

    monkeypatch.setenv("SSL_CERT_FILE", "own.pem")
    wire = wire_of(Endpoint(model="openai/m", api_base=REMOTE, api_key="k"))
    assert wire.ca_file == "own.pem"
    own = tmp_path / "own.pem"
    first = Path(certifi.where()).read_text().split("-----END CERTIFICATE-----")[0]
    own.write_text(f"{first}-----END CERTIFICATE-----\n")
    assert len(_trusted(str(own)).get_ca_certs()) == 1
    usual = _trusted(str(tmp_path / "missing.pem"))
    assert len(usual.get_ca_certs()) == len(_trusted(None).get_ca_certs()) > 1
    assert usual.verify_mode is ssl.CERT_REQUIRED


def test_a_wire_keeps_its_key_to_itself() -> None:
    """It is not shown by accident."""
    wire = wire_of(Endpoint(model="openai/m", api_base=LOCAL, api_key="sk-verysecret"))
    assert wire.headers["Authorization"] == "Bearer sk-verysecret"
    assert "sk-verysecret" not in repr(wire)


# -- a pool of connections -------------------------------------------------------


@pytest.fixture
def many() -> list[Request]:
    """Return different requests."""
    return [
        replace(REQUEST, messages=({"role": "user", "content": f"question {number}"},))
        for number in range(256)
    ]


def asked(server: ModelServer, requests: list[Request]) -> list[Any]:
    """Return what came of requests made all at once, by one model."""
    endpoint = variant("direct", model="openai/m", api_base=server.url)
    model = open_model(endpoint, timeout=20, root=Path())

    async def all_at_once() -> list[Any]:
        try:
            calls = [model.answer(request) for request in requests]
            return await asyncio.gather(*calls, return_exceptions=True)
        finally:
            await model.close()
            assert asyncio.all_tasks() == {asyncio.current_task()}

    return asyncio.run(all_at_once())


def test_256_calls_share_a_model(many: list[Request]) -> None:
    """All in flight at once; each good answer is paid exactly once."""
    faults = Faults(share=0.3, replies=[status(500, "broke"), ended("reset")])
    with ModelServer(lambda sent: sent.prompt, latency=0.5, faults=faults) as server:
        results = asked(server, many)
    good = [result for result in results if isinstance(result, Answer)]
    bad = [result for result in results if isinstance(result, ModelError)]
    assert len(good) + len(bad) == server.served == 256
    assert all(error.retryable for error in bad)
    assert sorted(server.paid.values()) == [1] * len(good)
    assert 0 < len(bad) < 256
    assert server.most_in_flight == 256
    for request, result in zip(many, results, strict=True):
        if isinstance(result, Answer):
            assert result.text == request.messages[0]["content"]


def test_connections_are_kept(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Calls one after the other need one connection, and nothing is said of it."""
    with ModelServer(lambda _sent: answered("ok")) as server:
        endpoint = variant("direct", model="openai/m", api_base=server.url)
        model = open_model(endpoint, timeout=20, root=Path())

        async def in_turn() -> int:
            for _ in range(5):
                await model.answer(REQUEST)
            open_connections = len(server._connections)
            await model.close()
            await model.close()
            return open_connections

        with caplog.at_level(logging.DEBUG, logger="aiohttp"):
            assert asyncio.run(in_turn()) == 1
    assert server.served == 5
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_nothing_is_imported_before_a_call() -> None:
    """Neither the module nor an opened model nor closing it needs a client."""
    code = (
        "import asyncio, sys; from pathlib import Path;"
        "from pytest_llm_diagnosis import models;"
        "from pytest_llm_diagnosis.errors import Location;"
        "from pytest_llm_diagnosis.records import Endpoint, Variant;"
        f"live = Endpoint(model='openai/x', api_base={LOCAL!r});"
        "place = Location(path=Path('v'));"
        "one = Variant(name='v', location=place, kind='prompt', live=live);"
        "model = models.open_model(one, timeout=5, root=Path());"
        "assert isinstance(model, models.DirectModel);"
        "asyncio.run(model.close());"
        "print(sorted({'litellm', 'openai', 'httpx', 'aiohttp'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    shown = subprocess.run(  # noqa: S603 - this test's own code
        command, capture_output=True, text=True, check=True
    )
    assert shown.stdout == "[]\n"
