"""The store in Qdrant: folders, requests to a server, what is the team's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from json_server import JsonServer
from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json, Passage
from pytest_llm_diagnosis.retrieval import Embedded, VectorStore
from pytest_llm_diagnosis.retrieval.stores import open_store
from vector_servers import FakeQdrant

qdrant_client = pytest.importorskip("qdrant_client")
models = pytest.importorskip("qdrant_client.models")

BOOTS = Embedded(Passage(id="a.md", text="Boots: 45 days."), (1.0, 0.0))
TENTS = Embedded(Passage(id="b.md", text="Tents: 30 days."), (1.0, 1.0))
# As LangChain writes it.
PAYLOAD: Json = {"text": "page_content", "source": "metadata.source"}


def store_in(folder: Path, **written: Json) -> VectorStore:
    """Return a store in a folder."""
    return open_store({"qdrant": {"path": "points", **written}}, folder)


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a folder in which the team keeps a collection of its own."""
    client = qdrant_client.QdrantClient(path=str(tmp_path / "points"))
    client.create_collection(
        "pages",
        vectors_config=models.VectorParams(size=2, distance=models.Distance.COSINE),
    )
    points = [
        (1, [30.0, 0.0], {"page_content": "Boots.", "metadata": {"source": "boots"}}),
        (2, [1.0, 1.0], {"page_content": "Tents.", "metadata": {}}),
    ]
    client.upsert(
        "pages",
        points=[
            models.PointStruct(id=number, vector=vector, payload=payload)
            for number, vector, payload in points
        ],
    )
    client.create_collection(
        "named",
        vectors_config={
            name: models.VectorParams(size=2, distance=models.Distance.DOT)
            for name in ("title", "body")
        },
    )
    vectors = {"title": [1.0, 0.0], "body": [0.0, 9.0]}
    point = models.PointStruct(id=1, vector=vectors, payload={"text": "Stoves."})
    client.upsert("named", points=[point])
    client.close()
    return tmp_path


def points_in(folder: Path, collection: str) -> list[object]:
    """Return what a collection holds."""
    client = qdrant_client.QdrantClient(path=str(folder / "points"))
    points, _ = client.scroll(collection, with_vectors=True, limit=100)
    client.close()
    return list(points)


def test_a_collection_of_the_team_is_searched_as_it_is(theirs: Path) -> None:
    """Payloads may nest; a point without a source is named by its id."""
    store = store_in(theirs, collection="pages", payload=PAYLOAD)
    found = store.nearest((2.0, 0.0), 9)
    assert store.revision() is None
    store.close()
    assert [(one.source, one.text, one.score) for one in found] == [
        ("boots", "Boots.", 1.0),
        ("2", "Tents.", 0.707107),
    ]


def test_one_of_several_vectors_is_searched(theirs: Path) -> None:
    """The vector is named; whatever its metric, the score is the cosine."""
    store = store_in(theirs, collection="named", vector="body")
    assert [one.score for one in store.nearest((1.0, 1.0), 1)] == [0.707107]
    store.close()


@pytest.mark.parametrize("written", [{}, {"payload": PAYLOAD}])
def test_a_collection_of_the_team_is_never_written(
    theirs: Path, written: dict[str, Json]
) -> None:
    """Without our marker, or with a payload, a collection stays as it was."""
    before = points_in(theirs, "pages")
    store = store_in(theirs, collection="pages", **written)
    assert store.revision() is None
    with pytest.raises(DiagnosisError, match="collection was not made by pytest-llm"):
        store.replace("new", [BOOTS])
    store.close()
    assert points_in(theirs, "pages") == before


def test_an_alias_of_the_team_is_never_moved(theirs: Path) -> None:
    """An alias to a collection without our marker is the team's own as well."""
    client = qdrant_client.QdrantClient(path=str(theirs / "points"))
    alias = models.CreateAlias(collection_name="pages", alias_name="current")
    operation = models.CreateAliasOperation(create_alias=alias)
    client.update_collection_aliases(change_aliases_operations=[operation])
    client.close()
    store = store_in(theirs, collection="current")
    with pytest.raises(DiagnosisError, match="is only read"):
        store.replace("new", [BOOTS])
    store.close()
    assert len(points_in(theirs, "current")) == 2


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ({"collection": "nope"}, "there is no such collection"),
        ({"collection": "nope", "payload": PAYLOAD}, "there is no such collection"),
        ({"collection": "pages"}, "point 1 has no 'text' in its payload\n  it has: m"),
        ({"collection": "named", "vector": "titel"}, "titel"),
        ({"path": "nowhere"}, "nothing of Qdrant is in this folder"),
    ],
)
def test_a_collection_that_does_not_fit_is_told(
    theirs: Path, written: dict[str, Json], finding: str
) -> None:
    """Missing collections, fields and folders are named, and no folder is made."""
    store = store_in(theirs, **written)
    with pytest.raises(DiagnosisError) as told:
        store.nearest((1.0, 0.0), 1)
    store.close()
    assert finding in str(told.value)
    assert not (theirs / "nowhere").exists()


