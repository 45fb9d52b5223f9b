"""What retrieval costs at 10,000 passages, and what each search finds.

    python -m benchmarks.retrieval [--passages 10000] [--suite example_suite]

Times are CPU seconds of this process: machines are noisy.  The documents are
invented from a fixed seed, with words as frequent as in English (Zipf's law).  What
is found is counted over the cases of a suite that name evidence: the documents
below its folder are searched with each case's question.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from array import array
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import default_registry
from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.records import Case, Chunk, Context, Passage, message_text
from pytest_llm_diagnosis.retrieval import (
    Corpus,
    Embedded,
    MemoryVectors,
    depth,
    fused,
    nearest,
    open_corpus,
    retrieved,
)
from pytest_llm_diagnosis.retrieval.local_models import LocalModel, open_local
from pytest_llm_diagnosis.store import KeptVectors

SECTIONS = 20
WORDS = 120
DIMENSIONS = 256
QUESTIONS = 100
_T = TypeVar("_T")


def timed(work: Callable[[], _T]) -> tuple[float, _T]:
    """Return the CPU seconds that work takes, and its result."""
    began = time.process_time()
    result = work()
    return time.process_time() - began, result


def write_documents(folder: Path, passages: int) -> list[Path]:
    """Write documents with so many sections."""
    chooser = random.Random(7)  # noqa: S311 - a fixed draw, not a secret
    letters = "abcdefghiklmnoprstu"
    words = ["".join(chooser.choices(letters, k=2 + n % 7)) for n in range(20_000)]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    paths = []
    for number in range(passages // SECTIONS):
        sections = (
            f"## Part {part}\n\n{' '.join(chooser.choices(words, weights, k=WORDS))}"
            for part in range(SECTIONS)
        )
        path = folder / f"{number:05}.md"
        path.write_text(f"# Document {number}\n\n" + "\n\n".join(sections))
        paths.append(path)
    return paths


def costs(passages: int) -> None:
    """Print what an index costs, made and opened, and what vectors do."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_documents(folder, passages)
        kept = folder / "cache"

        def opened(cache: Path | None, chunk: Chunk | None = None) -> Corpus:
            return open_corpus(Documents(folder), paths, chunk, lambda: cache)

        in_memory, corpus = timed(lambda: opened(None))
        cut, pieces = timed(lambda: opened(None, Chunk(words=50, overlap=10)))
        making, _ = timed(lambda: opened(kept))
        opening, again = timed(lambda: opened(kept))
        assert again.passages == corpus.passages
        questions = [" ".join(p.text.split()[-8:]) for p in corpus.passages[:QUESTIONS]]
        searching, _ = timed(lambda: [again.text.search(q, 4) for q in questions])
        print(f"{len(corpus.passages)} passages in {len(paths)} documents")
        print(f"  read, cut and indexed in memory  {in_memory:6.2f} s")
        print(
            f"  the same in pieces of 50 words   {cut:6.2f} s ({len(pieces.passages)})"
        )
        print(f"  made and kept on disk            {making:6.2f} s")
        print(
            f"  opened again                     {opening:6.2f} s,"
            f" {opening / in_memory:.2f} of in memory"
        )
        print(f"  a question by words              {searching / QUESTIONS:6.4f} s")
        vectors(folder, corpus.passages)


def vectors(folder: Path, passages: Sequence[Passage]) -> None:
    """Print what it takes to keep, to read and to compare vectors."""
    chooser = random.Random(7)  # noqa: S311 - a fixed draw, not a secret
    made = {
        passage.id: array("f", (chooser.gauss(0, 1) for _ in range(DIMENSIONS)))
        for passage in passages
    }
    kept = KeptVectors(folder / "vectors.sqlite")
    putting, _ = timed(lambda: kept.put(made))
    reading, found = timed(lambda: kept.get_many(made))
    embedded = [Embedded(one, tuple(found[one.id])) for one in passages]
    store = MemoryVectors()
    filling, _ = timed(lambda: store.replace("r", embedded))
    queries = [embedded[number].vector for number in range(QUESTIONS)]
    comparing, _ = timed(lambda: [store.nearest(one, 4) for one in queries])
    plain = nearest.plain_best_of([one.vector for one in embedded])
    slow, _ = timed(lambda: list(plain(nearest.unit(queries[0]), 4)))
    kept.close()
    print(f"{len(made)} vectors of {DIMENSIONS}")
    print(f"  kept on disk                     {putting:6.2f} s")
    print(f"  read                             {reading:6.2f} s")
    print(f"  taken into memory                {filling:6.2f} s")
    print(f"  a question compared with all     {comparing / QUESTIONS:6.4f} s")
    print(f"  the same without numpy           {slow:6.4f} s")


def findings(suite: Path) -> None:
    """Print how often each search finds the gold passages of a suite."""
    registry = default_registry()
    cases = [
        case
        for path in sorted(suite.glob("*.eval.yaml"))
        for case in load_cases(path, suite, registry)
        if case.evidence
    ]
    documents = sorted((suite / "docs").rglob("*.md"))
    corpus = open_corpus(Documents(suite), documents, None)
    model = open_local("wordllama")
    searches = {"text": by_words(corpus), "vectors": by_meaning(corpus, model)}

    def hybrid(question: str, top_k: int) -> tuple[Context, ...]:
        deep = depth(top_k)
        return fused((search(question, deep) for search in both), top_k)

    both = tuple(searches.values())
    print(f"{len(cases)} cases with evidence, {len(corpus.passages)} passages")
    for name, search in {**searches, "hybrid": hybrid}.items():
        told = ", ".join(f"top {k}: {hits(cases, search, k)}" for k in (1, 2, 4))
        print(f"  {name:8} {told}")


Search = Callable[[str, int], tuple[Context, ...]]


def by_words(corpus: Corpus) -> Search:
    """Return the search by full text."""
    return corpus.text.search


def by_meaning(corpus: Corpus, model: LocalModel) -> Search:
    """Return the search by the vectors of a local model."""
    store = MemoryVectors()
    found = model([one.text for one in corpus.passages])
    pairs = zip(corpus.passages, found, strict=True)
    store.replace("r", [Embedded(one, tuple(vector)) for one, vector in pairs])
    return lambda question, top_k: store.nearest(model([question])[0], top_k)


def hits(cases: Iterable[Case], search: Search, top_k: int) -> int:
    """Return in how many cases a gold passage is among the best."""
    ranks = [
        retrieved(case.evidence, search(message_text(case.messages[-1]), top_k), top_k)
        for case in cases
    ]
    return sum(one is not None and one.rank is not None for one in ranks)


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--suite", type=Path, default=Path("example_suite"))
    options = parser.parse_args()
    costs(options.passages)
    findings(options.suite)


if __name__ == "__main__":
    main()
