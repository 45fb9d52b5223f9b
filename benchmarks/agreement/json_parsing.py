"""JSON parsing: what a parser must accept (`y_`), reject (`n_`), or may do.

Every text is the answer to a case with the check `json`, and with `parses_as:
json`.  Bytes that are no UTF-8 arrive as a provider's client would decode them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_llm_diagnosis.records import Answer

from .suites import form_suite

NAME = "json_parsing"
_EXPECTED = {"y": True, "n": False}


def run(data: Path) -> Iterator[str]:
    """Yield the agreement of each check, then every disagreement."""
    suite = form_suite({"json": ["json"], "parses_as": [{"parses_as": "json"}]})
    disagreements: list[str] = []
    for name in ("json", "parses_as"):
        tally: Counter[tuple[str, bool | None]] = Counter()
        for path in sorted((data / "json_parsing").glob("*.json")):
            kind = path.name[0]
            text = path.read_bytes().decode("utf-8", "replace")
            # A check that raised would be ungraded: None.
            passed = suite.grade(name, Answer(text=text)).all_passed
            tally[kind, passed] += 1
            if passed is None or _EXPECTED.get(kind, passed) is not passed:
                disagreements.append(f"{name}: {path.name} got {passed}")
        for kind, told in (("y", "accepted"), ("n", "rejected"), ("i", "accepted")):
            wanted = kind != "n"
            total = sum(count for (each, _), count in tally.items() if each == kind)
            yield f"{name:<12} {kind}_ {told} {tally[kind, wanted]}/{total}"
    yield from disagreements
