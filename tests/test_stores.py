"""What holds of every store of vectors: the real ones, and two fake servers."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from json_server import JsonServer
from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json, JsonObject, Passage
from pytest_llm_diagnosis.retrieval import Embedded, VectorStore
from pytest_llm_diagnosis.retrieval.stores import open_store
from vector_servers import FakePinecone, FakeQdrant

KINDS = ("pgvector", "qdrant folder", "qdrant server", "lancedb", "pinecone")
HOSTILE = {
    "quotes": 'it\'s "quoted"; DROP TABLE passages; -- `x` $1 %s {0} \\n',
    "NUL": "snow\0shoes",
    "lone surrogate": "snow \ud800 shoes",
    "surrogates in a row": "\ud83d\ude00",
    "escaped already": "escaped:\\x00",
    "controls": "\x01\x1b[31m\r\n\t\u2028\ufeff",
    "other scripts": "返品 🥾 \u0301",
    "empty": "",
}


class Opening(NamedTuple):
    """What opens a store: its settings, and the folder that paths start at."""

    settings: JsonObject
    folder: Path

    def __call__(self) -> VectorStore:
        """Open it."""
        return open_store(self.settings, self.folder)


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, str]]:
    """Return the addresses of the fake servers."""
    with JsonServer(FakeQdrant()) as qdrant, JsonServer(FakePinecone(3)) as pinecone:
        yield {"qdrant": qdrant.url, "pinecone": pinecone.url}


def opening(
    kind: str, folder: Path, request: pytest.FixtureRequest, name: str
) -> Opening:
    """Return what opens a store of a kind; `name` is of its table."""
    if kind == "pgvector":
        url = request.getfixturevalue("postgres")
        return Opening({"pgvector": {"url": url, "table": name}}, folder)
    if kind == "lancedb":
        return Opening({"lancedb": {"path": "vectors", "table": name}}, folder)
    if kind == "qdrant folder":
        return Opening({"qdrant": {"path": "points", "collection": name}}, folder)
    servers = request.getfixturevalue("servers")
    if kind == "qdrant server":
        url = servers["qdrant"]
        return Opening({"qdrant": {"url": url, "collection": name}}, folder)
    settings: Json = {"host": servers["pinecone"], "api_key": "key", "namespace": name}
    return Opening({"pinecone": settings}, folder)


@pytest.fixture(params=KINDS)
def opens(request: pytest.FixtureRequest, tmp_path: Path) -> Opening:
    """Return what opens each kind of store, with a table of this test's own."""
    # pytest numbers the folders of tests with the same beginning.
    return opening(request.param, tmp_path, request, re.sub(r"\W", "_", tmp_path.name))


def embedded(source: str, vector: Sequence[float], text: str = "") -> Embedded:
    """Return a passage with its vector."""
    passage = Passage(id=source, text=text or f"text of {source}")
    return Embedded(passage, tuple(map(float, vector)))


def found(store: VectorStore, vector: Sequence[float], top_k: int) -> list[str]:
    """Return the ids of what is nearest."""
    return [context.source for context in store.nearest(vector, top_k)]


BOOTS = embedded("returns.md#boots", (1, 0, 0), "Unworn boots: 45 days.")
TENTS = embedded("returns.md#tents", (1, 1, 0), "Tents: 30 days.")
STOVES = embedded("stoves.md", (-1, 0, 1), "Stoves are not returned.")


def test_what_is_kept_is_found_by_another_run(opens: Opening) -> None:
    """Revision, texts, sources and cosines survive closing."""
    store = opens()
    assert store.revision() is None
    store.replace("first", [STOVES, TENTS, BOOTS])
    store.close()
    store = opens()
    assert store.revision() == "first"
    best, second, last = store.nearest((2.0, 0.0, 0.0), 5)
    store.close()
    assert (best.text, best.source) == ("Unworn boots: 45 days.", "returns.md#boots")
    assert (best.score, second.score, last.score) == (1.0, 0.707107, -0.707107)


def test_replacing_leaves_nothing_of_before(opens: Opening) -> None:
    """Neither passages nor the revision of older content remain."""
    store = opens()
    store.replace("first", [BOOTS, TENTS])
    assert found(store, (1, 0, 0), 1) == ["returns.md#boots"]
    store.replace("second", [STOVES])
    assert store.revision() == "second"
    assert found(store, (1, 0, 0), 5) == ["stoves.md"]
    store.close()


