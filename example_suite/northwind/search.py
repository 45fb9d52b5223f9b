"""The assistant's own search: sections of `docs/`, ranked by the words they share."""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

DOCS = Path(__file__).parent.parent / "docs"
_WORD = re.compile(r"[a-z]{3,}|\d+")
_STEM = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of a document; `source` is `docs/FILE#heading`."""

    source: str
    text: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A section that matches a question, with how well it does."""

    section: Section
    score: float


def search(question: str, top_k: int = 2) -> list[Found]:
    """Return the sections that share the rarest words with a question, best first."""
    sections = _sections()
    known = Counter(word for section in sections for word in section.words)
    asked = _words(question)
    scored = [
        Found(
            section=section,
            score=sum(
                math.log(len(sections) / known[w]) for w in asked & section.words
            ),
        )
        for section in sections
    ]
    best = sorted(scored, key=lambda found: -found.score)
    return [found for found in best[:top_k] if found.score > 0]


@functools.cache
def _sections() -> tuple[Section, ...]:
    return tuple(
        section for path in sorted(DOCS.glob("*.md")) for section in _split(path)
    )


def _split(path: Path) -> list[Section]:
    _, *parts = path.read_text("utf-8").split("\n## ")
    found = []
    for part in parts:
        heading, _, body = part.partition("\n")
        slug = "-".join(re.findall(r"\w+", heading.casefold()))
        found.append(
            Section(
                source=f"docs/{path.name}#{slug}",
                text=f"{heading}: {' '.join(body.split())}",
                words=_words(f"{path.stem} {part}"),
            )
        )
    return found


def _words(text: str) -> frozenset[str]:
    """Return the beginnings of a text's words, so that plurals match."""
    return frozenset(word[:_STEM] for word in _WORD.findall(text.casefold()))
