"""The benchmark against peers: what it counts, measures and prints."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as _patch:
    _patch.syspath_prepend(str(Path(__file__).parents[1]))
    from benchmarks.peers.adapters.floors import count_printed
    from benchmarks.peers.adapters.inspect_ai import count_summaries
    from benchmarks.peers.adapters.lm_eval import count_lm_eval
    from benchmarks.peers.adapters.ours import count_report
    from benchmarks.peers.adapters.promptfoo import count_promptfoo
    from benchmarks.peers.adapters.pytest_clients import count_junit
    from benchmarks.peers.adapters.scripts import count_results
    from benchmarks.peers.environments import (
        environment,
        node_package,
        python_with,
        run_quietly,
    )
    from benchmarks.peers.measuring import Cost, measure, processes
    from benchmarks.peers.running import Ran, Size
    from benchmarks.peers.scenarios import SCENARIOS
    from benchmarks.peers.server import Tally
    from benchmarks.peers.table import Outcome, table
    from benchmarks.peers.work import Counted, UnavailableError

RESULTS = [
    {"answered": True, "passed": True},
    {"answered": True, "passed": False},
    {"answered": False, "passed": False},
]
PROMPTFOO = {
    "results": {
        "results": [
            {"success": True, "failureReason": 0},
            {"success": False, "failureReason": 1},
            {"success": False, "failureReason": 2, "error": "500"},
        ]
    }
}
SAMPLES = (
    '{"filtered_resps": ["yes K1"], "contains": 1.0}\n'
    '{"filtered_resps": ["no"], "contains": 0.0}\n'
    '{"filtered_resps": [""], "contains": 0.0}\n'
)
JUNIT = """\
<testsuites><testsuite>
  <testcase name="a"/>
  <testcase name="b"><failure message="AssertionError: assert 'K1' in 'no'"/></testcase>
  <testcase name="c"><failure message="openai.InternalServerError: 500"/></testcase>
</testsuite></testsuites>
"""
REPORT = {
    "cases": [
        {"outcome": "passed"},
        {"outcome": "failed"},
        {"outcome": "error"},
        {"outcome": "skipped"},
    ]
}


def test_results_of_each_format_are_counted(tmp_path: Path) -> None:
    """Right, wrong and not answered are told apart in each."""
    counters = {
        "results.json": (count_results, json.dumps(RESULTS)),
        "promptfoo.json": (count_promptfoo, json.dumps(PROMPTFOO)),
        "results.xml": (count_junit, JUNIT),
        "report.json": (count_report, json.dumps(REPORT)),
    }
    for name, (count, text) in counters.items():
        assert count(tmp_path / name) == (0, 0), name
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert count(tmp_path / name) == (2, 1), name


@pytest.mark.parametrize(
    ("last", "counted"),
    [
        ("1000 tests collected in 0.40s", 1000),
        ("1 test collected in 0.40s", 1),
        ("1000 passed in 0.63s", 1000),
        ("no tests ran in 0.01s", 0),
    ],
)
def test_printed_numbers_of_pytest_are_counted(
    last: str, counted: int, tmp_path: Path
) -> None:
    """The last line says how many, whatever stands before it."""
    path = tmp_path / "printed.txt"
    path.write_text(f"a.py::item-7\n\n{last}\n", encoding="utf-8")
    assert count_printed(path) == (counted, counted)


def test_lm_eval_samples_are_counted(tmp_path: Path) -> None:
    """An empty response is one that never came."""
    assert count_lm_eval(tmp_path) == (0, 0)
    path = tmp_path / "mock" / "samples_items_2030-01-01.jsonl"
    path.parent.mkdir()
    path.write_text(SAMPLES, encoding="utf-8")
    assert count_lm_eval(tmp_path) == (2, 1)


def test_inspect_summaries_are_counted() -> None:
    """A sample without a score had no answer."""
    assert count_summaries('[{"includes": "C"}, {"includes": "I"}, {}]') == (2, 1)


BUSY = """\
import subprocess, sys, time
inner = '''
import time
held = bytearray(64 * 2**20)
while time.process_time() < 0.3:
    pass
time.sleep(0.3)
'''
subprocess.run([sys.executable, "-c", inner])
raise SystemExit(3)
"""
LEAVES_A_CHILD = """\
import subprocess, sys, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)", sys.argv[1]])
time.sleep(60)
"""


def test_the_whole_tree_is_measured(tmp_path: Path) -> None:
    """A grandchild's CPU time and memory count; the status is the command's."""
    cost = measure(
        [sys.executable, "-c", BUSY],
        folder=tmp_path,
        environment=environment(tmp_path / "home", {}),
        output=tmp_path / "output.txt",
        limit=60,
    )
    assert cost.status == 3
    assert cost.wall > 0.6
    assert cost.cpu >= 0.3
    assert cost.mebibytes > 70  # two interpreters beside the 64


def test_a_late_command_is_killed_with_its_children(tmp_path: Path) -> None:
    """The status of a run that was stopped is None, and nothing of it lives on."""
    cost = measure(
        [sys.executable, "-c", LEAVES_A_CHILD, str(tmp_path)],
        folder=tmp_path,
        environment=environment(tmp_path / "home", {}),
        output=tmp_path / "output.txt",
        limit=0.5,
    )
    assert cost.status is None
    for _ in range(600):  # a killed process takes a moment to be gone
        if not _alive_with(str(tmp_path)):
            return
        time.sleep(0.05)
    pytest.fail(f"still alive: {_alive_with(str(tmp_path))}")


def _alive_with(argument: str) -> list[int]:
    """Return the processes that were started with an argument."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if argument.encode() in text.split(b"\0"):
            found.append(int(path.parent.name))
    return found


