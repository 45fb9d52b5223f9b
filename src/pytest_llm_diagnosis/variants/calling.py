"""`call:`, a team's own application: imported, or asked over HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pytest_llm_diagnosis.errors import Location, Problem
from pytest_llm_diagnosis.records import is_remote
from pytest_llm_diagnosis.source import MapNode, place

from .calls import is_target

_URL_LIKE = "http://127.0.0.1:8000/answer"

# RFC 9110, sections 5.1 and 5.5: a token, and text in one line.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_IN_A_HEADER = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_OURS = frozenset(
    {"accept", "content-length", "content-type", "host", "transfer-encoding"}
)


def bad_call(node: MapNode, filled: MapNode | None, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with `call` and `headers`.

    `filled` is the variant with its variables filled in, None where none are.
    """
    call = str(node.get("call", ""))
    if "call" in node:
        location = place(node.spots["call"][1], path)
        if is_remote(call):
            yield from _bad_url(call, filled, location)
        elif not is_target(call):
            finding = f"'call' must be module:attribute, got {call!r}"
            hint = f"like northwind.assistant:answer, or a URL like {_URL_LIKE}"
            yield Problem(location=location, finding=finding, hint=hint)
    if "headers" in node:
        yield from _bad_headers(node, filled, path, call)


def _bad_url(
    call: str, filled: MapNode | None, location: Location
) -> Iterator[Problem]:
    """Yield why nothing can be posted there; what a variable holds is not shown."""
    url = call if filled is None else str(filled["call"])
    if "${" in url:
        return
    reason = _no_url(url)
    if reason:
        finding = f"'call' must be a URL, but {call!r} {reason}"
        hint = f"like {_URL_LIKE}"
        if call != url:
            hint += "; its variables were filled in from the environment"
        yield Problem(location=location, finding=finding, hint=hint)


def _no_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_odd = parts.port == 0
    except ValueError as error:
        return f"is none: {error}"
    if parts.scheme not in ("http", "https"):
        return "does not begin with http:// or https://"
    if not parts.hostname or port_is_odd or not url.isprintable() or " " in url:
        return "names no host that can be asked"
    if parts.username is not None or parts.password is not None:
        return "holds a user's name; send it in 'headers'"
    return ""


def _bad_headers(
    node: MapNode, filled: MapNode | None, path: Path, call: str
) -> Iterator[Problem]:
    if not is_remote(call):
        location = place(node.spots["headers"][0], path)
        finding = "'headers' go with a 'call' that is a URL"
        hint = "a model takes them as params: {extra_headers: {...}}"
        yield Problem(location=location, finding=finding, hint=hint)
    headers = (node if filled is None else filled)["headers"]
    if not isinstance(headers, MapNode):
        return
    for name, value in headers.items():
        location = place(headers.spots[name][0], path)
        if not _HEADER.fullmatch(name) or not _IN_A_HEADER.fullmatch(str(value)):
            finding = f"the header {name!r} cannot be sent"
            hint = "a name is one word, a value is one line of text"
            yield Problem(location=location, finding=finding, hint=hint)
        elif name.lower() in _OURS:
            finding = f"the header {name!r} is set by what is sent"
            yield Problem(location=location, finding=finding, hint="leave it out")
