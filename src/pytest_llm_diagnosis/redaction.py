"""Secrets are kept out of everything that leaves the process.

An answer or an error may echo a key that the request carried.  The values of
variables named in a variants file or a judge's endpoint, keys that stand in such a
file themselves, and the values of variables that look like providers' keys are
replaced before anything is stored, graded or shown: as they are, and in the forms
that a message in between is likely to give them (`_forms`).
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import cast
from urllib.parse import quote, quote_plus, urlsplit

from .errors import InputError
from .records import Answer, Endpoint, Json, JsonObject, ToolCall

SHORTEST = 8
"""A shorter value is no secret, and would be found in innocent words."""

_LONG_LINE = 16
"""A line of a longer secret that is one by itself, as in a PEM file."""

_NAMED = re.compile(r"\$\{(\w+)\}")
_LOOKS_SECRET = re.compile(
    r"(?:^|_|API)KEY$|(?:^|_)PASS$|(?:^|_)PAT$|"
    r"(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS)$",
    re.IGNORECASE,
)
_SHOWN = "***"


class Redactor:
    """Replaces secrets by `***`; the longest first, so that none shines through."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        forms = {
            form
            for secret in secrets
            for part in _parts(secret)
            if len(part) >= SHORTEST
            for form in _forms(part)
        }
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub(_SHOWN, text)

    def answer(self, answer: Answer) -> Answer:
        """Return the answer without secrets, wherever it holds text."""
        shown = replace(
            answer,
            text=self.text(answer.text),
            tool_calls=tuple(map(self._tool_call, answer.tool_calls)),
            contexts=tuple(
                replace(one, text=self.text(one.text), source=self.text(one.source))
                for one in answer.contexts
            ),
            finish_reason=answer.finish_reason and self.text(answer.finish_reason),
        )
        return answer if shown == answer else shown

    def error(self, error: InputError) -> InputError:
        """Return what is wrong with a file, without secrets."""
        return InputError(
            replace(one, finding=self.text(one.finding), hint=self.text(one.hint))
            for one in error.problems
        )

    def _tool_call(self, call: ToolCall) -> ToolCall:
        arguments = cast("JsonObject | str", self._value(call.arguments))
        return ToolCall(name=self.text(call.name), arguments=arguments)

    def _value(self, value: Json) -> Json:
        """Return a JSON value without secrets; a number may be one too."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(key): self._value(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self._value(one) for one in value]
        hides = isinstance(value, int | float) and self._pattern.search(str(value))
        return _SHOWN if hides else value


def variables_in(text: str) -> frozenset[str]:
    """Return the names that stand as `${NAME}` in a text."""
    return frozenset(_NAMED.findall(text))


def secrets_of(
    written: Iterable[object],
    environment: Mapping[str, str],
    names: Iterable[str] = (),
) -> Iterator[str]:
    """Yield what must not be shown: values of named variables, and providers' keys.

    `written` are endpoints as their files state them, with `${NAME}` unfilled;
    `names` are further variables.
    """
    for endpoint in written:
        key = endpoint.api_key if isinstance(endpoint, Endpoint) else None
        if key and not _NAMED.search(key):
            yield key
        for name in variables_in(str(endpoint)):
            yield environment.get(name, "")
    for name in names:
        yield environment.get(name, "")
    for name, value in environment.items():
        if _LOOKS_SECRET.search(name):
            yield value


# -- forms -----------------------------------------------------------------


def _parts(secret: str) -> Iterator[str]:
    """Yield a secret, and what of it gives it away alone: a line, a password."""
    yield secret
    yield secret.strip()
    lines = secret.splitlines()
    if len(lines) > 1:
        yield from (line.strip() for line in lines if len(line) >= _LONG_LINE)
    if "://" in secret and "@" in secret:
        try:
            yield urlsplit(secret).password or ""
        except ValueError:
            return


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it is, and as JSON, `repr`, URLs and base64 write it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield repr(secret)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    for encoded in (quote(data, safe=""), quote(data), quote_plus(data)):
        yield encoded
        yield re.sub("%..", lambda found: found[0].lower(), encoded)
    for before in range(3):
        yield from _base64(data, before)


def _base64(data: bytes, before: int) -> Iterator[str]:
    """Yield base64 of data behind so many other bytes, without shared characters.

    Three bytes are four characters; the first and the last of the data's own may
    depend on what stands around it, as in `Basic` and the base64 of `user:secret`.
    """
    first = -(-8 * before // 6)
    last = 8 * (before + len(data)) // 6
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(b"\0" * before + data).decode("ascii")[first:last]
