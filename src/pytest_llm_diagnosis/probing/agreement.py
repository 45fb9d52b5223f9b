"""Whether an answer that failed its fact check agrees with the reference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from .situation import Reply

_WORD = re.compile(r"\d+(?:[.,]\d+)*|\w+")
_NUMBER = re.compile(r"\d")
_NEGATIONS = frozenset({"no", "not", "never", "cannot", "without", "t", "none"})
_RECALL = 0.85
_OVERLAP = 0.6


def agrees(replies: Sequence[Reply], ideal: str | None) -> bool:
    """Return whether most answers that failed on facts agree with the reference.

    Agreement is word overlap: nearly all words of the reference and all of its
    numbers stand in the answer, neither denies what the other states, and the
    answer does not bury them (F1 of the words, as in SQuAD, of 0.6).
    """
    failed = [reply.text for reply in replies if reply.ask.facts is False]
    if not ideal or not failed:
        return False
    return 2 * sum(_agree(text, ideal) for text in failed) > len(failed)


def _agree(text: str, ideal: str) -> bool:
    said, wanted = _words(text), _words(ideal)
    common = (said & wanted).total()
    if not common or common < _RECALL * wanted.total():
        return False
    if any(_NUMBER.match(word) and word not in said for word in wanted):
        return False
    if bool(_NEGATIONS & said.keys()) != bool(_NEGATIONS & wanted.keys()):
        return False
    return 2 * common >= _OVERLAP * (said.total() + wanted.total())


def _words(text: str) -> Counter[str]:
    return Counter(_WORD.findall(text.casefold()))
