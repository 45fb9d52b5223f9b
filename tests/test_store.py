"""The answer store: round trips, claims between processes, broken files."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, Context, Request, Tokens, ToolCall
from pytest_llm_diagnosis.store import AnswerStore, MemoryStore, Store

FULL = Answer(
    text="45 days\u2028\ud800\0",
    tool_calls=(
        ToolCall(name="log", arguments={"urgent": True, "n": [1, 2.5, None]}),
        ToolCall(name="log", arguments="{broken"),
    ),
    contexts=(Context(text="passage", source="a.md#b", score=1.25),),
    tokens=Tokens(prompt=41, completion=9, cached=32),
    usd=0.00012,
    seconds=0.4,
    finish_reason="stop",
)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Return what the test has set."""
        return self.now


def request(key: str = "k1", case: str = "a.eval.yaml::boots") -> Request:
    """Return a request with a key."""
    return Request(key=key, case=case, variant="base", messages=())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the store of a test lies."""
    return tmp_path / "cache" / "answers.sqlite"


@pytest.fixture
def opened() -> Iterator[Callable[..., AnswerStore]]:
    """Open stores that are closed at the end of the test."""
    stores: list[AnswerStore] = []

    def open_store(path: Path, **settings: object) -> AnswerStore:
        stores.append(AnswerStore(path, **settings))  # type: ignore[arg-type]
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture(params=["file", "memory"])
def store(
    request: pytest.FixtureRequest, path: Path, opened: Callable[..., AnswerStore]
) -> Store:
    """Both kinds of store."""
    return opened(path) if request.param == "file" else MemoryStore()


def test_an_answer_comes_back_equal(store: Store) -> None:
    """Every field survives, hostile text included."""
    assert store.get("k1") is None
    assert store.put(request(), FULL)
    found = store.get("k1")
    assert found is not None
    assert not found.stored
    assert found.to_dict() == FULL.to_dict()


def test_answers_of_earlier_runs_are_marked_as_stored(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """What this run paid for, in whatever process, does not count as stored."""
    clock = Clock()
    opened(path, clock=clock).put(request("k1"), FULL)
    clock.now += 10
    later = opened(path, clock=clock, run_started=clock.now)
    later.put(request("k2"), FULL)
    found = later.get_many(["k1", "k2"])
    assert {key: answer.stored for key, answer in found.items()} == {
        "k1": True,
        "k2": False,
    }


def test_many_are_read_at_once(store: Store) -> None:
    """More keys than fit in one query, most of them unknown."""
    for number in range(20):
        store.put(request(f"k{number}"), Answer(text=str(number)))
    keys = [f"k{number}" for number in range(2_000)]
    assert {key: answer.text for key, answer in store.get_many(keys).items()} == {
        f"k{number}": str(number) for number in range(20)
    }
    assert store.known(keys) == {f"k{number}" for number in range(20)}


def test_a_new_answer_replaces_the_old(store: Store) -> None:
    """One row for each key."""
    store.put(request(), Answer(text="old"))
    store.put(request(), Answer(text="new"))
    found = store.get("k1")
    assert found is not None
    assert found.text == "new"


def test_a_filtered_answer_is_not_kept_and_frees_its_claim(store: Store) -> None:
    """The next run asks again."""
    store.claim("k1", "a", 60)
    assert not store.put(request(), Answer(finish_reason="content_filter"))
    assert store.get("k1") is None
    assert store.claim("k1", "b", 60) == "won"


def test_a_request_is_claimed_once(store: Store) -> None:
    """The first owner wins, also when it asks again; an answer ends it."""
    assert store.claim("k1", "a", 60) == "won"
    assert store.claim("k1", "b", 60) == "held"
    assert store.claim("k1", "a", 60) == "won"
    assert store.claim("k2", "b", 60) == "won"
    store.put(request("k1"), FULL)
    assert store.claim("k1", "b", 60) == "answered"


def test_a_claim_can_be_given_up(store: Store) -> None:
    """One's own, singly or all; never another's."""
    for key in ("k1", "k2", "k3"):
        store.claim(key, "a", 60)
    store.release("b")
    store.release("b", "k1")
    assert store.claim("k1", "b", 60) == "held"
    store.release("a", "k1")
    assert store.claim("k1", "b", 60) == "won"
    assert store.claim("k2", "b", 60) == "held"
    assert store.renew("a", 60) == 2
    store.release("a")
    assert store.claim("k2", "b", 60) == "won"


def test_a_lease_that_ran_out_is_lost(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """A dead owner holds others up for its lease and no longer."""
    clock = Clock()
    store = opened(path, clock=clock)
    store.claim("k1", "dead", 60)
    clock.now += 59
    assert store.claim("k1", "b", 60) == "held"
    clock.now += 1
    assert store.claim("k1", "b", 60) == "won"
    assert store.claim("k1", "dead", 60) == "held"


def test_renewing_keeps_a_slow_call(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """All claims of an owner are extended, those it lost are not."""
    clock = Clock()
    store = opened(path, clock=clock)
    for key in ("k1", "k2", "k3"):
        store.claim(key, "a", 60)
    clock.now += 70
    assert store.claim("k3", "b", 60) == "won"
    assert store.renew("a", 60) == 2
    clock.now += 50
    assert store.claim("k1", "b", 60) == "held"


def test_answers_survive_a_process_that_is_killed(path: Path) -> None:
    """Each answer is on disk when `put` returns."""
    script = (
        "import os, sys; from pathlib import Path;"
        "from pytest_llm_diagnosis.store import AnswerStore;"
        "from pytest_llm_diagnosis.records import Answer, Request;"
        "store = AnswerStore(Path(sys.argv[1]));"
        "request = Request(key='k1', case='c', variant='v', messages=());"
        "store.put(request, Answer(text='paid')); store.claim('k2', 'dead', 0.0);"
        "os.kill(os.getpid(), 9)"
    )
    command = [sys.executable, "-c", script, str(path)]
    subprocess.run(command, check=False)  # noqa: S603 - this test's own code
    store = AnswerStore(path)
    found = store.get("k1")
    assert found is not None
    assert found.text == "paid"
    assert store.claim("k2", "b", 60) == "won"
    store.close()


def test_processes_that_start_together_share_the_work(path: Path) -> None:
    """Four processes open a new file at once; each key is won by exactly one."""
    script = (
        "import sys; from pathlib import Path;"
        "from pytest_llm_diagnosis.store import AnswerStore;"
        "store = AnswerStore(Path(sys.argv[1]));"
        "won = [n for n in range(50) if store.claim(f'k{n}', sys.argv[2], 9) == 'won'];"
        "print(*won); store.close()"
    )
    workers = [
        subprocess.Popen(  # noqa: S603 - this test's own code
            [sys.executable, "-c", script, str(path), f"worker{number}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    outputs = [worker.communicate(timeout=60)[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4
    won = [int(number) for output in outputs for number in output.split()]
    assert sorted(won) == list(range(50))


def test_threads_share_a_store(path: Path, opened: Callable[..., AnswerStore]) -> None:
    """The engine's thread writes while pytest's reads."""
    store = opened(path)

    def write(part: int) -> None:
        for number in range(25):
            store.put(request(f"{part}-{number}"), FULL)
            assert store.get(f"{part}-{number}") is not None

    threads = [threading.Thread(target=write, args=[part]) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [f"{part}-{number}" for part in range(4) for number in range(25)]
    assert store.known(keys) == set(keys)


def test_fresh_answers_are_asked_once_more(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """With `fresh`, what was answered before is absent, what comes now is not."""
    clock = Clock()
    opened(path, clock=clock).put(request(), Answer(text="old"))
    clock.now += 10
    fresh = opened(path, clock=clock, run_started=clock.now, fresh=True)
    assert fresh.get("k1") is None
    assert fresh.known(["k1"]) == frozenset()
    assert fresh.claim("k1", "a", 60) == "won"
    fresh.put(request(), Answer(text="new"))
    assert fresh.claim("k1", "b", 60) == "answered"
    found = opened(path).get("k1")
    assert found is not None
    assert found.text == "new"


def test_a_damaged_file_is_explained(path: Path) -> None:
    """Garbage where the store should be."""
    path.parent.mkdir()
    path.write_bytes(b"not a database, but long enough to look at" * 100)
    with pytest.raises(StoreError, match=r"(?s)answers\.sqlite: .*delete the file"):
        AnswerStore(path)


def test_a_damaged_answer_is_explained(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """A row that is no answer names the file and what to do."""
    store = opened(path)
    store.put(request(), FULL)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE answers SET answer = '{'")
    connection.close()
    with pytest.raises(StoreError, match=r"(?s)answers\.sqlite: .*delete the file"):
        store.get("k1")


def test_a_locked_file_is_explained(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """Another process that never lets go is named as the reason."""
    store = opened(path, busy_seconds=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match=r"(?s)locked.*another process"):
        store.put(request(), FULL)
    with pytest.raises(StoreError, match=r"(?s)locked.*another process"):
        opened(path.with_name("answers.sqlite"), busy_seconds=0.05).claim("k", "a", 1)
    other.execute("ROLLBACK")
    other.close()
    assert store.put(request(), FULL)


def test_a_full_disk_is_explained_and_loses_nothing(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """The answers before stay readable."""
    store = opened(path)
    store.put(request("k1"), FULL)
    store._connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreError, match=r"(?s)full.*free some disk space"):
        store.put(request("k2"), Answer(text="x" * 100_000))
    assert store.get("k1") is not None


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    """A file where the folder should be, as in a read-only checkout."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(StoreError, match="make the folder writable"):
        AnswerStore(tmp_path / "cache" / "answers.sqlite")


