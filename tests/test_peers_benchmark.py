"""The benchmark against peers: what it claims to serve, to count and to measure."""

from __future__ import annotations

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as _patch:
    _patch.syspath_prepend(str(Path(__file__).parents[1]))
    from benchmarks.peers.adapters.floors import bare_client
    from benchmarks.peers.adapters.inspect_ai import count_summaries
    from benchmarks.peers.adapters.lm_eval import count_lm_eval
    from benchmarks.peers.adapters.ours import count_report
    from benchmarks.peers.adapters.promptfoo import Promptfoo, count_promptfoo
    from benchmarks.peers.adapters.pytest_clients import PytestClient, count_junit
    from benchmarks.peers.adapters.scripts import count_results
    from benchmarks.peers.environments import environment
    from benchmarks.peers.measuring import Cost, measure, processes
    from benchmarks.peers.running import Bench, Ran, Size
    from benchmarks.peers.scenarios import SCENARIOS, Scenario
    from benchmarks.peers.server import Behaviour, State, Tally
    from benchmarks.peers.serving import MockServer, mock_server
    from benchmarks.peers.table import Outcome, table
    from benchmarks.peers.work import Counted, UnavailableError, answer_of, prompt_of

QUICK = 0.0
PLAIN = Scenario(name="plain", title="first run", behaviour=Behaviour(latency=QUICK))


@pytest.fixture(scope="module")
def running_server() -> Iterator[MockServer]:
    """Run one mock server for all tests of this module."""
    with mock_server() as server:
        yield server


@pytest.fixture
def server(running_server: MockServer) -> MockServer:
    """Return the mock server, quick and with no counts."""
    running_server.behave(Behaviour(latency=QUICK))
    return running_server


def connect(server: MockServer) -> http.client.HTTPConnection:
    """Return a connection that can be used again and again."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)


def body_for(number: int, **more: object) -> str:
    """Return a request's body as the OpenAI client writes it."""
    message = {"role": "user", "content": prompt_of(number)}
    return json.dumps({"model": "mock", "messages": [message], **more})


def ask(
    connection: http.client.HTTPConnection, number: int, **more: object
) -> tuple[http.client.HTTPResponse, str]:
    """Ask about an item; return the response and its body."""
    path = "/v1/chat/completions"
    connection.request("POST", path, body_for(number, **more))
    response = connection.getresponse()
    return response, response.read().decode()


def test_server_answers_and_counts(server: MockServer) -> None:
    """The answer is the item's, and a prompt answered again is seen."""
    with closing(connect(server)) as connection:
        texts = [ask(connection, number)[1] for number in (3, 4, 3)]
    contents = [json.loads(text)["choices"][0]["message"]["content"] for text in texts]
    assert contents == [answer_of(3), answer_of(4), answer_of(3)]
    tally = server.tally()
    assert (tally.received, tally.answered, tally.twice) == (3, 3, 1)
    assert (tally.failed, tally.limited, tally.refused) == (0, 0, 0)
    assert tally.most_in_flight == 1


def test_server_fails_the_same_requests_each_time(server: MockServer) -> None:
    """Which requests end in a 500 depends on their number and the seed alone."""
    behaviour = Behaviour(latency=QUICK, errors=0.3)
    expected = [500 if behaviour.fails(number) else 200 for number in range(40)]
    assert {200, 500} <= set(expected)
    for _ in range(2):
        server.behave(behaviour)
        with closing(connect(server)) as connection:
            seen = [ask(connection, number)[0].status for number in range(40)]
        assert seen == expected
        assert server.tally().failed == expected.count(500)


def test_another_seed_fails_other_requests() -> None:
    """The share is kept and the requests differ."""
    first, second = (
        {n for n in range(10_000) if Behaviour(errors=0.05, seed=seed).fails(n)}
        for seed in (1, 2)
    )
    assert 400 < len(first) < 600
    assert 400 < len(second) < 600
    assert first != second


