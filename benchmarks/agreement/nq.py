"""NQ: checks on short answers, against human verdicts on five systems (EVOUNA).

`check_suspect` looks at what a check rejects: how many of the right answers
among them it finds, and how many of the wrong ones it takes for right.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_llm_diagnosis.probing.agreement import agrees
from pytest_llm_diagnosis.probing.situation import Reply
from pytest_llm_diagnosis.records import Ask, Json, message_text

from .halves import HALVES, Tally, half
from .suites import Suite, case

NAME = "nq"
SYSTEMS = ("fid", "gpt35", "chatgpt", "gpt4", "newbing")
CHECKS = ("equals", "contains_any", "name")
SUSPECTED = ("contains_any", "name")


class _Row(NamedTuple):
    number: int
    question: str
    aliases: Sequence[str]
    told: Mapping[str, Json]

    def case_id(self, alias: int = 0) -> str:
        return f"row-{self.number}-{alias}"

    def judged(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each system's answer with the human verdict, where there is one."""
        for system in SYSTEMS:
            verdict = self.told[f"judge_{system}"]
            if isinstance(verdict, bool):
                yield system, str(self.told[f"answer_{system}"]), verdict


def run(data: Path) -> Iterator[str]:
    """Yield how often checks agree with people, alone and with `check_suspect`."""
    rows = list(_rows(data / "nq" / "evouna_nq_1000.json"))
    suite = _suite(rows)
    alone: dict[tuple[str, str], Tally] = defaultdict(Tally)
    suspect: dict[tuple[str, str], Tally] = defaultdict(Tally)
    for row in rows:
        for system, answer, judged in row.judged():
            shown = f"row {row.number} {system}: {list(row.aliases)}: {answer!r:.200}"
            for verdict in suite.grade(row.case_id(), answer).facts:
                key = verdict.check, half(row.number)
                passed = verdict.passed is True
                alone[key].add(passed=passed, expected=judged, shown=shown)
                if not passed and verdict.check in SUSPECTED:
                    found = _is_suspect(suite, row, answer)
                    suspect[key].add(passed=found, expected=judged, shown=shown)
    yield from _summary(alone, suspect)
    for name in HALVES:
        yield f"nq, contains_any, {name} rows, disagreements:"
        yield from alone["contains_any", name].disagreements()


def _suite(rows: Sequence[_Row]) -> Suite:
    """Return one case for each alias, which is its ideal; all share the checks."""
    return Suite(
        [
            case(
                row.case_id(number),
                row.question,
                facts=[{check: list(row.aliases)} for check in CHECKS],
                ideal=alias,
            )
            for row in rows
            for number, alias in enumerate(row.aliases)
        ]
    )


def _is_suspect(suite: Suite, row: _Row, answer: str) -> bool:
    """Return whether an answer that failed agrees with an alias as its ideal."""
    cases = [suite.cases[row.case_id(number)] for number in range(len(row.aliases))]
    reply = Reply(ask=Ask(facts=False), text=answer)
    return any(
        agrees([reply], each.ideal.text, message_text(each.messages[-1]))
        for each in cases
        if each.ideal is not None
    )


def _summary(
    alone: Mapping[tuple[str, str], Tally], suspect: Mapping[tuple[str, str], Tally]
) -> Iterator[str]:
    for (check, name), tally in sorted(alone.items()):
        yield f"nq, {check}, {name} rows: {tally}"
    for (check, name), tally in sorted(suspect.items()):
        right = len(alone[check, name].false_failures)
        wrong = tally.total - right
        found = right - len(tally.false_failures)
        mistaken = len(tally.false_passes)
        both = alone[check, name].agreed + found - mistaken
        yield (
            f"nq, check_suspect after {check}, {name} rows: finds {found}/{right} of "
            f"the right answers, {mistaken}/{wrong} of the wrong ones; "
            f"agreement {both}/{alone[check, name].total}"
        )


def _rows(path: Path) -> Iterator[_Row]:
    for number, told in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        if told["improper"]:
            continue
        aliases = [part.strip() for part in told["golden_answer"].split("/")]
        yield _Row(number, told["question"], [part for part in aliases if part], told)