def test_the_same_revision_may_be_replaced(opens: Opening) -> None:
    """What is kept is what was given last, whatever its revision is called."""
    store = opens()
    store.replace("same", [BOOTS])
    store.replace("same", [TENTS])
    store.replace("same", [TENTS])
    assert found(store, (1, 0, 0), 5) == ["returns.md#tents"]
    store.close()


def test_one_who_reads_follows_one_who_replaces(opens: Opening) -> None:
    """After asking for the revision, a store shows what is of it."""
    writer, reader = opens(), opens()
    writer.replace("first", [BOOTS])
    assert reader.revision() == "first"
    assert found(reader, (1, 0, 0), 5) == ["returns.md#boots"]
    writer.replace("second", [STOVES])
    assert reader.revision() == "second"
    assert found(reader, (1, 0, 0), 5) == ["stoves.md"]
    writer.close()
    reader.close()


def test_nothing_may_be_kept(opens: Opening) -> None:
    """An empty corpus has a revision, and no passage is ever nearest."""
    store = opens()
    store.replace("empty", [])
    assert store.revision() == "empty"
    store.replace("full", [BOOTS])
    assert store.nearest((1.0, 0.0, 0.0), 0) == ()
    store.close()


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_survives(opens: Opening, text: str) -> None:
    """Whatever a document holds comes back as it was, as text, id and revision."""
    store = opens()
    passage = Passage(id=f"hostile.md#{text}", text=text)
    store.replace(f"of {text}", [Embedded(passage, (0.0, 0.0, 2.0))])
    [context] = store.nearest((0.0, 0.0, 1.0), 3)
    revision = store.revision()
    store.close()
    assert context.text == passage.text
    assert context.source == passage.id
    assert revision == f"of {text}"


def test_a_megabyte_survives_or_is_refused(opens: Opening) -> None:
    """A giant passage comes back whole; Pinecone, which has a limit, says so."""
    store = opens()
    giant = "45 days. " * 120_000
    if "pinecone" in opens.settings:
        with pytest.raises(DiagnosisError, match="'big' has 1080003 bytes, and"):
            store.replace("giant", [embedded("big", (1, 0, 0), giant)])
        assert store.revision() is None
    else:
        store.replace("giant", [embedded("big", (1, 0, 0), giant)])
        assert store.nearest((1.0, 0.0, 0.0), 1)[0].text == giant
    store.close()


def test_many_ties_go_by_id(opens: Opening) -> None:
    """Of 60 passages alike the first ids are chosen, not what a store met first."""
    names = [f"{number * 7 % 60:03}" for number in range(60)]
    store = opens()
    store.replace("ties", [embedded(name, (0, 1, 1)) for name in names])
    assert found(store, (0, 1, 0), 4) == ["000", "001", "002", "003"]
    store.close()


def test_other_dimensions_are_refused(opens: Opening) -> None:
    """A question embedded by another model is told with its dimensions."""
    store = opens()
    store.replace("three", [BOOTS])
    words = r"a search with 2 dimensions: .*(2|two)"
    with pytest.raises(DiagnosisError, match=words):
        store.nearest((1.0, 0.0), 1)
    store.close()


@pytest.mark.parametrize(
    ("vector", "finding"),
    [
        (
            (1.0, 2.0),
            "the vector of 'bad' has 2 dimensions, that of 'returns.md#boots'",
        ),
        ((1.0, float("nan"), 0.0), "the vector of 'bad' holds nan"),
        ((float("-inf"), 0.0, 0.0), "the vector of 'bad' holds -inf"),
    ],
)
def test_vectors_that_are_none_are_refused(
    opens: Opening, vector: tuple[float, ...], finding: str
) -> None:
    """What an embedding model got wrong is told before anything is written."""
    store = opens()
    store.replace("good", [BOOTS])
    with pytest.raises(DiagnosisError, match=finding):
        store.replace("bad", [BOOTS, embedded("bad", vector)])
    assert store.revision() == "good"
    store.close()


def test_what_is_not_there_is_told(opens: Opening) -> None:
    """Searching a table that nobody made says its name and that it is missing."""
    store = opens()
    if "pinecone" in opens.settings:
        assert store.nearest((1.0, 0.0, 0.0), 1) == ()
    else:
        with pytest.raises(DiagnosisError, match=r"not found|no such|nothing of"):
            store.nearest((1.0, 0.0, 0.0), 1)
    store.close()


