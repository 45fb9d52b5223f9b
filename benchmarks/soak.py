"""Thousands of calls with faults and kills: all is answered, and paid once.

    python -m benchmarks.soak [--calls 20000] [--kills 12] [--seed 7]

A run over a mock server with 5% of HTTP 500 is stopped again and again at random
moments, by SIGKILL, SIGTERM and SIGINT in turn, and begun anew; the last run goes
to its end.  Printed: how each run ended with its peak memory, what the server was
asked and paid, and what the store and the report hold.  A call in flight when a
process is killed is paid in vain: nobody can prevent that.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.adapters.ours import Ours
from benchmarks.peers.server import Behaviour, Tally
from benchmarks.peers.serving import mock_server
from benchmarks.peers.work import Work

IN_FLIGHT = 64
LATENCY = 0.05
ERRORS = 0.05
HOW = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
LONGEST_RUN = 1200.0
_PYTEST = (
    "import signal, sys, pytest;"
    # A shell that runs this in the background has it ignore Ctrl-C.
    "signal.signal(signal.SIGINT, signal.default_int_handler);"
    "sys.exit(pytest.main(sys.argv[1:]))"
)


class Ended(NamedTuple):
    """How one run ended."""

    status: int
    seconds: float
    mebibytes: float


def main() -> None:
    """Soak, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=12)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, mock_server() as server:
        work = Work(
            folder=Path(folder),
            url=server.url,
            prompts=options.calls,
            in_flight=IN_FLIGHT,
        )
        Ours().write(work)
        server.behave(Behaviour(latency=LATENCY, errors=ERRORS))
        environment = {**os.environ, "MOCK_URL": server.url}
        chance = random.Random(options.seed)  # noqa: S311 - the same moments each time
        for number in range(options.kills):
            how = HOW[number % len(HOW)]
            ended = _run(work.folder, environment, how, chance.uniform(3.0, 9.0))
            _say(f"run {number + 1}, {how.name}", ended)
        ended = _run(work.folder, environment, None, LONGEST_RUN)
        _say("last run", ended)
        for line in _findings(work.folder, server.tally(), options.calls):
            print(line)


def _run(
    folder: Path,
    environment: dict[str, str],
    how: signal.Signals | None,
    seconds: float,
) -> Ended:
    """Run the suite; after so many seconds send the signal, if there is one."""
    command = [sys.executable, "-c", _PYTEST, "-q", "--llm-report=report.json"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, f"--llm-concurrency={IN_FLIGHT}"],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stop = threading.Timer(seconds, process.send_signal, [how or signal.SIGKILL])
    stop.start()
    try:
        _, status, used = os.wait4(process.pid, 0)
    finally:
        stop.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    return Ended(process.returncode, took, used.ru_maxrss / 1024)


def _findings(folder: Path, tally: Tally, calls: int) -> Iterator[str]:
    report = json.loads((folder / "report.json").read_text(encoding="ascii"))
    outcomes = Counter(case["outcome"] for case in report["cases"])
    ids = {case["nodeid"] for case in report["cases"]}
    yield f"cases: {calls}, reported {len(ids)}, outcomes {dict(outcomes)}"
    store = folder / ".pytest_cache/d/llm-diagnosis/answers.sqlite"
    with sqlite3.connect(store) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM answers").fetchone()
        (claims,) = connection.execute("SELECT count(*) FROM claims").fetchone()
    yield f"answers stored: {kept}; claims left: {claims}"
    yield f"server: {tally}"


def _say(what: str, ended: Ended) -> None:
    print(
        f"{what}: status {ended.status} after {ended.seconds:.1f} s,"
        f" peak {ended.mebibytes:.0f} MiB",
        flush=True,
    )


if __name__ == "__main__":
    main()
