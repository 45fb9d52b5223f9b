"""GitHub annotations: workflow commands that mark failing cases in their files.

The escapes are those of GitHub's own toolkit (actions/toolkit, `core/command`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice

from pytest_llm_diagnosis.records import CaseResult

from .failure import first_line
from .lines import one_line
from .verdicts import cases
from .view import View

MOST = 10
"""GitHub shows no more errors of one step."""

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = {**_DATA, ord(":"): "%3A", ord(","): "%2C"}


def annotation_lines(
    view: View, *, folder: str = "", expected: Collection[str] = ()
) -> Iterator[str]:
    """Yield a command for each failing case and error, then how many are left.

    `folder` is that of the suite in the repository, ending in a slash;
    `expected` are the node ids of failures that count as none.
    """
    told = [
        one
        for outcome in ("failed", "error")
        for one in view.results
        if one.outcome == outcome and one.nodeid not in expected
    ]
    yield from (_error(one, folder) for one in islice(told, MOST))
    if told[MOST:]:
        left = len(told) - MOST
        text = f"{cases(left)} more failed or got no answer: see the summary"
        yield f"::notice::{text.translate(_DATA)}"


def _error(result: CaseResult, folder: str) -> str:
    properties = {
        "file": f"{folder}{result.file}",
        "line": str(result.line),
        "title": one_line(f"{result.id} ({result.mark}) of {result.variant}"),
    }
    listed = ",".join(
        f"{name}={value.translate(_PROPERTY)}" for name, value in properties.items()
    )
    return f"::error {listed}::{_message(result).translate(_DATA)}"


def _message(result: CaseResult) -> str:
    if result.outcome == "error":
        return f"no answer: {one_line(result.message or 'the call failed', 300)}"
    finding = result.finding
    cause = f" (cause: {finding.cause})" if finding else ""
    return f"{first_line(result)}{cause}"
