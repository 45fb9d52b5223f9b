"""The store in PostgreSQL: what is the team's own, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import DiagnosisError
from pytest_llm_diagnosis.records import Json, Passage
from pytest_llm_diagnosis.retrieval import Embedded, VectorStore
from pytest_llm_diagnosis.retrieval.stores import open_store

psycopg = pytest.importorskip("psycopg")

BOOTS = Embedded(Passage(id="a.md", text="Boots: 45 days."), (1.0, 0.0))
TENTS = Embedded(Passage(id="b.md", text="Tents: 30 days."), (1.0, 1.0))


@pytest.fixture
def database(postgres: str, tmp_path: Path) -> Iterator[str]:
    """Return the address of a fresh database without the extension."""
    name = f"db_{abs(hash(tmp_path))}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield postgres.removesuffix("postgres") + name
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def theirs(database: str) -> str:
    """Return a database with a table of the team's own, of other names and lengths."""
    run(
        database,
        "CREATE EXTENSION vector",
        'CREATE TABLE "Wiki pages" (path text, body text, embedding vector(2))',
        """INSERT INTO "Wiki pages" VALUES ('boots', 'Boots.', '[30, 0]'),
        ('tents', 'Tents.', '[1, 1]'), ('none', 'Not embedded.', NULL),
        ('zero', 'Empty.', '[0, 0]'), (NULL, NULL, '[0, -2]')""",
    )
    return database


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """Execute statements; return the rows of the last."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)
        return list(cursor.fetchall()) if cursor.description else []


def store_in(url: str, **written: Json) -> VectorStore:
    """Return a store in a database."""
    return open_store({"pgvector": {"url": url, **written}}, Path())


def refused(url: str, **written: Json) -> str:
    """Return what is said when a store is opened and searched."""
    with pytest.raises(DiagnosisError) as told:
        store_in(url, **written).nearest((1.0, 0.0), 1)
    return str(told.value)


COLUMNS: Json = {"source": "path", "text": "body", "vector": "embedding"}


def test_a_table_of_the_team_is_searched_as_it_is(theirs: str) -> None:
    """Its columns are named; cosines do not depend on the vectors' lengths."""
    store = store_in(theirs, table="Wiki pages", columns=COLUMNS)
    found = store.nearest((2.0, 0.0), 9)
    assert store.revision() is None
    store.close()
    assert [(one.source, one.text, one.score) for one in found] == [
        ("boots", "Boots.", 1.0),
        ("tents", "Tents.", 0.707107),
        ("", "", 0.0),
        ("zero", "Empty.", 0.0),
    ]


@pytest.mark.parametrize("written", [{}, {"columns": COLUMNS}])
def test_a_table_of_the_team_is_never_written(
    theirs: str, written: dict[str, Json]
) -> None:
    """Without our marker, or with columns, a table stays as it was."""
    before = run(theirs, 'SELECT * FROM "Wiki pages"')
    store = store_in(theirs, table="Wiki pages", **written)
    with pytest.raises(DiagnosisError, match="not made by pytest-llm-diagnosis and is"):
        store.replace("new", [BOOTS])
    store.close()
    assert run(theirs, 'SELECT * FROM "Wiki pages"') == before


def test_a_comment_of_the_team_is_no_marker(theirs: str) -> None:
    """A table with some other comment is still the team's own."""
    run(theirs, "COMMENT ON TABLE \"Wiki pages\" IS 'made for pytest-llm-diagnosis'")
    store = store_in(theirs, table="Wiki pages")
    with pytest.raises(DiagnosisError, match="is only read"):
        store.replace("new", [BOOTS])
    store.close()


def test_a_view_of_half_vectors_in_another_schema_is_searched(theirs: str) -> None:
    """A view chooses rows; the extension may stand anywhere, as Supabase has it."""
    run(
        theirs,
        "CREATE SCHEMA extensions",
        "ALTER EXTENSION vector SET SCHEMA extensions",
        "CREATE SCHEMA app",
        """CREATE VIEW app.pages AS SELECT path AS source, body AS text,
        embedding::extensions.halfvec(2) AS vector FROM "Wiki pages"
        WHERE path = 'tents'
        """,
    )
    store = store_in(theirs, table="app.pages")
    assert [one.source for one in store.nearest((1.0, 0.0), 3)] == ["tents"]
    store.close()


