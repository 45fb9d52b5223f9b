"""What an item's report carries: its result, and text that is mere text."""

from __future__ import annotations

import json

import pytest

from pytest_llm_diagnosis.errors import Location
from pytest_llm_diagnosis.records import CaseResult
from pytest_llm_diagnosis.redaction import Redactor

from . import RESULT
from .text import plain_repr, without_steering


def pack(report: pytest.TestReport, result: CaseResult, *, as_text: bool) -> None:
    """Let a result travel with its report.

    Within one process the record itself travels; what xdist carries is text.
    """
    told = json.dumps(result.to_dict()) if as_text else result
    report.user_properties.append((RESULT, told))


def unpack(report: pytest.TestReport) -> CaseResult | None:
    """Take the result out of its report, and leave what others put there."""
    told = next((v for name, v in report.user_properties if name == RESULT), None)
    if told is None:
        return None
    report.user_properties = [
        (name, value) for name, value in report.user_properties if name != RESULT
    ]
    if isinstance(told, CaseResult):
        return told
    return CaseResult.from_dict(json.loads(str(told)))


def skip_at(report: pytest.TestReport, place: Location) -> None:
    """Let a skip that we raise belong to its case, not to our own line."""
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = (str(place.path), place.line, report.longrepr[2])


def make_plain(report: pytest.TestReport, *, coloured: bool) -> None:
    """Let a report hold a model's text as mere text: in tracebacks, in prints."""
    shown = plain_repr(report.longrepr, coloured=coloured)
    report.longrepr = shown  # type: ignore[assignment]  # of the kind it was
    report.sections = [(name, without_steering(text)) for name, text in report.sections]


def hide_secrets(report: pytest.TestReport, redactor: Redactor) -> None:
    """Remove keys that an application, a client or its debug log printed."""
    report.sections = [(name, redactor.text(text)) for name, text in report.sections]
