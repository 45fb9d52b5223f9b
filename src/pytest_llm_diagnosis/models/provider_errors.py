"""Exceptions of litellm and provider clients, turned into `ModelError`.

litellm wraps what happened up to four times and gives connection faults and
unreadable bodies a status of 500 that no server ever sent.  The chain of causes
still holds the truth.  Exceptions are told apart by the names of their classes,
so that no client library has to be imported, and so that a user's own
application gets the same treatment whichever client it uses.  A response that
was read without a client is told of in the same words.
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

PROVIDER = "the provider"
NO_COMPLETION = "the provider's answer is not a chat completion"
NO_CHOICES = "the provider's answer holds no choices"

_MAX_MESSAGE = 600
_RETRYABLE = frozenset({408, 429})
_MADE_UP = 500
_UNSTATED = 422

_TIMEOUTS = frozenset({"APITimeoutError", "TimeoutException", "TimeoutError"})
_CONNECTION = frozenset(
    {"APIConnectionError", "TransportError", "ClientConnectionError", "ConnectionError"}
)
_RESPONSES = frozenset({"HTTPStatusError", "APIStatusError"})
_UNREADABLE = frozenset({"JSONDecodeError", "UnicodeDecodeError"})
_NO_JSON = "'s answer is not JSON"
_NO_REASON = " gives no reason"
_EMPTY = frozenset({"", "{}", "[]", "null"})

# What litellm says of a body that holds something else than a completion.
_ODD_BODY = ("Empty or invalid response from LLM", "Invalid response object")
_ODD_TEXT = "Original Response: <"

# OpenAI's names for a limit that waiting does not lift.
_SPENT = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")

_WRAPPING = re.compile(r"^(?:litellm\.)?\w*(?:Error|Exception|Timeout)(?:: | - )")
_PREFIX_STATUS = re.compile(r"^Error code: \d{3}(?: - )?")


class _Chain(NamedTuple):
    """An exception with its causes, outermost first, and all their class names."""

    links: tuple[BaseException, ...]
    names: frozenset[str]


def model_error(
    error: BaseException, *, now: float, source: str = PROVIDER
) -> ModelError:
    """Return what a client's exception means, the provider's message first.

    `now` is the time in seconds since the epoch, to which a Retry-After date
    is compared, `source` who was asked.  Retryable are 408, 429 (unless a quota
    is spent), 5xx, connection faults, timeouts and bodies cut off in the middle.
    """
    chain = _chain(error)
    if _is_odd(chain):
        return ModelError(NO_COMPLETION)
    status = _status(chain)
    wait = retry_after(_headers(chain), now=now)
    if status is not None:
        said = json.dumps([_body(link) for link in chain.links], default=str)
        return _refusal(
            status, _message(chain, source), said + str(error), wait, source
        )
    return ModelError(
        _message(chain, source), retryable=_is_broken(chain.names), retry_after=wait
    )


def response_error(
    status: int,
    text: str,
    headers: Mapping[str, str],
    *,
    now: float,
    source: str = PROVIDER,
) -> ModelError:
    """Return what a response with an HTTP status of failure means.

    `text` is its body; see `model_error` for what is retryable.
    """
    wait = retry_after(headers, now=now)
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        body = text
    return _refusal(status, _from_body(body) or text, text, wait, source)


def unreadable(error: ValueError, source: str = PROVIDER) -> ModelError:
    """Return the error of a body that is not JSON, or not even text."""
    return ModelError(f"{source}{_NO_JSON}: {error}", retryable=True)


def disguised_error(body: object) -> ModelError | None:
    """Return the error that a body of a good response holds, None if it has none.

    OpenRouter answers so; its `code` is the status that was meant.  An empty
    error is none.
    """
    told = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(told, str) and told:
        return _refusal(_UNSTATED, told, told, None)
    if not isinstance(told, Mapping):
        return None
    status = told.get("code", _UNSTATED)
    message = _from_body(told)
    if not message and told.get("code") is None:
        return None
    if not isinstance(status, int):
        return ModelError(_one_line(message) or f"{PROVIDER}{_NO_REASON}")
    return _refusal(status, message, json.dumps(told), None)


def _refusal(
    status: int, message: str, said: str, wait: float | None, source: str = PROVIDER
) -> ModelError:
    """Return the error of a stated status; `said` is all that was said with it."""
    spent = wait is None and any(name in said for name in _SPENT)
    line = _one_line(message)
    shown = f"{source}{_NO_REASON}" if line in _EMPTY else line
    return ModelError(
        f"{shown} (HTTP {status})",
        status=status,
        retryable=is_retryable(status) and not spent,
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
    telling = [link for link in links if not _is_litellms(link)] or links
    names = {kind.__name__ for link in telling for kind in type(link).__mro__}
    return _Chain(links=links, names=frozenset(names))


def _is_litellms(link: BaseException) -> bool:
    return type(link).__module__.partition(".")[0] == "litellm"


def _is_odd(chain: _Chain) -> bool:
    """Whether litellm met a body that it could not make a completion of."""
    text = str(chain.links[0])
    if not _is_litellms(chain.links[0]):
        return False
    return _ODD_TEXT in text or any(odd in text for odd in _ODD_BODY)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _status(chain: _Chain) -> int | None:
    """Return the status a server sent; None where the client made one up."""
    stated = [link for link in chain.links if _stated(link) is not None]
    if not stated:
        return None
    link = stated[0]
    if _is_litellms(link):
        # It guesses from texts; the innermost link has seen the response.
        link = stated[-1]
    status = _stated(link)
    if chain.names & _RESPONSES or type(link) is Exception:
        return status
    return None if _is_broken(chain.names) or status == _MADE_UP else status


def _stated(link: BaseException) -> int | None:
    code = getattr(link, "status_code", None)
    return code if isinstance(code, int) else None


def _is_broken(names: frozenset[str]) -> bool:
    """Whether the connection failed, or the body was cut off or damaged."""
    return bool(names & (_TIMEOUTS | _CONNECTION | _UNREADABLE))


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


def _message(chain: _Chain, source: str) -> str:
    bodies = [_body(link) for link in chain.links]
    found = filter(None, map(_from_body, bodies))
    text = _one_line(next(found, "") or _from_text(chain, source))
    if text or not _status(chain):
        return text or type(chain.links[0]).__name__
    return next((json.dumps(body, default=str) for body in bodies if body), "")


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


def _from_text(chain: _Chain, source: str) -> str:
    unreadable = [link for link in chain.links if _is_unreadable(link)]
    if unreadable:
        return f"{source}{_NO_JSON}: {unreadable[0]}"
    if "AssertionError" in chain.names:
        return NO_COMPLETION
    if chain.names & (_TIMEOUTS | _CONNECTION):
        return f"no connection to {source}: {_innermost(chain)}"
    return _unwrapped(str(chain.links[0]))


def _is_unreadable(link: BaseException) -> bool:
    return type(link).__name__ in _UNREADABLE


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
