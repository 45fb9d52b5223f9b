"""Hooks for a suite's `conftest.py` and for other plugins.

Implement one by a function of the same name; arguments you do not need may be
left out, as with every pytest hook.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from .checks import Registry
    from .records import CaseResult, Variant
    from .retrieving import OpenRetriever

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_llm_register_checks(registry: Registry) -> None:
    """Add checks of your own: `registry.register(CheckType(...))`.

    Called once, before the first eval file is read.
    """


@hookspec
def pytest_llm_register_retrievers(retrievers: dict[str, OpenRetriever]) -> None:
    """Add retrievers of your own: `retrievers["house"] = open_house`.

    A variant with `retrieve: {retriever: house, documents: ..., settings: {...}}`
    searches what `open_house(passages, settings)` returns: an object whose
    `search(query, top_k)` gives `Context`s, the best first.  Called once, before the
    first such variant searches, and not in a replay.
    """


@hookspec
def pytest_llm_live_call(config: object, variant: Variant) -> None:
    """Prepare for the first live call of a variant in this process.

    Start a local server here, or fetch a short-lived token.  Called in a
    background thread, once per variant and process, and never when every answer
    is stored or replayed.  Variants that ask the same of the same model share
    their answers, so only one of them may ever make a call.  An exception fails
    the variant's calls with its text.
    """


@hookspec
def pytest_llm_case_result(config: object, result: CaseResult) -> None:
    """See the result of a case under a variant as soon as it is reported.

    Called where the report is made: on the controller under xdist.
    """
