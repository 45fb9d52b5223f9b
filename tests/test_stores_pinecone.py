"""The store in Pinecone: what its real client asks of a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from json_server import Asked, JsonServer
from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json, Passage
from pytest_llm_diagnosis.retrieval import Embedded, VectorStore
from pytest_llm_diagnosis.retrieval.stores import open_store
from vector_servers import FakePinecone

pytest.importorskip("pinecone")

BOOTS = Embedded(Passage(id="a.md", text="Boots: 45 days."), (3.0, 4.0))
TENTS = Embedded(Passage(id="b.md", text="Tents: 30 days."), (1.0, 1.0))
METADATA: Json = {"text": "body", "source": "path"}
MARKER = "pytest-llm-diagnosis"
KEY = "pcsk_right-0123"


@pytest.fixture
def fake() -> FakePinecone:
    """Return what an index of two dimensions answers."""
    return FakePinecone(key=KEY)


@pytest.fixture
def server(fake: FakePinecone) -> Iterator[JsonServer]:
    """Return the index's server."""
    with JsonServer(fake) as server:
        yield server


def store_at(server: JsonServer, **written: Json) -> VectorStore:
    """Return a store in an index."""
    settings: Json = {"host": server.url, "api_key": KEY, **written}
    return open_store({"pinecone": settings}, Path())


def own(number: int, source: str) -> dict[str, object]:
    """Return a vector of the team's own."""
    metadata = {"body": f"{source}.", "path": source}
    return {"id": f"v{number}", "values": [float(number), 1.0], "metadata": metadata}


def test_what_is_written_and_asked(server: JsonServer, fake: FakePinecone) -> None:
    """A generation is marked when complete, and older ones are removed."""
    store = store_at(server, namespace="ours")
    store.replace("first", [BOOTS, TENTS])
    server.requests.clear()
    store.replace("second", [TENTS])
    paths = [(asked.method, asked.path) for asked in server.requests]
    assert paths == [
        ("GET", "/vectors/fetch"),
        ("POST", "/vectors/upsert"),
        ("GET", "/vectors/fetch"),
        ("POST", "/vectors/upsert"),
        ("GET", "/vectors/fetch"),
        ("GET", "/vectors/list"),
        ("POST", "/vectors/delete"),
    ]
    [vector] = server.requests[1].body["vectors"]
    assert server.requests[1].body["namespace"] == "ours"
    assert vector["values"] == pytest.approx([0.707107, 0.707107])
    assert vector["metadata"]["source"] == "b.md"
    assert vector["metadata"]["text"] == "Tents: 30 days."
    assert set(fake.namespaces["ours"]) == {MARKER, vector["id"]}
    assert {one.headers["api-key"] for one in server.requests} == {KEY}
    store.close()


def test_a_search_asks_for_one_generation(server: JsonServer) -> None:
    """The marker and what another run is just writing are not found."""
    store = store_at(server, namespace="ours")
    store.replace("first", [BOOTS])
    [context] = store.nearest((6.0, 8.0), 2)
    store.close()
    body = server.requests[-1].body
    assert body["namespace"] == "ours"
    assert body["topK"] == 12
    assert body["includeValues"] is True
    assert body["includeMetadata"] is True
    assert set(body["filter"]) == {"generation"}
    assert (context.source, context.score) == ("a.md", 1.0)


