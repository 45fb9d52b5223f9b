"""Finding the passages that answer a question.

A `Retriever` is what a variant with `retrieve:` searches.  `FullTextRetriever`
is the embedded default and needs nothing but SQLite; adapters to vector stores
satisfy the same protocol.
"""

from __future__ import annotations

from .fulltext import FullTextRetriever
from .protocol import Retriever

__all__ = ["FullTextRetriever", "Retriever"]
