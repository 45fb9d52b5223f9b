"""Fusion, the gold passage, the store in memory, kept vectors, a kept index."""

from __future__ import annotations

import sqlite3
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.errors import DiagnosisError, StoreError
from pytest_llm_diagnosis.records import Chunk, Context, Passage, Retrieved
from pytest_llm_diagnosis.retrieval import (
    Embedded,
    MemoryVectors,
    corpus,
    fused,
    open_corpus,
    retrieved,
)
from pytest_llm_diagnosis.retrieval.fulltext import write_index
from pytest_llm_diagnosis.retrieval.local_models import open_local
from pytest_llm_diagnosis.store import KeptVectors

RANKINGS = st.lists(
    st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8), max_size=4
)


def ranking(names: list[str] | str) -> list[Context]:
    """Return contexts with these sources."""
    return [Context(text=f"text of {name}", source=name, score=1.0) for name in names]


# -- reciprocal rank fusion ------------------------------------------------


def test_the_formula_is_that_of_the_paper() -> None:
    """1 / (60 + rank), summed over the rankings, from rank 1."""
    first, second, third = fused([ranking("ab"), ranking("bc")], 3)
    assert [first.source, second.source, third.source] == ["b", "a", "c"]
    assert first.score == pytest.approx(1 / 62 + 1 / 61)
    assert second.score == pytest.approx(1 / 61)
    assert third.score == pytest.approx(1 / 62)


@given(RANKINGS, st.integers(0, 9))
def test_order_of_rankings_does_not_matter(names: list[list[str]], top_k: int) -> None:
    """Neither does repeating the call; no more come than are wanted, each once."""
    rankings = [ranking(one) for one in names]
    found = fused(rankings, top_k)
    assert found == fused(list(reversed(rankings)), top_k)
    assert len(found) == min(top_k, len({name for one in names for name in one}))
    assert len({one.source for one in found}) == len(found)


@given(RANKINGS)
def test_who_is_never_behind_comes_first(names: list[list[str]]) -> None:
    """A passage that all rankings place before another stays before it."""
    order = [one.source for one in fused(map(ranking, names), 9)]
    for one in order:
        for other in order:
            if one != other and all(_before(one, other, each) for each in names):
                assert order.index(one) <= order.index(other)


def _before(one: str, other: str, names: list[str]) -> bool:
    if one not in names:
        return False
    return other not in names or names.index(one) < names.index(other)


