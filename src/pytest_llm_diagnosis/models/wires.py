"""Which endpoints can be asked without litellm, and what then stands in for it.

Where an endpoint plainly speaks OpenAI's chat completions, litellm changes next
to nothing about a request, and a plain HTTP call does the same at a fraction of
the cost.  Everything litellm would do more with stays with litellm: in doubt,
litellm.  What is stated here of litellm was read in its source (1.83) and is
compared with it in `tests/test_lanes.py`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_llm_diagnosis.records import Endpoint

from .calls import is_loopback, stated_key
from .prices import PriceList, price_list

_OPENAI = "https://api.openai.com/v1"
_PROVIDERS = ("openai", "custom_openai", "hosted_vllm")

# Names that litellm maps parameters of, or sends elsewhere, or prices apart.
_SPECIAL = re.compile(
    r"gpt-5|audio|realtime|search|codex|deep-research|responses/|"
    r"(?:^|/)o\d|^ft:|^gpt-4$|^gpt-3\.5-turbo-16k$"
)
# Whoever sets one of these wants something of litellm, or of its clients.
_LITELLMS = re.compile(
    r"LITELLM_|USE_LITELLM_PROXY$|EXPERIMENTAL_OPENAI_BASE_LLM_HTTP_HANDLER$|"
    r"(?:DISABLE_)?AIOHTTP_TRUST_ENV$|DISABLE_AIOHTTP_TRANSPORT$|"
    r"OPENAI_CUSTOM_HEADERS$"
)
_OUR_OWN = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_MODE": "PRODUCTION"}
_TLS = ("SSL_VERIFY", "SSL_CERTIFICATE", "SSL_SECURITY_LEVEL", "SSL_ECDH_CURVE")


class NotDirectError(Exception):
    """A request or an endpoint is litellm's; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Where chat completions are sent; `headers` carry the key."""

    url: str
    model: str
    provider: str
    headers: Mapping[str, str] = field(repr=False)
    ca_file: str | None = None


class _Named(NamedTuple):
    provider: str
    model: str


def wire_of(endpoint: Endpoint) -> Wire:
    """Return the wire of an endpoint; the environment is read as litellm reads it.

    Raises `NotDirectError` where the endpoint is litellm's.
    """
    environment = os.environ
    named = _named(endpoint, price_list())
    base = endpoint.api_base or _base_from(named.provider, environment)
    for reason in _reasons(base, environment):
        raise NotDirectError(reason)
    url = f"{base.rstrip('/')}/chat/completions"
    key = stated_key(endpoint) or _key_from(named.provider, environment)
    if not key or not key.isascii() or not key.isprintable():
        raise NotDirectError("it has no key")
    headers = {
        "Authorization": f"Bearer {key}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "pytest-llm-diagnosis",
    }
    if named.provider != "hosted_vllm":
        headers |= _account(environment)
    return Wire(
        url=url,
        model=named.model,
        provider=named.provider,
        headers=headers,
        ca_file=environment.get("SSL_CERT_FILE") or None,
    )


def _named(endpoint: Endpoint, prices: PriceList) -> _Named:
    """Return the provider and the name it knows the model by."""
    provider, slash, model = endpoint.model.partition("/")
    if not slash and prices.mode(provider) and not endpoint.api_base:
        provider, model = "openai", provider
    if provider not in _PROVIDERS or not model:
        known = ", ".join(f"{one}/" for one in _PROVIDERS)
        raise NotDirectError(f"{endpoint.model} is not one of {known}")
    if _SPECIAL.search(model) or prices.mode(model) not in (None, "chat"):
        raise NotDirectError(f"litellm has rules of its own for {model}")
    return _Named(provider, model)


def _base_from(provider: str, environment: Mapping[str, str]) -> str:
    if provider == "hosted_vllm":
        return environment.get("HOSTED_VLLM_API_BASE", "")
    named = (environment.get(name) for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"))
    return next(filter(None, named), _OPENAI)


def _key_from(provider: str, environment: Mapping[str, str]) -> str:
    if provider == "hosted_vllm":
        return environment.get("HOSTED_VLLM_API_KEY") or "fake-api-key"
    return environment.get("OPENAI_API_KEY", "")


def _account(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that name an organisation and a project."""
    organisation = environment.get("OPENAI_ORGANIZATION") or environment.get(
        "OPENAI_ORG_ID"
    )
    found = {
        "OpenAI-Organization": organisation,
        "OpenAI-Project": environment.get("OPENAI_PROJECT_ID"),
    }
    return {name: value for name, value in found.items() if value}


def _reasons(base: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what about a URL and the environment is left to litellm."""
    for name, value in environment.items():
        if _LITELLMS.match(name) and _OUR_OWN.get(name) != value:
            yield f"{name} is set"
    url = urlsplit(base)
    plain = url.scheme in ("http", "https") and url.hostname and not url.username
    if not plain or url.query or url.fragment or "chat/completions" in url.path:
        yield "its api_base is not a plain URL"
        return
    if _proxy(url.scheme, url.hostname or ""):
        yield "a proxy is set"
    if url.scheme == "https":
        yield from (f"{name} is set" for name in _TLS if environment.get(name))


class Way(NamedTuple):
    """How a URL is reached: whom to trust, and through which proxy."""

    ca_file: str | None
    proxy: str | None


def way_to(url: str) -> Way:
    """Return the way that the environment states; none leads past this machine."""
    parts = urlsplit(url)
    proxy = None if is_loopback(url) else _proxy(parts.scheme, parts.hostname or "")
    return Way(os.environ.get("SSL_CERT_FILE") or None, proxy)


def _proxy(scheme: str, host: str) -> str | None:
    # Imported for live calls only: it brings an HTTP client of its own.
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    return proxy if proxy and not proxy_bypass(host) else None
