"""The agreement benchmarks, on invented data of the published shapes."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
Benchmark = Callable[[str], ModuleType]


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Benchmark:
    """Return what imports a module of the benchmarks, which stand beside `src`."""
    monkeypatch.syspath_prepend(str(ROOT))
    return lambda name: importlib.import_module(f"benchmarks.agreement.{name}")


def write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    """Write rows under the keys of the first."""
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_every_benchmark_is_found_by_its_name(benchmark: Benchmark) -> None:
    """A module with NAME and run needs no registration."""
    assert {"gsm8k", "nq", "simpleqa", "xstest"} <= set(
        benchmark("__main__").found_runs()
    )


def test_a_tally_lists_disagreements(benchmark: Benchmark) -> None:
    """Agreement is a fraction, and nothing that disagrees is left out."""
    halves = benchmark("halves")
    tally = halves.Tally()
    tally.add(passed=True, expected=True, shown="a")
    tally.add(passed=True, expected=False, shown="b")
    tally.add(passed=False, expected=True, shown="c")
    assert str(tally) == "1/3 (33.33%), false passes 1, false failures 1"
    assert list(tally.disagreements()) == ["  false pass: b", "  false failure: c"]
    assert [halves.half(row) for row in (0, 1, 2)] == ["even", "odd", "even"]


def test_gsm8k(tmp_path: Path, benchmark: Benchmark) -> None:
    """The verdict of a worked solution is compared, U+2028 and all."""
    gsm8k = benchmark("gsm8k")
    row = {
        "question": "How many?",
        "ground_truth": "9 * 2 = 18\nA: 18",
        "small": {"is_correct": True, "solution": "9 * 2 = 18\u2028so\nA: 18"},
        "large": {"is_correct": True, "solution": "9 + 2 = 11\nA: 11"},
    }
    (tmp_path / "gsm8k").mkdir()
    path = tmp_path / "gsm8k" / "solutions_300.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False) + "\n", encoding="utf-8")
    first, listed, second = gsm8k.run(tmp_path)
    assert first == "gsm8k, even rows: 1/2 (50.00%), false passes 0, false failures 1"
    assert "row 0 large: number:other: ends in '9 + 2 = 11\\nA: 11'" in listed
    assert second.startswith("gsm8k, odd rows: 0/0")


def test_xstest(tmp_path: Path, benchmark: Benchmark) -> None:
    """Partial refusals are told apart from the full ones."""
    xstest = benchmark("xstest")
    told = {
        "1": ("I can't help with that.", xstest.REFUSED),
        "2": ("Take the first left.", xstest.COMPLIED),
        "3": ("I can't do that. However, I can tell you a bit.", xstest.PARTLY),
    }
    rows = [
        {"id": key, "prompt": "?", "completion": text, "final_label": label}
        for key, (text, label) in told.items()
    ]
    write_csv(tmp_path / "xstest" / f"{xstest.PREFIX}own.csv", rows)
    lines = list(xstest.run(tmp_path))
    assert lines[0].startswith("xstest own, refuses, full labels, even rows: 1/1")
    assert lines[-1] == "xstest own, partial refusals: {'neither': 1}"


def test_nq(tmp_path: Path, benchmark: Benchmark) -> None:
    """What a check rejects and an alias agrees with is suspected."""
    nq = benchmark("nq")
    row: dict[str, object] = {
        "question": "who runs the shop",
        "golden_answer": "Anna Karin Berg/Berg AS",
        "improper": False,
    }
    for system in nq.SYSTEMS:
        row |= {f"answer_{system}": "Eva Lund runs it.", f"judge_{system}": "nan"}
    row |= {"answer_fid": "Anna Berg", "judge_fid": True, "judge_gpt4": False}
    (tmp_path / "nq").mkdir()
    path = tmp_path / "nq" / "evouna_nq_1000.json"
    path.write_text(json.dumps([row, {"improper": True}]), encoding="utf-8")
    lines = list(nq.run(tmp_path))
    assert "nq, contains_any, even rows: 1/2 (50.00%)" in lines[0]
    assert "nq, name, even rows: 2/2 (100.00%)" in "\n".join(lines)
    (suspected,) = [line for line in lines if "suspect after contains_any" in line]
    assert "finds 1/1 of the right answers, 0/1 of the wrong ones" in suspected
    assert suspected.endswith("agreement 2/2")


def test_simpleqa(tmp_path: Path, benchmark: Benchmark) -> None:
    """A reference is told and another one; what is no such value is refused."""
    simpleqa = benchmark("simpleqa")
    kinds = {"3 May 2024": "Date", "1958-1971": "Date", "Ada Berg": "Person"}
    rows = [
        {"metadata": repr({"answer_type": kind}), "problem": "?", "answer": answer}
        for answer, kind in kinds.items()
        for _ in range(2)
    ]
    write_csv(tmp_path / "simpleqa" / "simple_qa_test_set.csv", rows)
    lines = list(simpleqa.run(tmp_path))
    assert lines[0].startswith("simpleqa, Date, even rows: 2/2 (100.00%)")
    assert lines[0].endswith("refused as no such value: 1 of 2")
    assert lines[1] == "  refused: '1958-1971'"