def test_own_session_is_found() -> None:
    """The process list knows at least who asks."""
    mine = [one for one in processes(os.getsid(0)) if one.pid == os.getpid()]
    assert len(mine) == 1
    assert mine[0].resident > 0


def test_home_of_a_run_is_temporary(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would slow a peer down or change its work is not passed on."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    given = environment(tmp_path / "home", {"EXTRA": "1"})
    assert given["HOME"] == str(tmp_path / "home")
    assert given["EXTRA"] == "1"
    assert "PYTHONDONTWRITEBYTECODE" not in given


def test_what_is_installed_is_not_installed_again(tmp_path: Path) -> None:
    """A finished environment with the same requirements is taken as it is."""
    (tmp_path / "installed.txt").write_text("one\ntwo", encoding="utf-8")
    kept = tmp_path / "kept.txt"
    kept.touch()
    assert python_with(tmp_path, ["one", "two"]) == tmp_path / "bin" / "python"
    assert kept.exists()


def test_missing_node_is_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer for which there is no tool is skipped, not an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="npm are not installed"):
        node_package(tmp_path / "new", "anything")


def test_a_failing_install_is_a_reason() -> None:
    """The last line that the tool printed says why."""
    script = "import sys; print('first'); sys.exit('no such package')"
    with pytest.raises(UnavailableError, match="failed: no such package"):
        run_quietly(sys.executable, "-c", script)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("plain", 3.2),
        ("errors-5", 3.4),
        ("errors-30", 4.6),
        ("limit", 20.0),
        ("limit-even", 20.0),
    ],
)
def test_floor_of_a_thousand_prompts(name: str, seconds: float) -> None:
    """Whole waves of 64 calls, or the limit's rate."""
    scenario = next(one for one in SCENARIOS if one.name == name)
    assert scenario.floor(1_000, 64) == pytest.approx(seconds)


def ran_in(wall: float, answered: int = 10) -> Ran:
    """Return a run of so many seconds on ten prompts."""
    tally = Tally(
        received=12, answered=10, abandoned=1, twice=1, failed=1, limited=0,
        refused=0, most_in_flight=5, cpu_seconds=wall / 10,
    )  # fmt: skip
    return Ran(Cost(wall, 1.5, 80.0, 0), Counted(answered, answered), tally, "")


def test_table_shows_medians_and_compares_with_who_answered_all() -> None:
    """The fastest peer that lost answers is not the one to beat."""
    outcomes = {
        "pytest-llm-diagnosis": Outcome([ran_in(3.0), ran_in(1.0), ran_in(2.0)]),
        "deepeval": Outcome([ran_in(0.5, answered=9)]),
        "promptfoo": Outcome([ran_in(4.0)]),
        "lm-eval": Outcome([], "node is not installed"),
    }
    lines = list(table(SCENARIOS[0], Size(10, 5, 60), outcomes))
    ours = lines[2].split()
    assert ours[:4] == ["pytest-llm-diagnosis", "2.00", "1.50", "80"]
    assert ours[5:12] == ["10", "10", "12", "11", "1", "5", "10%"]
    assert lines[2].endswith("1.00-3.00 s;")
    assert lines[5].split() == [
        "lm-eval",
        "skipped:",
        *["node", "is", "not", "installed"],
    ]
    assert lines[6].startswith("ours takes 0.50 of promptfoo's time")


def test_table_of_stored_answers_is_measured_against_empty_items() -> None:
    """Where no call is made, the floor is pytest with as many items."""
    scenario = next(one for one in SCENARIOS if one.name == "second")
    outcomes = {
        "empty-items": Outcome([ran_in(2.0)]),
        "pytest-llm-diagnosis": Outcome([ran_in(5.0)]),
    }
    lines = list(table(scenario, Size(10, 5, 60), outcomes))
    assert lines[0].endswith("floor of 10 empty items 2.00 s")
    assert lines[3].split()[4] == "2.50"
