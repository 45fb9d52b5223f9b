"""What the server of an endpoint says beside its answers: its window, its tokens.

Servers that speak OpenAI's chat completions say it in ways of their own: vLLM and
SGLang `max_model_len`, llama.cpp `n_ctx`, gateways `context_length`, beside the
name of a model in `/models`, or llama.cpp in `/props`.

To be imported where a live call follows: it brings an HTTP client of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import cast
from urllib import request
from urllib.parse import urlsplit

from pytest_llm_diagnosis.records import Endpoint, Json, JsonObject

from .calls import is_loopback, stated_key

SECONDS = 3.0
"""How long a server has for all that it is asked: the first call waits for it."""
_MOST_BYTES = 4_000_000
_BESIDE_A_MODEL = (
    "max_model_len",
    "n_ctx",
    "context_length",
    "context_window",
    "max_context_length",
)


class Server:
    """The server behind an endpoint's `api_base`; it gets the key of a call.

    Whatever it does not say in good time is None.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._base = (endpoint.api_base or "").rstrip("/")
        self._name = endpoint.model.partition("/")[2] or endpoint.model
        self._until = time.monotonic() + SECONDS

    def window(self) -> int | None:
        """Return the most tokens that a prompt may have."""
        listed = _object(self._told(f"{self._base}/models")).get("data")
        for model in _models(listed, self._name):
            # llama.cpp's `n_ctx_train` is what the model could take, not what is
            # served.
            told = {**_object(model.get("meta")), **model}
            counts = [_count(told.get(key)) for key in _BESIDE_A_MODEL]
            if any(counts):
                return next(filter(None, counts))
        for root in self._roots():
            props = _object(self._told(f"{root}/props"))
            settings = _object(props.get("default_generation_settings"))
            window = _count(settings.get("n_ctx"))
            if window is not None:
                return window
        return None

    def tokens(self, text: str) -> int | None:
        """Return how many tokens a text has; llama.cpp and vLLM count them."""
        asked: JsonObject = {"content": text, "prompt": text, "model": self._name}
        for root in self._roots():
            tokens = _object(self._told(f"{root}/tokenize", asked)).get("tokens")
            if isinstance(tokens, list) and tokens:
                return len(tokens)
        return None

    def _roots(self) -> list[str]:
        """Return where the server's own routes may lie: beside the version, below."""
        return list(dict.fromkeys([self._base.removesuffix("/v1"), self._base]))

    def _told(self, url: str, body: JsonObject | None = None) -> Json:
        left = self._until - time.monotonic()
        if urlsplit(url).scheme not in ("http", "https") or left <= 0:
            return None
        key = stated_key(self._endpoint)
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        asked = request.Request(  # noqa: S310 - the scheme is checked above
            url,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
        )
        try:
            with _opener(url).open(asked, timeout=left) as reply:
                return cast("Json", json.loads(reply.read(_MOST_BYTES)))
        except (OSError, ValueError, HTTPException, RecursionError):
            return None


class _Stays(request.HTTPRedirectHandler):
    """Follows no redirect: the key is for this server."""

    def redirect_request(self, *_arguments: object) -> None:
        """Make an error of it."""


def _opener(url: str) -> request.OpenerDirector:
    direct = [request.ProxyHandler({})] if is_loopback(url) else []
    return request.build_opener(_Stays(), *direct)


def _models(listed: Json, name: str) -> Iterator[JsonObject]:
    """Yield what is said of the model, or of the only one there is."""
    models = [_object(one) for one in listed] if isinstance(listed, list) else []
    yield from (one for one in models if one.get("id") == name or len(models) == 1)


def _object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _count(value: Json) -> int | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return cast("int", value) if is_count else None
