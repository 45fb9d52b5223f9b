"""Exceptions of litellm and provider clients, turned into `ModelError`.

litellm wraps what happened up to four times and gives connection faults and
unreadable bodies a status of 500 that no server ever sent.  The chain of causes
still holds the truth.  Exceptions are told apart by the names of their classes,
so that no client library has to be imported, and so that a user's own
application gets the same treatment whichever client it uses.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple, cast

from pytest_llm_diagnosis.errors import ModelError

_MAX_MESSAGE = 600
_RETRYABLE = frozenset({408, 429})
_MADE_UP = 500

_TIMEOUTS = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError"})
_CONNECTION = frozenset(
    {"APIConnectionError", "TransportError", "ClientConnectionError", "ConnectionError"}
)
_RESPONSES = frozenset({"HTTPStatusError", "APIStatusError"})

# OpenAI's names for a limit that waiting does not lift.
_SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")

_WRAPPING = re.compile(r"^(?:litellm\.)?\w*(?:Error|Exception|Timeout)(?:: | - )")
_PREFIX_STATUS = re.compile(r"^Error code: \d{3}(?: - )?")


class _Chain(NamedTuple):
    """An exception with its causes, outermost first, and all their class names."""

    links: tuple[BaseException, ...]
    names: frozenset[str]


def model_error(error: BaseException, *, now: float) -> ModelError:
    """Return what a client's exception means, the provider's message first.

    `now` is the time in seconds since the epoch, to which a Retry-After date
    is compared.  Retryable are 408, 429 (unless a quota is spent), 5xx,
    connection faults, timeouts and bodies cut off in the middle.
    """
    chain = _chain(error)
    status = _status(chain)
    wait = retry_after(_headers(chain), now=now)
    message = _message(chain)
    if status is not None:
        message = f"{message} (HTTP {status})"
    return ModelError(
        message,
        status=status,
        retryable=_retryable(chain, status, wait),
        retry_after=wait,
    )


def retry_after(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return how many seconds the provider asks to wait, or None.

    Understands `retry-after-ms` and `retry-after` as seconds or as a date
    (RFC 9110, section 10.2.3).  A date that has passed is 0.
    """
    values = {name.lower(): value.strip() for name, value in headers.items()}
    milliseconds = _seconds(values.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    wish = values.get("retry-after", "")
    seconds = _seconds(wish)
    return seconds if seconds is not None else _until(wish, now)


def is_retryable(status: int) -> bool:
    """Whether asking again can help after this HTTP status."""
    return status in _RETRYABLE or status >= _MADE_UP


def _seconds(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return max(value, 0.0) if math.isfinite(value) else None


def _until(date: str, now: float) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(moment.timestamp() - now, 0.0)


def _chain(error: BaseException) -> _Chain:
    links = tuple(_causes(error))
    # litellm's own class says how it sorted the cause, not what the cause was.
    telling = links[1:] or links
    names = {kind.__name__ for link in telling for kind in type(link).__mro__}
    return _Chain(links=links, names=frozenset(names))


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(chain: _Chain) -> int | None:
    """Return the status a server sent; None where the client made one up."""
    stated = (getattr(link, "status_code", None) for link in chain.links)
    status = next((code for code in stated if isinstance(code, int)), None)
    if chain.names & _RESPONSES:
        return status
    if chain.names & (_TIMEOUTS | _CONNECTION) or "JSONDecodeError" in chain.names:
        return None
    return None if status == _MADE_UP else status


def _retryable(chain: _Chain, status: int | None, wait: float | None) -> bool:
    if status is None:
        broken = {"JSONDecodeError", *_TIMEOUTS, *_CONNECTION}
        return bool(chain.names & broken)
    if wait is None and _quota_spent(chain):
        return False
    return is_retryable(status)


def _quota_spent(chain: _Chain) -> bool:
    said = json.dumps([_body(link) for link in chain.links], default=str)
    return any(name in said for name in _SPENT)


def _headers(chain: _Chain) -> Mapping[str, str]:
    for link in chain.links:
        response = getattr(link, "response", None)
        for holder, name in (
            (link, "litellm_response_headers"),
            (response, "headers"),
            (link, "headers"),
        ):
            headers = getattr(holder, name, None)
            if isinstance(headers, Mapping) and headers:
                return cast("Mapping[str, str]", headers)
    return {}


def _message(chain: _Chain) -> str:
    found = (_from_body(_body(link)) for link in chain.links)
    text = next((text for text in found if text), "") or _from_text(chain)
    return _one_line(text) or type(chain.links[0]).__name__


def _body(link: BaseException) -> object:
    return getattr(link, "body", None)


def _from_body(body: object) -> str:
    """Return the message inside an error body, in any of the usual shapes."""
    if isinstance(body, str):
        return body
    if not isinstance(body, Mapping):
        return ""
    for name in ("message", "error", "detail"):
        text = _from_body(body.get(name))
        if text:
            return text
    return ""


def _from_text(chain: _Chain) -> str:
    if "JSONDecodeError" in chain.names:
        return f"the provider's answer is not JSON: {_innermost(chain)}"
    if "AssertionError" in chain.names:
        return "the provider's answer is not a chat completion"
    if chain.names & (_TIMEOUTS | _CONNECTION):
        return f"no connection to the provider: {_innermost(chain)}"
    return _unwrapped(str(chain.links[0]))


def _innermost(chain: _Chain) -> str:
    last = chain.links[-1]
    return str(last) or type(last).__name__


def _unwrapped(text: str) -> str:
    """Return text without litellm's prefixes, and the message of a JSON body."""
    while match := _WRAPPING.match(text) or _PREFIX_STATUS.match(text):
        text = text[match.end() :]
    begin = text.find("{")
    if begin < 0:
        return text
    try:
        body, _ = json.JSONDecoder().raw_decode(text, begin)
    except (ValueError, RecursionError):
        return text
    return _from_body(body) or text


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}..."
