"""Finding the passages that answer a question.

A `Retriever` is what a variant with `retrieve:` searches.  `FullTextRetriever`
is the embedded default and needs nothing but SQLite; a `VectorStore` keeps the
vectors of those that search by meaning, in memory where no other is named;
`fused` joins both.  `open_corpus` gives the passages of documents, `retrieved`
says whether the gold one was among those shown.
"""

from __future__ import annotations

from .chunking import chunked
from .corpus import Corpus, corpus_digest, open_corpus
from .fulltext import FullTextRetriever
from .fusion import depth, fused
from .gold import retrieved
from .nearest import MemoryVectors
from .protocol import Embedded, Retriever, VectorStore

__all__ = [
    "Corpus",
    "Embedded",
    "FullTextRetriever",
    "MemoryVectors",
    "Retriever",
    "VectorStore",
    "chunked",
    "corpus_digest",
    "depth",
    "fused",
    "open_corpus",
    "retrieved",
]
