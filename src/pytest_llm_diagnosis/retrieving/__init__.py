"""Questions to passages ahead of the run: embedded in batches, kept, recorded.

`Retrieval` is asked once for all questions of a run.  What words alone find is
searched as it is needed; everything else is prepared, and remembered for the
requests that are planned from it.
"""

from __future__ import annotations

from .asking import Asking, recorded_as
from .embedding import EmbeddingPlan
from .retrieval import OpenRetriever, Retrieval, Surroundings

__all__ = [
    "Asking",
    "EmbeddingPlan",
    "OpenRetriever",
    "Retrieval",
    "Surroundings",
    "recorded_as",
]
