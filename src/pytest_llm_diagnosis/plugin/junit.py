"""What is known of a case, as properties of its testcase in JUnit XML.

pytest's junitxml takes properties from a testcase's last report, that of its
teardown, while a cause is known only at the end of the run.  The file is written
later still, so the element can be completed until then.  Neither `xml_key` nor
the reporter has a public name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from _pytest.junitxml import bin_xml_escape, xml_key

from pytest_llm_diagnosis.records import CaseResult

if TYPE_CHECKING:
    from _pytest.junitxml import _NodeReporter


def properties(result: CaseResult) -> Iterator[tuple[str, str]]:
    """Yield what a report can say at once: mark, variant, cluster and cost.

    The cost is what this run paid for the case's own answers, in USD: nothing for
    stored ones, left out where a price is unknown.
    """
    yield "llm_mark", result.mark
    yield "llm_variant", result.variant
    if result.cluster:
        yield "llm_cluster", result.cluster
    answers = [trial.answer for trial in result.trials if trial.answer]
    prices = [0.0 if answer.stored else answer.usd for answer in answers]
    known = [price for price in prices if price is not None]
    if answers and len(known) == len(prices):
        yield "llm_usd", f"{sum(known):.6f}"


class Testcases:
    """The testcases of a run by node id, to be completed with their causes."""

    def __init__(self, config: pytest.Config) -> None:
        self._log = config.stash.get(xml_key, None)
        self._reporters: dict[str, _NodeReporter] = {}

    def keep(self, report: pytest.TestReport) -> None:
        """Remember the testcase that this report goes into."""
        if self._log is not None:
            self._reporters[report.nodeid] = self._log.node_reporter(report)

    def complete(self, results: Iterable[CaseResult]) -> None:
        """Add what is known by now, before the file is written."""
        for result in results:
            if result.nodeid in self._reporters:
                _add(self._reporters[result.nodeid], dict(_known(result)))


def _known(result: CaseResult) -> Iterator[tuple[str, str]]:
    yield from properties(result)
    if result.finding is not None:
        yield "llm_cause", result.finding.cause


def mend_names(config: pytest.Config) -> None:
    """Escape what XML has no place for in the names of folders and files.

    pytest does so for the name of a testcase, not for its class and its file.
    """
    log = config.stash.get(xml_key, None)
    for reporter in log.node_reporters_ordered if log else ():
        testcase = reporter.to_xml()
        escaped = {name: bin_xml_escape(value) for name, value in testcase.items()}
        if escaped != testcase.attrib:
            testcase.attrib.update(escaped)
            _pin(reporter, testcase)


def _add(reporter: _NodeReporter, known: dict[str, str]) -> None:
    testcase = reporter.to_xml()
    listed = testcase.find("properties")
    if listed is None:
        listed = ET.Element("properties")
        testcase.insert(0, listed)
    there = {one.get("name") for one in listed}
    for name, value in known.items():
        if name not in there:
            ET.SubElement(listed, "property", name=name, value=bin_xml_escape(value))
    _pin(reporter, testcase)


def _pin(reporter: _NodeReporter, testcase: ET.Element) -> None:
    # A testcase that was never finished is made anew at each question.
    reporter.to_xml = lambda: testcase  # type: ignore[method-assign]  # as its finalize does
