"""What is written about a store, and how its errors are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from urllib.parse import unquote

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json
from pytest_llm_diagnosis.redaction import Redactor

_PASSWORD = re.compile(r"(?<=://)([^/?#\s@:]*):([^/?#\s]*)@")
# A server's page of HTML or a stack of its own would bury the finding.
_MOST_SHOWN = 500


class Options:
    """What stands below the name of a store, already held against the schema."""

    def __init__(self, written: Mapping[str, Json]) -> None:
        self._written = written

    def __contains__(self, key: str) -> bool:
        """Return whether the key is written."""
        return key in self._written

    def text(self, key: str, otherwise: str = "") -> str:
        """Return a text, or what holds where none is written."""
        return str(self._written.get(key, otherwise))

    def field(self, group: str, key: str) -> str | None:
        """Return the name of a field of the team's own; None where unnamed."""
        named = self._written.get(group)
        found = named.get(key) if isinstance(named, Mapping) else None
        return None if found is None else str(found)


class Speaker:
    """Tells errors in the store's own words, on one line and without secrets.

    `what` names the store in front of them; `words` takes an error's own words.
    """

    def __init__(
        self, what: str, *secrets: str, words: Callable[[Exception], str] = str
    ) -> None:
        self._what = what
        self._words = words
        self._redactor = Redactor(
            form
            for secret in secrets
            for part in (secret, *(match[2] for match in _PASSWORD.finditer(secret)))
            for form in (part, unquote(part))
        )

    def error(self, words: str, hint: str = "") -> DiagnosisError:
        """Return an error about this store; a hint goes on a line of its own."""
        # The passwords that are too short to be looked for stand in an address.
        shown = _PASSWORD.sub(r"\1:***@", " ".join(words.split()))
        shown = self._redactor.text(shown)
        if len(shown) > _MOST_SHOWN:
            shown = f"{shown[:_MOST_SHOWN]}..."
        told = f"{self._what}: {shown}"
        return DiagnosisError(f"{told}\n  {hint}" if hint else told)

    @contextmanager
    def telling(self, *kinds: type[Exception], doing: str = "") -> Iterator[None]:
        """Raise errors of these kinds as `DiagnosisError`; `doing` stands before."""
        try:
            yield
        except kinds as error:
            words = self._words(error) or type(error).__name__
            # Without its cause: a traceback would show what was redacted.
            raise self.error(f"{doing}: {words}" if doing else words) from None

    def searching(
        self, vector: Sequence[float], *kinds: type[Exception]
    ) -> AbstractContextManager[None]:
        """Raise errors of a search with what it was for: its dimensions."""
        return self.telling(*kinds, doing=f"a search with {len(vector)} dimensions")

    def foreign(self, thing: str) -> DiagnosisError:
        """Return that a table or the like is the team's own, never written to."""
        return self.error(
            f"this {thing} was not made by pytest-llm-diagnosis and is only read",
            f"leave out `documents:` to search it as it is, or name a {thing}"
            " that does not exist yet",
        )


def found_in(data: Mapping[str, object], name: str) -> object:
    """Return a value by its name; `a.b` is b inside a, unless a key is so named."""
    if name in data:
        return data[name]
    found: object = data
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
