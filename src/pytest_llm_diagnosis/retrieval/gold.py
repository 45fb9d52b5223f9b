"""Whether a case's own passage was among those that an answer was shown.

An application cuts documents its own way and names them its own way, so a
passage is known by its source or by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.records import Context, Passage

_WORD = re.compile(r"\w+")
_RUN = 5
"""Words in a row that two texts do not share by chance."""
_ENOUGH = 0.5
"""The share of a passage's runs that must be shown: cut in two, one half may do."""


def was_shown(evidence: Sequence[Passage], contexts: Sequence[Context]) -> bool | None:
    """Return whether any of the passages is among the contexts.

    None where there is nothing to compare.  A source names a passage when one
    path ends with the other and both mean the same section; evidence that is a
    whole file is named by any section of it.  Else at least half of the passage's
    runs of five words must stand in the contexts.
    """
    if not evidence or not contexts:
        return None
    return any(
        any(_is_named(passage, context.source) for context in contexts)
        or _is_quoted(passage, contexts)
        for passage in evidence
    )


def _is_named(passage: Passage, source: str) -> bool:
    path, _, section = passage.id.partition("#")
    shown_path, _, shown_section = source.replace("\\", "/").partition("#")
    same_section = not section or _slug(section) == _slug(shown_section)
    return same_section and _is_tail(path.split("/"), shown_path.split("/"))


def _is_tail(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the longer path ends with the shorter one."""
    length = min(len(one), len(other))
    return other != [""] and list(one[-length:]) == list(other[-length:])


def _slug(section: str) -> str:
    return "-".join(_WORD.findall(section.casefold().replace("_", "-")))


def _is_quoted(passage: Passage, contexts: Sequence[Context]) -> bool:
    words = _words(passage.text)
    length = min(_RUN, len(words))
    wanted = set(_runs(words, length))
    shown = {run for context in contexts for run in _runs(_words(context.text), length)}
    return bool(wanted) and len(wanted & shown) >= _ENOUGH * len(wanted)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: Sequence[str], length: int) -> Iterator[tuple[str, ...]]:
    for begin in range(len(words) - length + 1 if length else 0):
        yield tuple(words[begin : begin + length])