def test_names_are_quoted(theirs: str) -> None:
    """A name with quotes and SQL in it is a name; nothing else is touched."""
    name = 'p"; DROP TABLE "Wiki pages"; --%s{}'
    store = store_in(theirs, table=name)
    store.replace("'; --", [BOOTS, TENTS])
    assert store.revision() == "'; --"
    assert [one.source for one in store.nearest((0.0, 1.0), 1)] == ["b.md"]
    store.close()
    assert run(theirs, 'SELECT count(*) FROM "Wiki pages"') == [(5,)]


def test_a_replacement_that_fails_leaves_the_older(theirs: str) -> None:
    """PostgreSQL refuses so long a vector, in its own words, and nothing is lost."""
    store = store_in(theirs, table="kept")
    store.replace("good", [BOOTS])
    giant = Embedded(BOOTS.passage, (1.0,) * 20_000)
    with pytest.raises(
        DiagnosisError, match="dimensions for type vector cannot exceed"
    ):
        store.replace("bad", [giant])
    assert store.revision() == "good"
    assert store.nearest((1.0, 0.0), 1)[0].source == "a.md"
    store.close()


def test_two_may_replace_at_once(theirs: str) -> None:
    """Two workers that build the same index wait for one another."""
    stores = [store_in(theirs, table="shared") for _ in range(4)]
    failures: list[Exception] = []

    def build(store: VectorStore) -> None:
        try:
            for number in range(5):
                store.replace(str(number), [BOOTS, TENTS])
        except DiagnosisError as error:
            failures.append(error)

    threads = [threading.Thread(target=build, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert len(stores[0].nearest((1.0, 0.0), 5)) == 2
    for store in stores:
        store.close()


def test_a_missing_extension_is_told_with_its_remedy(database: str) -> None:
    """A database without pgvector needs one command."""
    store = store_in(database, table="any")
    with pytest.raises(DiagnosisError) as told:
        store.replace("new", [BOOTS])
    store.close()
    assert str(told.value) == (
        "PostgreSQL, table 'any': this database does not have the extension vector\n"
        "  run CREATE EXTENSION vector; in it, once"
    )


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ({"table": "pages"}, "there is no such table"),
        ({"table": "no.such"}, "there is no such table"),
        ({"table": "Wiki pages"}, "it has no column 'vector'"),
        (
            {"table": "Wiki pages", "columns": {"vector": "body"}},
            "the column 'body' holds text, not vectors",
        ),
        (
            {"table": "Wiki pages", "columns": {"vector": "embedding"}},
            'a search with 2 dimensions: column "source" does not exist',
        ),
    ],
)
def test_a_table_that_does_not_fit_is_told(
    theirs: str, written: dict[str, Json], finding: str
) -> None:
    """Missing tables and columns are named."""
    assert finding in refused(theirs, **written)


def test_a_wrong_password_is_told_and_not_shown(postgres: str) -> None:
    """PostgreSQL's own words; the password of the address is nowhere in them."""
    run(
        postgres,
        "DROP ROLE IF EXISTS locked",
        "CREATE ROLE locked LOGIN PASSWORD 'the right one'",
    )
    said = refused(postgres.replace("tester@", "locked:wr0ng-pass@"))
    assert 'password authentication failed for user "locked"' in said
    assert "wr0ng-pass" not in said


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:pa/sword-secret@127.0.0.1:1/x",
        "postgresql://me:pa%zzsword-secret@127.0.0.1:1/x",
        "postgresql://me:sword-secret@127.0.0.1:port/x",
        "host=127.0.0.1 password=sword-secret port",
        "sword-secret\ud800",
    ],
)
def test_an_address_that_is_none_shows_no_password(url: str) -> None:
    """The parser's own words would quote parts of it."""
    said = refused(url)
    assert "its url is no address of a database\n  like postgresql://" in said
    assert "secret" not in said


def test_a_server_that_is_away_is_told() -> None:
    """The address is shown without its password."""
    said = refused("postgresql://me:hunter2@127.0.0.1:1/x?connect_timeout=2")
    assert "127.0.0.1" in said
    assert "onnection refused" in said
    assert "hunter2" not in said


def test_a_connection_that_breaks_is_told(theirs: str) -> None:
    """A server that is restarted in mid-run ends in an error of ours."""
    store = store_in(theirs, table="kept")
    store.replace("good", [BOOTS])
    run(
        theirs,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    with pytest.raises(DiagnosisError, match="terminating connection"):
        store.nearest((1.0, 0.0), 1)
    store.close()
