"""Secrets are kept out of everything that leaves the process.

An answer or an error may echo a key that the request carried.  The values of
variables named in an endpoint, and of variables that look like providers'
keys, are replaced before anything is stored, graded or shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .records import Answer, ToolCall

SHORTEST = 8
"""A shorter value is no secret, and would be found in innocent words."""

_NAMED = re.compile(r"\$\{(\w+)\}")
_LOOKS_SECRET = re.compile(r"(?:_KEY|_TOKEN|_SECRET|_PASSWORD)$")
_SHOWN = "***"


class Redactor:
    """Replaces secrets by `***`; the longest first, so that none shines through."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        kept = {secret for secret in secrets if len(secret) >= SHORTEST}
        longest_first = sorted(kept, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def text(self, text: str) -> str:
        """Return the text without secrets."""
        return self._pattern.sub(_SHOWN, text)

    def answer(self, answer: Answer) -> Answer:
        """Return the answer without secrets in its text, tool calls and contexts."""
        shown = json.dumps(answer.to_dict(), ensure_ascii=False)
        if not self._pattern.search(shown):
            return answer
        return replace(
            answer,
            text=self.text(answer.text),
            tool_calls=tuple(map(self._tool_call, answer.tool_calls)),
            contexts=tuple(
                replace(context, text=self.text(context.text))
                for context in answer.contexts
            ),
        )

    def _tool_call(self, call: ToolCall) -> ToolCall:
        if isinstance(call.arguments, str):
            return replace(call, arguments=self.text(call.arguments))
        text = self.text(json.dumps(call.arguments))
        return replace(call, arguments=json.loads(text))


def secrets_of(
    written: Iterable[object], environment: Mapping[str, str]
) -> Iterator[str]:
    """Yield what must not be shown: values of named variables, and providers' keys.

    `written` are endpoints as their files state them, with `${NAME}` unfilled.
    """
    for endpoint in written:
        for name in _NAMED.findall(str(endpoint)):
            yield environment.get(name, "")
    for name, value in environment.items():
        if _LOOKS_SECRET.search(name):
            yield value
