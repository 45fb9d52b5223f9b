"""Coverage-guided fuzzing of what reads strangers' bytes, with atheris.

    python benchmarks/fuzz.py TARGET [--seconds N] [--corpus FOLDER]

Needs `pip install atheris`.  A target fails where anything but `InputError` leaves a
reader, where a check raises, or where one input takes over `SLOW` seconds.  libFuzzer
prints the input of a failure and writes it to `crash-*` in the current folder.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pytest_llm_diagnosis", "yaml"]):
    from pytest_llm_diagnosis.cases.rows import Tables
    from pytest_llm_diagnosis.checks import default_registry
    from pytest_llm_diagnosis.checks.json_text import json_values, read_json
    from pytest_llm_diagnosis.documents import headings, split
    from pytest_llm_diagnosis.errors import InputError, Location
    from pytest_llm_diagnosis.grading import RAISED, grade
    from pytest_llm_diagnosis.printing import on_one_line
    from pytest_llm_diagnosis.records import Answer, CheckSpec
    from pytest_llm_diagnosis.report.escaping import markdown_escaped
    from pytest_llm_diagnosis.report.json_report import read_json as read_report
    from pytest_llm_diagnosis.source import parse, plain
    from pytest_llm_diagnosis.store import load_recording

SLOW = 5.0
HERE = Path("fuzz.eval.yaml")
FOLDER = Path(tempfile.mkdtemp(prefix="fuzz-"))


def _text(data: bytes) -> str:
    """Return bytes as text in which lone surrogates can be."""
    return data.decode("utf-8", "surrogatepass" if data[:1] > b"\x80" else "replace")


def yaml_reader(data: bytes) -> None:
    """Read YAML to nodes, and those as plain data."""
    with contextlib.suppress(InputError):
        json.dumps(plain(parse(data.decode("utf-8", "replace"), HERE)))


def rows(data: bytes) -> None:
    """Read a table of cases, as CSV and as JSON lines."""
    for name in ("rows.csv", "rows.jsonl"):
        (FOLDER / name).write_bytes(data)
        with contextlib.suppress(InputError):
            Tables(FOLDER / HERE, FOLDER).table(name, Location(path=HERE))


def saved(data: bytes) -> None:
    """Read a recording and a report."""
    folder = FOLDER / "recordings"
    folder.mkdir(exist_ok=True)
    (folder / "base.jsonl").write_bytes(data)
    with contextlib.suppress(InputError):
        load_recording(folder / "base.jsonl")
    with contextlib.suppress(InputError):
        read_report(folder / "base.jsonl")


def json_answers(data: bytes) -> None:
    """Find the JSON in an answer."""
    text = _text(data)
    json_values(text)
    with contextlib.suppress(ValueError):
        read_json(text)


def documents(data: bytes) -> None:
    """Cut a document at its headings, and show it in a report."""
    text = _text(data)
    headings(text)
    split(text, "a.md")
    assert "\n" not in on_one_line(text)
    assert "<" not in markdown_escaped(text)


_REGISTRY = default_registry()
_CHECKS = [
    _REGISTRY.bind(
        CheckSpec(
            name=one.name,
            params=one.example.params,
            dimension=one.dimensions[0],
            location=Location(path=HERE),
            folder=FOLDER,
            root=FOLDER,
        )
    )
    for one in _REGISTRY.types()
    # Where an answer is Python or SQL, its own parser is what would be fuzzed.
    if one.name not in {"parses_as", "language"}
]


def checks(data: bytes) -> None:
    """Grade an answer by every check, as its example binds it."""
    for verdict in grade(Answer(text=_text(data)), _CHECKS).verdicts:
        assert verdict.code != RAISED, verdict


TARGETS: dict[str, Callable[[bytes], None]] = {
    one.__name__: one
    for one in (yaml_reader, rows, saved, json_answers, documents, checks)
}


SEEDS: dict[str, bytes] = {
    "yaml_reader": b"a: &x [1, 'b', *x]\n<<: {c: |\n  d}\n!!str e: ~\n",
    "rows": b'{"x": 1}\nx,"y"\n1,2\n',
    "saved": b'{"case": "a::b", "arm": "first", "trial": 0, "key": "5e", '
    b'"request": {}, "answer": {"text": "x"}}\n'
    b'{"schema": 1, "run": {"seed": 7, "started": ""}, "cases": [], "variants": []}',
    "json_answers": b'Sure: ```json\n{"a": [1, 2.5e3, "\\ud800"]}\n```',
    "documents": b"# A\n\nb | c\n\nD\n---\n```\n# no\n```\n## A `e`\n",
    "checks": b"On 3 May 2024 Marie paid 1,234.50 EUR.\n- a\n| c | d |\n[1] I cannot",
}


def _timed(target: Callable[[bytes], None]) -> Callable[[bytes], None]:
    def once(data: bytes) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            started = time.process_time()
            target(data)
            assert time.process_time() - started < SLOW

    return once


def main() -> None:
    """Fuzz one target for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--corpus", default=tempfile.mkdtemp(prefix="corpus-"))
    given = parser.parse_args()
    (Path(given.corpus) / "seed").write_bytes(SEEDS[given.target])
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={given.seconds}", "-max_len=4096",
         "-rss_limit_mb=4096", given.corpus],
        _timed(TARGETS[given.target]),
    )  # fmt: skip
    atheris.Fuzz()


if __name__ == "__main__":
    main()