def test_a_read_only_file_is_explained(
    path: Path, opened: Callable[..., AnswerStore]
) -> None:
    """Writing is refused with advice, reading goes on."""
    store = opened(path)
    store.put(request("k1"), FULL)
    store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match=r"(?s)readonly.*make the folder writable"):
        store.put(request("k2"), FULL)
    assert store.get("k1") is not None


def test_a_newer_file_is_left_alone(path: Path) -> None:
    """A format of the future is not guessed at."""
    AnswerStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreError, match=r"newer version .*format 99"):
        AnswerStore(path)


def test_a_file_opens_again(path: Path) -> None:
    """Closing twice is harmless and answers are there the next time."""
    first = AnswerStore(path)
    first.put(request(), FULL)
    first.close()
    first.close()
    second = AnswerStore(path)
    assert second.get("k1") is not None
    second.close()


@given(text=st.text(st.characters(exclude_categories=())), case=st.text())
def test_any_text_is_kept(text: str, case: str) -> None:
    """Whatever a model says and a case is called."""
    store = AnswerStore(Path(":memory:"))
    store.put(request(case=case), Answer(text=text))
    found = store.get("k1")
    assert found is not None
    assert found.text == text
    store.close()


@pytest.mark.parametrize("make", [AnswerStore, lambda _: MemoryStore()])
def test_calls_of_a_run_are_counted_to_a_limit(
    path: Path, make: Callable[[Path], Store]
) -> None:
    """Every process of the run takes from the same number."""
    store = make(path)
    assert [store.take(5.0, 3) for _ in range(5)] == [True, True, True, False, False]
    store.close()


def test_two_runs_count_apart(path: Path) -> None:
    """A limit is one run's; another that began at another time has its own."""
    store, other = AnswerStore(path), AnswerStore(path)
    assert [store.take(5.0, 2), other.take(5.0, 2), store.take(5.0, 2)] == [
        True,
        True,
        False,
    ]
    assert other.take(6.0, 2)
    store.close()
    other.close()
