"""What a store of vectors costs: import, 10,000 passages in, 100 searches.

    python benchmarks/stores.py [--passages 10000] [--searches 100] [--only NAME,NAME]

Vectors have 384 dimensions.  The floor is numpy in this process: putting the
vectors into one array, and a search of all of it.  Pure Python is timed as well,
on few searches.  PostgreSQL is started from the group `stores`; Pinecone is a
service, so that only its import is timed.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import mul
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from postgres_server import postgres_server
from pytest_llm_diagnosis.records import JsonObject, Passage
from pytest_llm_diagnosis.retrieval import Embedded
from pytest_llm_diagnosis.retrieval.stores import open_store

DIMENSIONS = 384
TOP_K = 5
# Pinecone's package imports its client when it is first named.
LIBRARIES = ("psycopg", "qdrant_client", "lancedb", "pinecone.Pinecone", "numpy")
SLOW_SEARCHES = 3


def main() -> None:
    """Time everything and print one table, in ratios to the floor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--searches", type=int, default=100)
    parser.add_argument("--only", default="pgvector,qdrant,lancedb")
    options = parser.parse_args()
    for library in LIBRARIES:
        print(f"import {library:18}{importing(library):6.2f} s of CPU")
    passages, questions = made(options.passages, options.searches)
    add_floor, search_floor, expected = by_numpy(passages, questions)
    print(f"\n{options.passages} passages in, then {options.searches} searches")
    tell("numpy", add_floor, search_floor, add_floor, search_floor)
    slow = by_python(passages, questions[:SLOW_SEARCHES])
    print(f"{'pure Python':12}{'':24}{slow * 1e3:10.2f} ms{slow / search_floor:9.1f} x")
    for name in options.only.split(","):
        with settings(name) as (written, folder):
            add, search, found = by_store(written, folder, passages, questions)
        if found != expected:
            raise AssertionError(f"{name} found something else than numpy")
        tell(name, add, search, add_floor, search_floor)


def importing(library: str) -> float:
    """Return the CPU seconds to import a library, above those to start Python."""
    package = library.partition(".")[0]
    bare, full = (spent(code) for code in ("pass", f"import {package}; {library}"))
    return full - bare


def spent(code: str) -> float:
    """Return the least CPU seconds of three runs of code in a Python of its own."""
    runs = []
    for _ in range(3):
        before = os.times()
        subprocess.run([sys.executable, "-c", code], check=True)
        after = os.times()
        runs.append(
            after.children_user
            + after.children_system
            - before.children_user
            - before.children_system
        )
    return min(runs)


def timed(work: Callable[[], object]) -> float:
    """Return how many seconds some work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def made(count: int, searches: int) -> tuple[list[Embedded], list[list[float]]]:
    """Return passages of about 500 characters and questions, by a fixed seed."""
    draw = random.Random(7)  # noqa: S311 - a benchmark's seed

    def vector() -> list[float]:
        return [draw.gauss(0, 1) for _ in range(DIMENSIONS)]

    passages = [
        Embedded(Passage(id=f"{n:06}", text=f"passage {n} " * 40), tuple(vector()))
        for n in range(count)
    ]
    return passages, [vector() for _ in range(searches)]


def by_numpy(
    passages: Sequence[Embedded], questions: Sequence[Sequence[float]]
) -> tuple[float, float, list[list[str]]]:
    """Return the floors of adding and of one search, and what is found."""
    start = time.perf_counter()
    matrix = np.array([one.vector for one in passages], dtype=np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    add = time.perf_counter() - start
    times, found = [], []
    for question in questions:
        start = time.perf_counter()
        asked = np.array(question, dtype=np.float32)
        best = np.argsort(-(matrix @ asked))[:TOP_K]
        times.append(time.perf_counter() - start)
        found.append([passages[place].passage.id for place in best])
    return add, statistics.median(times), found


def by_python(
    passages: Sequence[Embedded], questions: Sequence[Sequence[float]]
) -> float:
    """Return the seconds of one search without any library."""
    times = []
    for question in questions:
        start = time.perf_counter()
        sorted((sum(map(mul, question, one.vector)), one[0].id) for one in passages)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


@contextmanager
def settings(name: str) -> Iterator[tuple[JsonObject, Path]]:
    """Provide a store: its settings and an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        if name != "pgvector":
            yield {name: {"path": "vectors"}}, Path(folder)
            return
        import psycopg

        with postgres_server() as url:
            with psycopg.connect(url) as connection:
                connection.execute("CREATE EXTENSION vector")
            yield {"pgvector": {"url": url}}, Path(folder)


def by_store(
    written: Mapping[str, object],
    folder: Path,
    passages: Sequence[Embedded],
    questions: Sequence[Sequence[float]],
) -> tuple[float, float, list[list[str]]]:
    """Return the seconds to add all and of one search, and what is found."""
    store = open_store(written, folder)  # type: ignore[arg-type]
    add = timed(lambda: store.replace("benchmark", passages))
    store.nearest(questions[0], TOP_K)
    times, found = [], []
    for question in questions:
        start = time.perf_counter()
        contexts = store.nearest(question, TOP_K)
        times.append(time.perf_counter() - start)
        found.append([context.source for context in contexts])
    store.close()
    return add, statistics.median(times), found


def tell(
    name: str, add: float, search: float, add_floor: float, search_floor: float
) -> None:
    """Print one line."""
    print(
        f"{name:12}{add:10.2f} s{add / add_floor:10.1f} x"
        f"{search * 1e3:10.2f} ms{search / search_floor:9.1f} x",
        flush=True,
    )


if __name__ == "__main__":
    main()