@given(st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_one_ranking_keeps_its_order(names: list[str]) -> None:
    """There is nothing to join it with."""
    assert [one.source for one in fused([ranking(names)], 9)] == names


# -- the gold passage ------------------------------------------------------

BOOTS = Passage(
    id="docs/returns.md#unworn",
    text="# Returns\n## Unworn\n\nUnworn boots go back within 45 days.",
)


@pytest.mark.parametrize(
    ("shown", "rank"),
    [
        ([Context(text="x", source="docs/returns.md#unworn")], 1),
        ([Context(text="x", source="docs/returns.md#unworn/2")], 1),
        ([Context(text="x"), Context(text="Unworn boots go back  within 45 days.")], 2),
        ([Context(text="Page 3. Unworn boots go back within 45 days. Next.")], 1),
        ([Context(text="boots go back within 45 days.")], 1),
        ([Context(text="45 days.")], None),
        ([Context(text="Unworn boots go back", source="docs/returns.md#worn")], None),
        ([], None),
    ],
)
def test_the_place_of_the_gold_passage(shown: list[Context], rank: int | None) -> None:
    """By its id, as a piece of its section, or by what it says."""
    found = retrieved([BOOTS], shown, 2)
    assert found == Retrieved(k=2, rank=rank, found=int(rank is not None), gold=1)


@pytest.mark.parametrize("source", ["docs/returns.md#unworn", "docs/returns.md#worn/1"])
def test_a_whole_file_as_evidence(source: str) -> None:
    """Every section of it is gold."""
    whole = Passage(id="docs/returns.md", text="all")
    found = retrieved([whole], [Context(text="x", source=source)], 1)
    assert found is not None
    assert found.rank == 1


def test_several_gold_passages_count_each() -> None:
    """The best place is the rank; recall counts them all."""
    other = Passage(id="docs/b.md#x", text="something else entirely, at some length")
    shown = [Context(text="y", source="z"), Context(text="x", source="docs/b.md#x")]
    assert retrieved([BOOTS, other], shown, 2) == Retrieved(
        k=2, rank=2, found=1, gold=2
    )
    assert retrieved([], shown, 2) is None


# -- the store in memory ---------------------------------------------------


@pytest.fixture(params=["numpy", "python"])
def memory(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> MemoryVectors:
    """Return a store that compares by numpy, and one that has none."""
    if request.param == "python":
        monkeypatch.setitem(__import__("sys").modules, "numpy", None)
    return MemoryVectors()


def embedded(**vectors: tuple[float, ...]) -> list[Embedded]:
    """Return passages by name with their vectors."""
    return [Embedded(Passage(id=name, text=name), one) for name, one in vectors.items()]


def test_the_nearest_come_first(memory: MemoryVectors) -> None:
    """By cosine, whatever their lengths; ties go by id."""
    assert memory.revision() is None
    assert memory.nearest((1.0, 0.0), 3) == ()
    memory.replace("r", embedded(far=(-1.0, 0.0), b=(2.0, 2.0), a=(5.0, 5.0)))
    assert memory.revision() == "r"
    found = memory.nearest((0.3, 0.3), 3)
    assert [(one.source, one.score) for one in found] == [
        ("a", 1.0),
        ("b", 1.0),
        ("far", -0.707107),
    ]
    assert len(memory.nearest((1.0, 0.0), 1)) == 1
    memory.replace("s", embedded(only=(0.0, 0.0)))
    assert [one.score for one in memory.nearest((1.0, 0.0), 2)] == [0.0]


@pytest.mark.parametrize(
    "vectors", [{"a": (1.0,), "b": (1.0, 2.0)}, {"a": (float("nan"), 1.0)}]
)
def test_vectors_that_cannot_be_compared_are_refused(
    memory: MemoryVectors, vectors: dict[str, tuple[float, ...]]
) -> None:
    """Unlike lengths, and what is not a number."""
    with pytest.raises(DiagnosisError, match=r"unlike lengths: 1, 2|not a finite"):
        memory.replace("r", embedded(**vectors))


def test_a_question_of_another_length_is_refused(memory: MemoryVectors) -> None:
    """It was embedded by another model than the passages."""
    memory.replace("r", embedded(a=(1.0, 0.0)))
    with pytest.raises(DiagnosisError, match="unlike lengths: 3 against 2"):
        memory.nearest((1.0, 0.0, 0.0), 1)


# -- kept vectors ----------------------------------------------------------


def test_vectors_are_kept_and_claimed(tmp_path: Path) -> None:
    """What one process is about to make no other makes, until its claim runs out."""
    now = [100.0]
    path = tmp_path / "sub" / "vectors.sqlite"
    one = KeptVectors(path, clock=lambda: now[0])
    other = KeptVectors(path, clock=lambda: now[0])
    assert one.claim(["a", "b", "c"], "one", 30, 2) == ["a", "b"]
    assert other.claim(["a", "b", "c"], "other", 30, 2) == ["c"]
    one.put({"a": array("f", [0.5, 1.5])})
    assert other.known(["a", "b"]) == {"a"}
    assert other.get_many(["a", "b"]) == {"a": array("f", [0.5, 1.5])}
    assert other.claim(["a", "b"], "other", 30, 2) == []
    now[0] += 20
    one.renew("one", 30)
    now[0] += 20
    assert other.claim(["a", "b", "c"], "again", 30, 3) == ["c"]
    one.release("one", ["b"])
    assert other.claim(["a", "b"], "other", 30, 2) == ["b"]
    one.close()
    other.close()


def test_a_file_that_is_none_is_explained(tmp_path: Path) -> None:
    """The error names the file and what to do."""
    path = tmp_path / "vectors.sqlite"
    path.write_bytes(b"no database at all, but long enough to be read as one" * 9)
    with pytest.raises(StoreError, match=r"vectors.sqlite: .*\n  delete the file"):
        KeptVectors(path)


# -- an index on disk ------------------------------------------------------


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every corpus be a large one."""
    monkeypatch.setattr(corpus, "LARGE", 1)


def opened(folder: Path, chunk: Chunk | None = None) -> corpus.Corpus:
    """Return the corpus of a folder's documents, each read anew."""
    paths = sorted((folder / "docs").glob("*.md"))
    return open_corpus(Documents(folder), paths, chunk, lambda: folder / "cache")


@pytest.mark.usefixtures("large")
def test_a_large_index_is_made_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run opens it; changed documents or chunking make another."""
    (tmp_path / "docs").mkdir()
    document = tmp_path / "docs" / "a.md"
    document.write_text("# Boots\n\nUnworn boots go back within 45 days.\n")
    made: list[Path] = []

    def noted(path: Path, passages: tuple[Passage, ...]) -> None:
        made.append(path)
        write_index(path, passages)

    monkeypatch.setattr(corpus, "write_index", noted)
    first, again = opened(tmp_path), opened(tmp_path)
    assert len(made) == 1
    assert first.passages == again.passages
    assert first.text.search("boots", 2) == again.text.search("boots", 2)
    assert [one.source for one in again.text.search("boots", 2)] == ["docs/a.md#boots"]
    opened(tmp_path, Chunk(words=3))
    document.write_text("# Tents\n\nA tent is rented for a week.\n")
    assert opened(tmp_path).text.search("boots", 2) == ()
    assert len(made) == 3
    assert not list((tmp_path / "cache").glob("*.tmp"))


@pytest.mark.usefixtures("large")
def test_a_damaged_index_is_made_again(tmp_path: Path) -> None:
    """A file that is none costs time, and nothing else."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# Boots\n\nBoots go back.\n")
    found = opened(tmp_path).text.search("boots", 1)
    (path,) = (tmp_path / "cache").glob("passages-*.sqlite")
    path.write_bytes(b"damaged" * 1000)
    assert opened(tmp_path).text.search("boots", 1) == found
    assert opened(tmp_path).text.search("boots", 1) == found
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    connection.close()


# -- a model inside a package ----------------------------------------------


def test_a_local_model_needs_no_network() -> None:
    """It knows that footwear is nearer to boots than to rent."""
    pytest.importorskip("wordllama")
    query, near, far = open_local("wordllama")(["footwear", "boots", "monthly rent"])
    store = MemoryVectors()
    store.replace("r", embedded(far=tuple(far), near=tuple(near)))
    assert store.nearest(query, 1)[0].source == "near"


def test_a_model_that_is_not_installed_is_told() -> None:
    """With the extra that brings it."""
    with pytest.raises(DiagnosisError, match=r"pytest-llm-diagnosis\[embeddings\]"):
        open_local("not-there")