def test_it_waits_until_what_was_written_is_shown(
    server: JsonServer, fake: FakePinecone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pinecone shows writes late; the wait ends, and a hopeless one is told."""
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)
    fake.lag = 3
    store = store_at(server)
    store.replace("first", [BOOTS])
    assert store.revision() == "first"
    assert len(waits) == 9
    fake.lag = 1000
    with pytest.raises(DiagnosisError, match="written is not shown after 60 s"):
        store.replace("second", [TENTS])
    store.close()


def test_a_generation_that_broke_off_is_not_searched(
    server: JsonServer, fake: FakePinecone
) -> None:
    """What is complete stays until what is newer is; then the rest is removed."""
    store = store_at(server, namespace="ours")
    store.replace("first", [BOOTS])
    wrong = Embedded(TENTS.passage, (1.0, 0.0, 0.0))
    with pytest.raises(DiagnosisError, match="Vector dimension 3 does not match"):
        store.replace("second", [wrong])
    fake.namespaces["ours"]["half-0"] = {
        "id": "half-0",
        "values": [0.6, 0.8],
        "metadata": {"generation": "half", "source": "half", "text": "half"},
    }
    store.close()
    store = store_at(server, namespace="ours")
    assert store.revision() == "first"
    assert [one.source for one in store.nearest((3.0, 4.0), 5)] == ["a.md"]
    store.replace("second", [TENTS])
    assert len(fake.namespaces["ours"]) == 2
    store.close()


def test_a_first_build_that_broke_off_is_ours(
    server: JsonServer, fake: FakePinecone
) -> None:
    """A namespace is marked before its first passage, so that it can be repaired."""
    store = store_at(server, namespace="ours")
    points = [Embedded(BOOTS.passage, (1.0, float(n))) for n in range(150)]
    answer = fake._upsert

    def full(asked: Asked, points: dict[str, dict[str, object]]) -> tuple[int, object]:
        if len(points) > 50:
            return 403, {"code": 7, "message": "You have reached your write limit"}
        return answer(asked, points)

    fake._upsert = full  # type: ignore[method-assign]
    with pytest.raises(DiagnosisError, match="You have reached your write limit"):
        store.replace("first", points)
    assert store.revision() is None
    fake._upsert = answer  # type: ignore[method-assign]
    store.replace("first", points)
    assert store.revision() == "first"
    assert len(fake.namespaces["ours"]) == 151
    store.close()


def test_vectors_of_the_team_are_searched_as_they_are(
    server: JsonServer, fake: FakePinecone
) -> None:
    """Their metadata is named, and the default namespace is asked."""
    fake.namespaces[""] = {f"v{n}": own(n, name) for n, name in enumerate(["a", "b"])}
    store = store_at(server, metadata=METADATA)
    found = store.nearest((2.0, 2.0), 5)
    assert store.revision() is None
    store.close()
    assert [(one.source, one.text, one.score) for one in found] == [
        ("b", "b.", 1.0),
        ("a", "a.", 0.707107),
    ]
    assert {one.path for one in server.requests} == {"/query"}
    assert "filter" not in server.requests[-1].body


@pytest.mark.parametrize("written", [{}, {"metadata": METADATA}])
def test_vectors_of_the_team_are_never_written(
    server: JsonServer, fake: FakePinecone, written: dict[str, Json]
) -> None:
    """Where anything else is in a namespace, nothing is added or removed."""
    fake.namespaces["pages"] = {"v1": own(1, "a")}
    store = store_at(server, namespace="pages", **written)
    with pytest.raises(DiagnosisError, match="namespace was not made by pytest-llm-di"):
        store.replace("new", [BOOTS])
    store.close()
    assert fake.namespaces["pages"] == {"v1": own(1, "a")}
    assert all(
        one.path in ("/vectors/fetch", "/vectors/list") for one in server.requests
    )


def test_metadata_that_lack_the_text_are_told(
    server: JsonServer, fake: FakePinecone
) -> None:
    """The keys that are there are listed."""
    fake.namespaces[""] = {"v1": own(1, "a")}
    store = store_at(server, metadata={"text": "content"})
    with pytest.raises(DiagnosisError) as told:
        store.nearest((1.0, 0.0), 1)
    store.close()
    words = "vector 'v1' has no 'content' in its metadata\n  it has: body, path"
    assert str(told.value).endswith(words)


def test_a_wrong_key_is_told_and_not_shown(server: JsonServer) -> None:
    """Pinecone's own words, without the key that they repeat."""
    store = store_at(server, api_key=f"{KEY}-not")
    with pytest.raises(DiagnosisError) as told:
        store.revision()
    store.close()
    assert "Invalid key ***" in str(told.value)
    assert KEY not in str(told.value)


def test_a_host_that_is_none_is_told() -> None:
    """What is no host is refused by the client, in its words."""
    settings: Json = {"host": "nothing", "api_key": KEY}
    with pytest.raises(DiagnosisError, match="does not appear to be a valid URL"):
        open_store({"pinecone": settings}, Path())


def test_a_host_that_is_away_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused connection is an error of ours, after the client's own tries."""
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    settings: Json = {"host": "http://127.0.0.1:1", "api_key": KEY}
    store = open_store({"pinecone": settings}, Path())
    with pytest.raises(DiagnosisError, match="onnection refused"):
        store.revision()
    store.close()
