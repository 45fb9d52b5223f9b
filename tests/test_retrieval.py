"""The embedded retriever: ranking, hostile queries, determinism."""

from __future__ import annotations

import functools
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Passage
from pytest_llm_diagnosis.retrieval import FullTextRetriever, Retriever

PASSAGES = (
    Passage(id="returns.md#unworn", text="Unworn boots can be returned for 45 days."),
    Passage(id="returns.md#worn", text="Worn boots are repaired, not returned."),
    Passage(id="shipping.md#times", text="How long does it take? Five working days."),
    Passage(id="about.md#founding", text="What we do: sell gear since 1987, in Oslo."),
    Passage(id="cafe.md#menu", text="The Café serves crème brûlée."),
    Passage(id="jp.md#returns", text="返品は四十五日以内に受け付けます。"),
)


def sources(query: str, top_k: int = 10) -> list[str]:
    """Return the ids of what a query finds."""
    retriever: Retriever = FullTextRetriever(PASSAGES)
    return [context.source for context in retriever.search(query, top_k)]


@pytest.mark.parametrize(
    ("query", "best"),
    [
        ("How many days do I have to return unworn boots?", "returns.md#unworn"),
        ("Are worn boots repaired?", "returns.md#worn"),
        ("repairing boots", "returns.md#worn"),
        ("WHEN was the company founded in OSLO", "about.md#founding"),
        ("cafe creme", "cafe.md#menu"),
        ("返品できますか", "jp.md#returns"),
        ("how long", "shipping.md#times"),
    ],
)
def test_the_passage_that_answers_comes_first(query: str, best: str) -> None:
    """Stems, case and accents do not matter; the telling words decide."""
    assert sources(query)[0] == best


def test_question_words_do_not_dominate() -> None:
    """A passage that merely repeats the question's grammar is not found."""
    assert "about.md#founding" not in sources("What do we do about boots?")


def test_a_query_of_question_words_only_still_searches() -> None:
    """With nothing else to go by, the question words are used."""
    assert "shipping.md#times" in sources("how does it?")


def test_contexts_carry_text_source_and_falling_scores() -> None:
    """What is found is the passage itself, best score first."""
    found = FullTextRetriever(PASSAGES).search("unworn boots returned", 2)
    assert found[0].text == PASSAGES[0].text
    assert [context.source for context in found] == [
        "returns.md#unworn",
        "returns.md#worn",
    ]
    first, second = (context.score for context in found)
    assert first is not None
    assert second is not None
    assert first > second > 0


def test_ties_go_by_passage_id() -> None:
    """Equal passages come in the order of their ids, not of their insertion."""
    twins = [Passage(id=name, text="Tents last ten years.") for name in "cab"]
    found = FullTextRetriever(twins).search("tents", 3)
    assert [context.source for context in found] == ["a", "b", "c"]


@pytest.mark.parametrize("top_k", [0, -1])
def test_no_passages_are_wanted(top_k: int) -> None:
    """Nothing is returned when nothing is asked for."""
    assert sources("boots", top_k) == []


@pytest.mark.parametrize(
    "query",
    ["", " ", '"', "boots AND NOT", "text:boots", "NEAR(", "a\0b", "_", "*", "\ud800"],
)
def test_a_query_is_text_and_never_syntax(query: str) -> None:
    """Operators, quotes, NUL and lone surrogates are harmless."""
    assert set(sources(query)) <= {passage.id for passage in PASSAGES}


def test_an_operator_is_searched_as_a_word() -> None:
    """`NOT worn` finds worn boots instead of excluding them."""
    assert sources('boots NOT "worn')[0] == "returns.md#worn"


def test_a_very_long_query_is_answered() -> None:
    """A pasted document as a question neither fails nor hits a parser limit."""
    query = " ".join(f"word{number}" for number in range(20_000))
    assert sources(f"{query} repaired boots")[0] == "returns.md#worn"


def test_an_empty_corpus_finds_nothing() -> None:
    """No passages, no contexts."""
    assert FullTextRetriever([]).search("boots", 3) == ()


def test_hostile_passages_are_indexed() -> None:
    """A document may hold NUL and lone surrogates."""
    passage = Passage(id="x", text="snow\0shoes \ud800 here")
    found = FullTextRetriever([passage]).search("shoes", 1)
    assert found[0].text == passage.text


@given(st.text())
def test_no_text_makes_a_search_raise(query: str) -> None:
    """Every text is a valid query with at most `top_k` results, each time the same."""
    retriever = FullTextRetriever(PASSAGES)
    found = retriever.search(query, 3)
    assert len(found) <= 3
    assert found == retriever.search(query, 3)


def test_sqlite_without_fts5_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what is missing and what to do."""

    class Bare(sqlite3.Connection):
        def execute(self, sql: str, parameters: object = ()) -> sqlite3.Cursor:
            if "fts5" in sql:
                raise sqlite3.OperationalError("no such module: fts5")
            return super().execute(sql, parameters)  # type: ignore[arg-type]

    connect = sqlite3.connect
    bare = functools.partial(connect, factory=Bare)
    monkeypatch.setattr(sqlite3, "connect", bare)
    with pytest.raises(DiagnosisError, match=r"FTS5.*no such module"):
        FullTextRetriever(PASSAGES)
