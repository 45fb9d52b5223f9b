"""Finding the passages that answer a question.

A `Retriever` is what a variant with `retrieve:` searches.  `FullTextRetriever`
is the embedded default and needs nothing but SQLite; a `VectorStore` keeps the
vectors of those that search by meaning.
"""

from __future__ import annotations

from .fulltext import FullTextRetriever
from .protocol import Embedded, Retriever, VectorStore

__all__ = ["Embedded", "FullTextRetriever", "Retriever", "VectorStore"]
