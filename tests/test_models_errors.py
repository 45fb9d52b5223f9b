"""Clients' exceptions as `ModelError`, without any client installed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.models.provider_errors import model_error, retry_after

NOW = 1_700_000_000.0


class APIStatusError(Exception):
    """An exception of the name that clients give to an HTTP error."""

    def __init__(self, text: str = "", **attributes: Any) -> None:
        super().__init__(text)
        self.__dict__.update(attributes)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"Retry-After": "3"}, 3),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "-2"}, 0),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "tomorrow"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "9"}, 9),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 -0000"}, 30),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0),
        ({"retry-after": "Tue, 99 Nov 2023 22:00:00 GMT"}, None),
    ],
)
def test_retry_after(headers: dict[str, str], expected: float | None) -> None:
    """Seconds, milliseconds and dates; nonsense is no wish."""
    assert retry_after(headers, now=NOW) == expected


@given(st.text())
def test_no_header_makes_it_fail(value: str) -> None:
    """Servers send anything."""
    wait = retry_after({"retry-after": value}, now=NOW)
    assert wait is None or wait >= 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("litellm.BadRequestError: OpenAIException - too hot", "too hot"),
        (
            "litellm.InternalServerError: AnthropicException - {}".format(
                '{"type":"error","error":{"type":"overloaded","message":"Busy"}}'
            ),
            "Busy",
        ),
        ("litellm.Timeout: APITimeoutError - too late", "too late"),
        ("Error code: 404 - no such model", "no such model"),
        ("a {strange} text", "a {strange} text"),
        ('{"foo": 1}', '{"foo": 1}'),
        ("two\n  lines", "two lines"),
        ("", "APIStatusError"),
        ("x" * 2_000, f"{'x' * 600}..."),
    ],
)
def test_the_providers_words_are_unwrapped(text: str, message: str) -> None:
    """Without the client's prefixes, on one line, of bearable length."""
    assert model_error(APIStatusError(text), now=NOW).message == message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"message": "M"}, "M"),
        ({"error": {"message": "M"}}, "M"),
        ({"error": "M"}, "M"),
        ({"detail": "M"}, "M"),
        ("M", "M"),
        ({"error": {}}, "text"),
        (None, "text"),
        ([], "text"),
    ],
)
def test_the_body_of_an_error_is_preferred(body: object, message: str) -> None:
    """In any of the usual shapes."""
    error = APIStatusError("text", status_code=400, body=body)
    assert model_error(error, now=NOW).message == f"{message} (HTTP 400)"


@pytest.mark.parametrize(
    ("body", "headers", "retryable"),
    [
        ({"message": "slow down"}, {}, True),
        ({"message": "x", "code": "insufficient_quota"}, {}, False),
        ({"error": {"message": "x", "type": "insufficient_quota"}}, {}, False),
        ({"message": "x", "code": "billing_hard_limit_reached"}, {}, False),
        ({"message": "insufficient_quota", "code": "x"}, {"retry-after": "2"}, True),
        ({"message": "You exceeded your current quota; retry in 3 s"}, {}, True),
    ],
)
def test_a_spent_quota_is_not_waited_for(
    body: object, headers: dict[str, str], *, retryable: bool
) -> None:
    """Unless the provider says when to come back."""
    error = APIStatusError(
        "", status_code=429, body=body, litellm_response_headers=headers
    )
    assert model_error(error, now=NOW).retryable is retryable


def test_an_earlier_try_does_not_speak_for_the_last() -> None:
    """An application may try twice: what it handled is context, not cause."""
    last = APIStatusError("bad key", status_code=401)
    last.__context__ = APIStatusError("slow down", status_code=429)
    told = model_error(last, now=NOW)
    assert (told.message, told.retryable) == ("bad key (HTTP 401)", False)


def test_a_chain_that_bites_its_tail_ends() -> None:
    """Exceptions can be their own cause by accident."""
    first, second = APIStatusError("a", status_code=503), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert model_error(first, now=NOW).message.startswith("a")