def test_limit_holds_within_any_second() -> None:
    """Requests above the limit are turned away until old ones are a second old."""
    state = State(Behaviour(limit=2))
    asked = [0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert [state.admit(now) for now in asked] == [
        True, True, False, True, False, True, False,
    ]  # fmt: skip


def test_server_says_when_to_come_back(server: MockServer) -> None:
    """A 429 has Retry-After, and is not paid."""
    server.behave(Behaviour(latency=QUICK, limit=1))
    with closing(connect(server)) as connection:
        replies = (ask(connection, number)[0] for number in range(1_000))
        limited = next(reply for reply in replies if reply.status == 429)
    assert limited.getheader("retry-after") == "1"
    tally = server.tally()
    assert tally.limited == 1
    assert tally.answered == tally.received - 1


def test_server_waits_before_it_answers(server: MockServer) -> None:
    """No answer comes before the latency is over."""
    server.behave(Behaviour(latency=0.1))
    began = time.monotonic()
    with closing(connect(server)) as connection:
        ask(connection, 1)
    assert time.monotonic() - began > 0.09


def test_server_refuses_what_it_does_not_serve(server: MockServer) -> None:
    """A stream or another path is an error that the table would show."""
    with closing(connect(server)) as connection:
        assert ask(connection, 1, stream=True)[0].status == 400
        connection.request("POST", "/v1/responses", body_for(1))
        assert connection.getresponse().status == 404
    assert server.tally().refused == 1
    assert server.tally().answered == 0


def test_server_takes_requests_in_pieces_and_in_a_row(server: MockServer) -> None:
    """Neither a request that arrives in halves nor two at once confuse it."""
    body = body_for(5).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    request = head.encode() + body
    last = request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as line:
        line.sendall(request[:30])
        server.tally()  # so that the halves are not joined on their way
        line.sendall(request[30:] + last)
        received = b"".join(iter(lambda: line.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200 OK") == 2
    assert server.tally().answered == 2


def test_answer_to_a_client_that_left_is_paid_too(server: MockServer) -> None:
    """It counts as abandoned, not as answered."""
    server.behave(Behaviour(latency=0.05))
    connection = connect(server)
    connection.request("POST", "/v1/chat/completions", body_for(1))
    connection.close()
    for _ in range(600):
        if (tally := server.tally()).abandoned:
            break
        time.sleep(0.05)
    assert (tally.abandoned, tally.answered) == (1, 0)


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


def test_a_peer_is_run_and_counted_on_both_sides(server: MockServer) -> None:
    """The bare client answers all, through errors, and the server agrees."""
    errors = Behaviour(latency=QUICK, errors=0.3)
    scenario = Scenario(name="errors", title="30% HTTP 500", behaviour=errors)
    ran = Bench(server).run(bare_client(), scenario, Size(20, 5, 60))
    assert ran.trouble == ""
    assert ran.counted == (20, 20)
    assert (ran.tally.answered, ran.tally.twice) == (20, 0)
    assert ran.tally.received == 20 + ran.tally.failed
    assert ran.tally.failed > 0


@pytest.mark.parametrize(
    ("peer", "scenario", "reason"),
    [
        (PytestClient("openai", Path()), "wide", "keeps 8 calls in flight at most"),
        (PytestClient("openai", Path()), "second", "not among what it does"),
        (Promptfoo(Path()), "replay", "not among what it does"),
    ],
)
def test_a_peer_is_not_asked_for_what_it_does_not_do(
    peer: PytestClient | Promptfoo, scenario: str, reason: str, server: MockServer
) -> None:
    """It is skipped with the reason, and nothing is run."""
    chosen = next(one for one in SCENARIOS if one.name == scenario)
    with pytest.raises(UnavailableError, match=reason):
        Bench(server).run(peer, chosen, Size(10, chosen.in_flight or 64, 60))


@pytest.mark.parametrize(
    ("name", "seconds"),
    [("plain", 3.2), ("errors-5", 3.4), ("errors-30", 4.6), ("limit", 20.0)],
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
    lines = list(table(PLAIN, Size(10, 5, 60), outcomes))
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