SMALL = st.integers(-3, 3)
VECTORS = st.tuples(SMALL, SMALL, SMALL)


def reference(
    question: tuple[int, ...], vectors: Sequence[tuple[int, ...]], top_k: int
) -> list[str]:
    """Return the ids of the nearest, by exact arithmetic over all vectors.

    The order of cosines is that of their signed squares, which are fractions.
    """

    def key(name: int) -> tuple[Fraction, str]:
        vector = vectors[name]
        product = sum(a * b for a, b in zip(question, vector, strict=True))
        square = sum(a * a for a in vector) or 1
        return -Fraction(product * abs(product), square), f"{name:02}"

    return [f"{name:02}" for name in sorted(range(len(vectors)), key=key)[:top_k]]


@pytest.fixture(scope="module")
def all_stores(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[VectorStore]]:
    """Return one open store of each kind."""
    folder = tmp_path_factory.mktemp("all")
    with ExitStack() as stack:
        stores = []
        for kind in KINDS:
            store = opening(kind, folder, request, folder.name)()
            stack.callback(store.close)
            stores.append(store)
        yield stores


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    vectors=st.lists(VECTORS, max_size=12),
    question=VECTORS.filter(any),
    top_k=st.integers(1, 12),
)
def test_all_stores_rank_alike(
    all_stores: list[VectorStore],
    vectors: list[tuple[int, ...]],
    question: tuple[int, ...],
    top_k: int,
) -> None:
    """The same vectors give the same contexts everywhere, those of exact arithmetic."""
    passages = [embedded(f"{name:02}", vector) for name, vector in enumerate(vectors)]
    results = []
    for store in all_stores:
        store.replace(repr(vectors), passages)
        results.append(store.nearest(question, top_k) if vectors else ())
    assert all(result == results[0] for result in results)
    sources = [context.source for context in results[0]]
    assert sources == reference(question, vectors, top_k)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        ("pgvector", {"url": "postgresql://localhost/x"}),
        ("qdrant", {"path": "x"}),
        ("lancedb", {"path": "x"}),
        ("pinecone", {"host": "http://127.0.0.1:1", "api_key": "key"}),
    ],
)
def test_a_library_that_is_missing_is_told_with_its_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str, written: Json
) -> None:
    """The error is a command away from its end."""
    library = {"pgvector": "psycopg", "qdrant": "qdrant_client"}.get(kind, kind)
    monkeypatch.setitem(sys.modules, library, None)
    for name in [f"pytest_llm_diagnosis.retrieval.stores.{kind}"]:
        monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(DiagnosisError) as told:
        open_store({kind: written}, tmp_path)
    assert str(told.value).startswith(f"`store: {kind}` needs its library: ")
    assert str(told.value).endswith(f"\n  pip install pytest-llm-diagnosis[{kind}]")


def test_a_library_is_imported_when_its_store_is_opened() -> None:
    """Whoever has one store pays for that one alone."""
    code = """
    import sys, pytest_llm_diagnosis.retrieval.stores
    print({"psycopg", "qdrant_client", "lancedb", "pinecone"} & set(sys.modules))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert subprocess.check_output(command, text=True).strip() == "set()"  # noqa: S603


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ({}, "'store' must not be empty"),
        ({"qdrnt": {}}, "unknown key 'qdrnt'\n  did you mean 'qdrant'?"),
        ({"lancedb": {}}, "'lancedb' has no 'path'"),
        ({"pgvector": {"url": 5432}}, "'url' in 'pgvector' must be text, got 5432"),
        (
            {"pgvector": {"url": "x", "columns": {"body": "text"}}},
            "unknown key 'body' in 'columns'\n  valid: text, source, vector",
        ),
        ({"qdrant": {}}, "it needs either a url or a path"),
        ({"qdrant": {"url": "http://x", "path": "y"}}, "it needs either a url or a"),
        (
            {"qdrant": {"path": "x"}, "lancedb": {"path": "x"}},
            "'store' must be a mapping of at most 1 keys, got 2",
        ),
    ],
)
def test_settings_that_are_wrong_are_told(
    tmp_path: Path, written: JsonObject, finding: str
) -> None:
    """What breaks the schema is said as in a variants file."""
    with pytest.raises(DiagnosisError) as told:
        open_store(written, tmp_path)
    assert finding in str(told.value)
