"""The benchmark's mock server, and a peer that is run against it."""

from __future__ import annotations

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as _patch:
    _patch.syspath_prepend(str(Path(__file__).parents[1]))
    from benchmarks.peers.adapters.floors import bare_client
    from benchmarks.peers.adapters.promptfoo import Promptfoo
    from benchmarks.peers.adapters.pytest_clients import PytestClient
    from benchmarks.peers.adapters.scripts import ScriptPeer
    from benchmarks.peers.running import Bench, Size
    from benchmarks.peers.scenarios import SCENARIOS, Scenario
    from benchmarks.peers.server import Behaviour, State
    from benchmarks.peers.serving import MockServer, mock_server
    from benchmarks.peers.work import UnavailableError, answer_of, prompt_of

QUICK = 0.0


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


@pytest.mark.parametrize("window", [1.0, 0.25])
def test_limit_holds_within_any_window(window: float) -> None:
    """Requests above the limit are turned away until old ones have left it."""
    state = State(Behaviour(limit=2, window=window))
    asked = [0.0, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75]
    assert [state.admit(now * window) for now in asked] == [
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
    ("script", "limit", "trouble"),
    [
        ("print('boom'); raise SystemExit(3)", 60, "status 3: boom"),
        ("import time; time.sleep(60)", 0.3, "stopped after 0 s"),
        ("open('results.json', 'w').write('[{')", 60, "results cannot be read"),
        ("open('results.json', 'w').write('[{}]')", 60, "results cannot be read"),
    ],
)
def test_a_run_that_ends_badly_says_so(
    script: str, limit: float, trouble: str, server: MockServer
) -> None:
    """Its row names the trouble, and a trial makes it a skip with that reason."""
    peer = ScriptPeer(name="bad", packages=(), script=script, folder=None)
    ran = Bench(server).run(peer, SCENARIOS[0], Size(2, 2, limit))
    assert ran.trouble.startswith(trouble)
    with pytest.raises(UnavailableError, match=trouble):
        Bench(server).trial(peer, limit)


def test_a_run_can_be_kept_to_look_at(server: MockServer, tmp_path: Path) -> None:
    """What it wrote and printed stays in a folder named after it."""
    bench = Bench(server, tmp_path / "kept")
    bench.run(bare_client(), SCENARIOS[0], Size(2, 2, 60))
    (kept,) = (tmp_path / "kept").iterdir()
    assert kept.name.startswith("plain-bare-aiohttp-")
    assert (kept / "work" / "printed-fresh.txt").is_file()


def test_a_peer_that_answers_too_little_is_skipped(server: MockServer) -> None:
    """A run without results is no benchmark, even if it ends well."""
    peer = ScriptPeer(name="idle", packages=(), script="", folder=None)
    with pytest.raises(UnavailableError, match="answered=0"):
        Bench(server).trial(peer, 60)


@pytest.mark.parametrize(
    ("peer", "scenario", "reason"),
    [
        (PytestClient("openai", Path()), "wide", "keeps 8 calls in flight at most"),
        (PytestClient("openai", Path()), "second", "keeps no answers"),
        (Promptfoo(Path()), "replay", "has no recordings"),
    ],
)
def test_a_peer_is_not_asked_for_what_it_does_not_do(
    peer: PytestClient | Promptfoo, scenario: str, reason: str, server: MockServer
) -> None:
    """It is skipped with the reason, and nothing is run."""
    chosen = next(one for one in SCENARIOS if one.name == scenario)
    with pytest.raises(UnavailableError, match=reason):
        Bench(server).run(peer, chosen, Size(10, chosen.in_flight or 64, 60))
