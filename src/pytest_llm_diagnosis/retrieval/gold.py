"""Whether a case's own passages were among those that an answer was shown.

Retrieval of ours names a passage as the case does.  An application cuts documents
its own way and names them its own way, so there a passage is known by the end of
its source or by its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_llm_diagnosis.passage_ids import section_of
from pytest_llm_diagnosis.records import Context, Passage, Retrieved

_WORD = re.compile(r"\w+")
_HEADING = re.compile(r"\A(?:#{1,6} [^\n]*\n)+\n*")
_RUN = 5
"""Words in a row that two texts do not share by chance."""
_ENOUGH = 0.5
"""The share of a passage's runs that must be shown: cut in two, one half may do."""

_Run = tuple[str, ...]


def retrieved(
    evidence: Sequence[Passage], contexts: Sequence[Context], k: int
) -> Retrieved | None:
    """Return at which place a gold passage was shown; None without gold passages.

    Several gold passages count each, and the first that was shown gives the
    rank.  `k` is how many passages were asked for.

    A source names a passage when one path ends with the other and both mean the
    same section; evidence that is a whole file is named by any section of it, and
    a section by any piece of it.  Else at least half of the passage's runs of five
    words must stand in the contexts.
    """
    if not evidence:
        return None
    places = [_place(passage, contexts) for passage in evidence]
    shown = [place for place in places if place is not None]
    return Retrieved(
        k=k, rank=min(shown, default=None), found=len(shown), gold=len(evidence)
    )


def _place(passage: Passage, contexts: Sequence[Context]) -> int | None:
    """Return the rank, from 1, of the first context that shows the passage.

    Where none does alone but several do together, that of the first of them.
    """
    wanted = _runs(passage.text, _RUN)
    length = len(next(iter(wanted), ()))
    said = [_runs(context.text, length) & wanted for context in contexts]
    for rank, (context, runs) in enumerate(zip(contexts, said, strict=True), start=1):
        if _is_named(passage, context.source) or _is_enough(runs, wanted):
            return rank
    if not _is_enough(set().union(*said), wanted):
        return None
    return next(rank for rank, runs in enumerate(said, start=1) if runs)


def _is_named(passage: Passage, source: str) -> bool:
    path, _, section = passage.id.partition("#")
    shown_path, _, shown_section = section_of(source).replace("\\", "/").partition("#")
    same_section = not section or _slug(section) == _slug(shown_section)
    return same_section and _is_tail(path.split("/"), shown_path.split("/"))


def _is_tail(one: Sequence[str], other: Sequence[str]) -> bool:
    """Return whether the longer path ends with the shorter one."""
    length = min(len(one), len(other))
    return other != [""] and list(one[-length:]) == list(other[-length:])


def _slug(section: str) -> str:
    return "-".join(_WORD.findall(section.casefold().replace("_", "-")))


def _is_enough(runs: set[_Run], wanted: set[_Run]) -> bool:
    return bool(wanted) and len(runs) >= _ENOUGH * len(wanted)


def _runs(text: str, length: int) -> set[_Run]:
    """Return a text's runs of words without its headings; a short text is one run."""
    words = _WORD.findall(_HEADING.sub("", text).casefold())
    length = min(length, len(words))
    return set(_cut(words, length)) if length else set()


def _cut(words: Sequence[str], length: int) -> Iterator[_Run]:
    for begin in range(len(words) - length + 1):
        yield tuple(words[begin : begin + length])
