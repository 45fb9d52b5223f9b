"""The store off the event loop: grouping, errors, ends."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.records import Answer, Request
from pytest_llm_diagnosis.store import AnswerStore, GroupedStore


def request(number: int) -> Request:
    """Return a request with a key of its own."""
    return Request(key=f"k{number}", case="a::b", variant="base", messages=())


class Watched(AnswerStore):
    """A store that counts its transactions."""

    commits = 0

    @contextmanager
    def together(self) -> Iterator[None]:
        """Count what is committed as one."""
        with super().together():
            yield
        self.commits += 1


def test_what_is_wanted_at_once_is_committed_at_once(tmp_path: Path) -> None:
    """A hundred claims and answers take a few transactions, and all are kept."""
    store = Watched(tmp_path / "answers.sqlite")

    async def use(grouped: GroupedStore, number: int) -> None:
        assert await grouped.claim(f"k{number}", "me", 30) == "won"
        assert await grouped.claim(f"k{number}", "another", 30) == "held"
        assert await grouped.put(request(number), Answer(text=str(number)))
        found = await grouped.get(f"k{number}")
        assert found is not None
        assert found.text == str(number)

    async def use_all() -> None:
        grouped = GroupedStore(store)
        await asyncio.gather(*(use(grouped, number) for number in range(100)))
        await grouped.close()

    asyncio.run(use_all())
    assert 0 < store.commits <= 10
    again = AnswerStore(tmp_path / "answers.sqlite")
    assert len(again.known([f"k{number}" for number in range(100)])) == 100
    again.close()


def test_a_file_that_refuses_says_so_to_everyone(tmp_path: Path) -> None:
    """The error of a common transaction is that of each operation in it."""
    path = tmp_path / "answers.sqlite"
    store = AnswerStore(path, busy_seconds=0.01)

    async def use_all() -> list[bool | BaseException]:
        grouped = GroupedStore(store)
        wanted = [grouped.put(request(n), Answer(text="x")) for n in range(5)]
        came = await asyncio.gather(*wanted, return_exceptions=True)
        await grouped.close()
        return came

    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    came = asyncio.run(use_all())
    holder.close()
    assert all(isinstance(error, StoreError) for error in came)
    again = AnswerStore(path)
    assert again.known(f"k{n}" for n in range(5)) == frozenset()
    again.close()


def test_what_nobody_awaits_any_more_is_told(tmp_path: Path) -> None:
    """An answer whose writing was given up, and that then fails, is not silent."""
    path = tmp_path / "answers.sqlite"
    store = AnswerStore(path, busy_seconds=0.2)
    lost: list[StoreError] = []

    async def use_all() -> None:
        grouped = GroupedStore(store, lost.append)
        wanted = asyncio.ensure_future(grouped.put(request(1), Answer(text="x")))
        await asyncio.sleep(0.05)
        wanted.cancel()
        await grouped.close()

    holder = sqlite3.connect(path)
    holder.execute("BEGIN IMMEDIATE")
    asyncio.run(use_all())
    holder.close()
    assert "locked" in str(lost[0])


def test_what_is_wanted_at_the_end_is_still_done(tmp_path: Path) -> None:
    """Closing waits for its turn behind what was wanted before."""
    path = tmp_path / "answers.sqlite"

    async def use_all() -> None:
        grouped = GroupedStore(AnswerStore(path))
        wanted = [
            asyncio.ensure_future(grouped.put(request(n), Answer(text="x")))
            for n in range(20)
        ]
        await asyncio.sleep(0)
        await grouped.close()
        assert all(await asyncio.gather(*wanted))

    asyncio.run(use_all())
    again = AnswerStore(path)
    assert len(again.known(f"k{n}" for n in range(20))) == 20
    again.close()


def test_nothing_is_written_when_one_of_them_is_undone(tmp_path: Path) -> None:
    """A transaction is whole or not at all."""
    store = AnswerStore(tmp_path / "answers.sqlite")

    def write_and_break() -> None:
        with store.together():
            store.put(request(1), Answer(text="x"))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        write_and_break()
    assert store.known(["k1"]) == frozenset()
    assert store.put(request(1), Answer(text="x"))
    store.close()
