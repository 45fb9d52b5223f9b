"""The store in LanceDB: what is the team's own, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json, Passage
from pytest_llm_diagnosis.retrieval import Embedded, VectorStore
from pytest_llm_diagnosis.retrieval.stores import open_store

lancedb = pytest.importorskip("lancedb")
index = pytest.importorskip("lancedb.index")
pa = pytest.importorskip("pyarrow")

BOOTS = Embedded(Passage(id="a.md", text="Boots: 45 days."), (1.0, 0.0))
TENTS = Embedded(Passage(id="b.md", text="Tents: 30 days."), (1.0, 1.0))
COLUMNS: Json = {"source": "path", "text": "body", "vector": "embedding"}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Return a folder in which the team keeps a table of its own."""
    vectors = pa.array([[30, 0], [1, 1], [0, 0]], pa.list_(pa.float32(), 2))
    columns = {
        "path": ["boots", "tents", None],
        "body": ["Boots.", "Tents.", "Empty."],
        "embedding": vectors,
        "year": [1987, 1988, 1989],
    }
    lancedb.connect(tmp_path / "vectors").create_table("pages", pa.table(columns))
    return tmp_path


def store_in(folder: Path, **written: Json) -> VectorStore:
    """Return a store in a folder."""
    return open_store({"lancedb": {"path": "vectors", **written}}, folder)


def test_a_table_of_the_team_is_searched_as_it_is(theirs: Path) -> None:
    """Its columns are named; cosines do not depend on the vectors' lengths."""
    store = store_in(theirs, table="pages", columns=COLUMNS)
    found = store.nearest((2.0, 0.0), 2)
    assert store.revision() is None
    store.close()
    assert [(one.source, one.text, one.score) for one in found] == [
        ("boots", "Boots.", 1.0),
        ("tents", "Tents.", 0.707107),
    ]


def test_an_index_of_the_team_by_distance_is_searched(theirs: Path) -> None:
    """An index that was built for another metric does no harm."""
    table = lancedb.connect(theirs / "vectors").create_table(
        "many",
        pa.table(
            {
                "source": [f"{number:03}" for number in range(300)],
                "text": ["-"] * 300,
                "vector": pa.array(
                    [[float(number), 100.0] for number in range(300)],
                    pa.list_(pa.float32(), 2),
                ),
            }
        ),
    )
    table.create_index(
        "vector", config=index.IvfFlat(distance_type="l2", num_partitions=2)
    )
    store = store_in(theirs, table="many")
    assert [one.source for one in store.nearest((0.0, 1.0), 2)] == ["000", "001"]
    store.close()


@pytest.mark.parametrize("written", [{}, {"columns": COLUMNS}])
def test_a_table_of_the_team_is_never_written(
    theirs: Path, written: dict[str, Json]
) -> None:
    """Without our marker, or with columns, a table stays as it was."""
    table = lancedb.connect(theirs / "vectors").open_table("pages")
    before, version = table.to_arrow(), table.version
    store = store_in(theirs, table="pages", **written)
    assert store.revision() is None
    with pytest.raises(DiagnosisError, match="table was not made by pytest-llm-diagn"):
        store.replace("new", [BOOTS])
    store.close()
    after = lancedb.connect(theirs / "vectors").open_table("pages")
    assert (after.to_arrow(), after.version) == (before, version)


def test_one_who_searches_keeps_what_was_opened(tmp_path: Path) -> None:
    """Another may replace meanwhile; asking for the revision shows what is new."""
    reader, writer = store_in(tmp_path), store_in(tmp_path)
    writer.replace("first", [BOOTS])
    assert reader.nearest((1.0, 0.0), 1)[0].source == "a.md"
    writer.replace("second", [TENTS])
    assert reader.nearest((1.0, 0.0), 1)[0].source == "a.md"
    assert reader.revision() == "second"
    assert reader.nearest((1.0, 0.0), 1)[0].source == "b.md"
    reader.close()
    writer.close()


def test_two_that_make_the_table_at_once_both_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second replaces what the first has just made."""
    first, second = store_in(tmp_path), store_in(tmp_path)
    make = second._database.create_table  # type: ignore[attr-defined]

    def late(*args: object, **options: object) -> object:
        if options["mode"] == "create":
            first.replace("first", [BOOTS])
        return make(*args, **options)

    monkeypatch.setattr(second._database, "create_table", late)  # type: ignore[attr-defined]
    second.replace("second", [TENTS])
    assert first.revision() == second.revision() == "second"
    first.close()
    second.close()


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ({"table": "nope"}, "Table 'nope' was not found"),
        ({"table": "pages"}, "vector"),
        ({"table": "pages", "columns": {"vector": "year"}}, "is not a vector"),
        ({"table": "pages", "columns": {"vector": "embedding"}}, "source"),
        ({"table": "not/a name"}, "not/a name"),
    ],
)
def test_a_table_that_does_not_fit_is_told(
    theirs: Path, written: dict[str, Json], finding: str
) -> None:
    """Missing tables and columns are named in LanceDB's own words."""
    with pytest.raises(DiagnosisError) as told:
        store_in(theirs, **written).nearest((1.0, 0.0), 1)
    assert finding in str(told.value)
    assert len(str(told.value)) < 700


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    """A file in the place of the folder is an error of ours."""
    (tmp_path / "vectors").write_text("no folder", encoding="utf-8")
    with pytest.raises(DiagnosisError, match="LanceDB, table 'llm_diagnosis_passages'"):
        store_in(tmp_path).replace("first", [BOOTS])
