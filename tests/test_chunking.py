"""Cutting sections into pieces: what is covered, what overlaps, what it is called."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.documents import split
from pytest_llm_diagnosis.passage_ids import section_of
from pytest_llm_diagnosis.records import Chunk, Passage
from pytest_llm_diagnosis.retrieval import chunked
from pytest_llm_diagnosis.retrieval.chunking import spans

DOCUMENT = """\
Before any heading stand six words.

# Returns

## Unworn goods

one two three four five six seven

## Worn goods

one two three
"""
CHUNKS = st.integers(1, 9).flatmap(
    lambda words: st.builds(
        Chunk, words=st.just(words), overlap=st.integers(0, words - 1)
    )
)


def ids(chunk: Chunk | None) -> list[str]:
    """Return the ids of the document's passages."""
    return [one.id for one in chunked(split(DOCUMENT, "a.md"), chunk)]


def test_nothing_is_cut_without_being_asked() -> None:
    """Sections stay what they are, so that requests keep their keys."""
    passages = split(DOCUMENT, "a.md")
    assert tuple(chunked(passages, None)) == passages


def test_pieces_are_numbered_and_short_sections_keep_their_ids() -> None:
    """A section of no more than so many words is one passage."""
    assert ids(Chunk(words=3)) == [
        "a.md#/1",
        "a.md#/2",
        "a.md#unworn-goods/1",
        "a.md#unworn-goods/2",
        "a.md#unworn-goods/3",
        "a.md#worn-goods",
    ]


def test_every_piece_stands_under_the_headings_of_its_section() -> None:
    """The chain is repeated, and is not counted as words."""
    passages = list(chunked(split(DOCUMENT, "a.md"), Chunk(words=4, overlap=1)))
    assert [one.text for one in passages if "unworn" in one.id] == [
        "# Returns\n## Unworn goods\n\none two three four",
        "# Returns\n## Unworn goods\n\nfour five six seven",
    ]


def test_a_piece_keeps_the_lines_of_its_document() -> None:
    """A list or a table stays one."""
    passage = Passage(id="a.md#list", text="# List\n\n- one\n- two\n- three\n")
    pieces = list(chunked([passage], Chunk(words=4)))
    assert [one.text for one in pieces] == [
        "# List\n\n- one\n- two",
        "# List\n\n- three",
    ]


def test_signs_of_scripts_without_spaces_are_words() -> None:
    """Else a Japanese section would be one word."""
    text = "返品は四十五日以内"
    cut = spans(text, Chunk(words=4))
    assert [text[span.start : span.end] for span in cut] == [
        "返品は四",
        "十五日以",
        "内",
    ]


@pytest.mark.parametrize(
    ("source", "section"),
    [
        ("docs/a.md#unworn-goods/2", "docs/a.md#unworn-goods"),
        ("docs/a.md#unworn-goods", "docs/a.md#unworn-goods"),
        ("docs/a.md#/2", "docs/a.md"),
        ("docs/a.md", "docs/a.md"),
        ("docs/2", "docs/2"),
        ("", ""),
        ("C#/3", "C"),
    ],
)
def test_a_piece_is_known_to_be_of_its_section(source: str, section: str) -> None:
    """Its id says so."""
    assert section_of(source) == section


@given(st.text(alphabet="ab \n返", max_size=80), CHUNKS)
def test_joined_pieces_hold_the_section(text: str, chunk: Chunk) -> None:
    """Without their overlap they are its words, each once and in order."""
    words = spans(text, Chunk(words=1))
    cut = spans(text, chunk)
    of_piece = [
        [word for word in words if span.start <= word.start and word.end <= span.end]
        for span in cut
    ]
    joined = of_piece[:1] + [piece[chunk.overlap :] for piece in of_piece[1:]]
    assert [word for piece in joined for word in piece] == words


@given(st.text(alphabet="ab \n返", max_size=80), CHUNKS)
def test_the_overlap_is_exact(text: str, chunk: Chunk) -> None:
    """A piece begins with the last words of the one before; only the last is short."""
    words = spans(text, Chunk(words=1))
    at = {word.start: place for place, word in enumerate(words)}
    ends = {word.end: place for place, word in enumerate(words)}
    cut = [(at[span.start], ends[span.end]) for span in spans(text, chunk)]
    for (_, end), (start, _) in itertools.pairwise(cut):
        assert end - start + 1 == chunk.overlap
    for start, end in cut[:-1]:
        assert end - start + 1 == chunk.words
    assert all(end - start + 1 <= chunk.words for start, end in cut)


@given(st.lists(st.sampled_from("abc"), max_size=40), CHUNKS)
def test_every_piece_brings_something_new(words: list[str], chunk: Chunk) -> None:
    """No piece lies within the one before."""
    cut = spans(" ".join(words), chunk)
    assert all(one.end < other.end for one, other in itertools.pairwise(cut))