def test_a_folder_in_use_is_waited_for(theirs: Path) -> None:
    """A worker that finds the folder locked goes on when the other is done."""
    client = qdrant_client.QdrantClient(path=str(theirs / "points"))
    timer = threading.Timer(0.4, client.close)
    timer.start()
    store = store_in(theirs, collection="pages", payload=PAYLOAD)
    assert len(store.nearest((1.0, 0.0), 1)) == 1
    timer.join()
    store.close()


def test_a_store_that_reads_locks_nobody_out(theirs: Path) -> None:
    """Between two searches another may open and replace."""
    reader, writer = (store_in(theirs, collection="ours") for _ in range(2))
    writer.replace("first", [BOOTS])
    assert reader.nearest((1.0, 0.0), 1)[0].source == "a.md"
    writer.replace("second", [TENTS])
    assert reader.nearest((1.0, 0.0), 1)[0].source == "a.md"
    assert reader.revision() == "second"
    assert reader.nearest((1.0, 0.0), 1)[0].source == "b.md"
    reader.close()
    writer.close()


@pytest.fixture
def fake() -> FakeQdrant:
    """Return what a server answers that takes one key."""
    return FakeQdrant(key="right-key-0123")


@pytest.fixture
def server(fake: FakeQdrant) -> Iterator[JsonServer]:
    """Return the server."""
    with JsonServer(fake) as server:
        yield server


def test_a_server_gets_the_key_and_whole_collections(
    server: JsonServer, fake: FakeQdrant
) -> None:
    """The newer collection is complete before the alias moves to it."""
    written: Json = {
        "url": server.url,
        "api_key": "right-key-0123",
        "collection": "ours",
    }
    store = open_store({"qdrant": written}, Path())
    store.replace("first", [BOOTS, TENTS])
    older = fake.aliases["ours"]
    server.requests.clear()
    store.replace("second", [TENTS])
    newer = fake.aliases["ours"]
    assert set(fake.collections) == {newer}
    steps = [
        (asked.method, asked.path) for asked in server.requests if asked.method != "GET"
    ]
    assert steps == [
        ("POST", f"/collections/{older}/points"),
        ("PUT", f"/collections/{newer}"),
        ("PUT", f"/collections/{newer}/points"),
        ("PUT", f"/collections/{newer}/points"),
        ("POST", "/collections/aliases"),
        ("DELETE", f"/collections/{older}"),
    ]
    assert {asked.headers["api-key"] for asked in server.requests} == {"right-key-0123"}
    made = next(one for one in server.requests if one.path == f"/collections/{newer}")
    assert made.body["vectors"] == {"size": 2, "distance": "Dot"}
    store.close()


def test_a_search_is_exact_and_leaves_the_marker_out(
    server: JsonServer, fake: FakeQdrant
) -> None:
    """A collection of ours is searched in full, a team's own as it is set up."""
    fake.key = ""
    store = open_store({"qdrant": {"url": server.url, "collection": "ours"}}, Path())
    store.replace("first", [BOOTS, TENTS])
    store.nearest((1.0, 0.0), 2)
    asked = server.requests[-1]
    assert asked.path == "/collections/ours/points/query"
    assert asked.body["params"] == {"exact": True}
    assert asked.body["with_vector"] is True
    [rule] = asked.body["filter"]["must_not"]
    [hidden] = rule["has_id"]
    assert hidden in fake.collections[fake.aliases["ours"]]
    store.close()


def test_a_key_for_one_collection_is_enough_to_read(
    server: JsonServer, fake: FakeQdrant
) -> None:
    """With a payload nothing but the collection itself is asked."""
    fake.key = ""
    fake.sizes["pages"] = 2
    point = {"id": 7, "vector": [3.0, 4.0], "payload": {"body": "Boots."}}
    fake.collections["pages"] = {7: point}
    written: Json = {
        "url": server.url,
        "collection": "pages",
        "payload": {"text": "body"},
    }
    store = open_store({"qdrant": written}, Path())
    [context] = store.nearest((1.0, 0.0), 3)
    assert (context.source, context.text, context.score) == ("7", "Boots.", 0.6)
    assert {one.path for one in server.requests} == {"/collections/pages/points/query"}
    assert "filter" not in server.requests[-1].body
    store.close()


def test_a_wrong_key_is_told_and_not_shown(server: JsonServer) -> None:
    """The server's own words, without the key that they repeat."""
    written: Json = {"url": server.url, "api_key": "right-key-0123-not"}
    store = open_store({"qdrant": written}, Path())
    with pytest.raises(DiagnosisError) as told:
        store.revision()
    store.close()
    assert str(told.value) == (
        "Qdrant, collection 'llm_diagnosis_passages': 401 Unauthorized: Invalid key ***"
    )


def test_a_server_that_is_away_is_told() -> None:
    """A refused connection is an error of ours."""
    store = open_store({"qdrant": {"url": "http://127.0.0.1:1"}}, Path())
    with pytest.raises(DiagnosisError, match="onnection refused"):
        store.replace("first", [BOOTS])
    store.close()
