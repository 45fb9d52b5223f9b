"""xdist's workers in folders of their own: one store, one report, one recording."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

from comparing import run_of, told
from conftest import EvalSuite
from pytest_llm_diagnosis.errors import StoreError
from pytest_llm_diagnosis.plugin.links import Message
from pytest_llm_diagnosis.plugin.shared_store import RemoteStore, StoreDesk
from pytest_llm_diagnosis.records import Answer, Request, ToolCall

EVALS = """\
cases:
  - id: c{n}
    each: [{n: 0}, {n: 1}, {n: 2}, {n: 3}, {n: 4}, {n: 5}]
    mark: knowledge
    cluster: "{n}"
    prompt: What is item {n}?
    facts: [{contains: "w{n}"}]
"""
APP = """\
def answer(request):
    with open(ASKED, "a") as file:
        file.write(request.messages[-1]["content"].replace(chr(10), " ") + chr(10))
    return "It is w1."
"""
FILES = ("a.eval.yaml", "llm_variants.yaml", "app.py", "pytest.ini")


@pytest.fixture
def project(empty_suite: EvalSuite) -> EvalSuite:
    """Return a suite in the folder `project`, where pytest then runs."""
    folder = empty_suite.path / "project"
    folder.mkdir()
    empty_suite.write_file("project/a.eval.yaml", EVALS)
    text = "default: app\nvariants: {app: {call: 'app:answer'}}\n"
    empty_suite.write_file("project/llm_variants.yaml", text)
    asked = str(empty_suite.path / "asked.txt")
    empty_suite.write_file("project/app.py", APP.replace("ASKED", repr(asked)))
    empty_suite.write_file("project/pytest.ini", "[pytest]\n")
    empty_suite.path = folder
    empty_suite.pytester._monkeypatch.chdir(folder)
    return empty_suite


def asked(suite: EvalSuite) -> list[str]:
    """Return what was asked since the last look, in no order."""
    path = suite.path.parent / "asked.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return sorted(lines)


def gateways(suite: EvalSuite, *, filled: bool) -> list[str]:
    """Return the options for two popen gateways in folders of their own."""
    options = ["--dist=load"]
    for name in ("one", "two"):
        folder = suite.path.parent / name
        folder.mkdir()
        if filled:
            for file in FILES:
                shutil.copy(suite.path / file, folder)
        options.append(f"--tx=popen//chdir={folder}")
    return options


def found(suite: EvalSuite, name: str) -> list[str]:
    """Return where files of a name are, relative to the folder of all projects."""
    above = suite.path.parent
    return sorted(path.relative_to(above).as_posix() for path in above.rglob(name))


def test_workers_in_other_folders_share_one_store(project: EvalSuite) -> None:
    """As many calls as one process makes, kept and recorded where pytest runs."""
    one, calls = project.report("--llm-answers=fresh"), asked(project)
    shutil.rmtree(project.path / ".pytest_cache")
    options = gateways(project, filled=True)
    several = project.report("--llm-record", *options)
    assert told(several) == told(one)
    assert asked(project) == calls
    assert found(project, "answers.sqlite") == [
        "project/.pytest_cache/d/llm-diagnosis/answers.sqlite"
    ]
    assert found(project, "app.jsonl") == ["project/recordings/app.jsonl"]
    again = project.report(*options)
    assert run_of(again)["calls"] == 0
    replayed = project.report("--llm-answers=replay")
    assert told(replayed)["variants"] == told(one)["variants"]
    assert asked(project) == []


def test_files_may_be_copied_by_xdist(project: EvalSuite) -> None:
    """`--rsyncdir`, which xdist 3 still has, takes the suite along."""
    one, calls = project.report("--llm-answers=fresh"), asked(project)
    place = str(project.path)  # xdist takes no relative one
    options = [*gateways(project, filled=False), f"--rsyncdir={place}"]
    several = project.report("--llm-record", "--llm-answers=fresh", *options, place)
    assert told(several) == told(one)
    assert asked(project) == calls
    assert found(project, "app.jsonl") == ["project/recordings/app.jsonl"]


@pytest.mark.parametrize("name", ["alpha", "gw7"])
def test_a_gateway_may_have_any_name(project: EvalSuite, name: str) -> None:
    """Shares of a budget do not hang on it."""
    report = project.report(
        "--dist=load", f"--tx=popen//id={name}", "--tx=popen", "--llm-max-calls=3"
    )
    assert len(asked(project)) <= 3
    assert len(cast("list[object]", report["cases"])) == 6


FAR = """\
import os

if "PYTEST_XDIST_WORKER" in os.environ:
    from pytest_llm_diagnosis.plugin import distribution

    distribution.Place.is_here = property(lambda self: False)
"""


@pytest.mark.parametrize("answers", ["auto", "fresh"])
def test_workers_that_do_not_see_the_store_ask_for_it(
    project: EvalSuite, answers: str
) -> None:
    """As on another machine: nothing is paid twice, nothing is lost."""
    one, calls = project.report("--llm-answers=fresh"), asked(project)
    shutil.rmtree(project.path / ".pytest_cache")
    project.write_file("conftest.py", FAR)
    several = project.report("-n2", f"--llm-answers={answers}")
    assert told(several) == told(one)
    assert asked(project) == calls
    assert run_of(project.report("-n2"))["calls"] == 0


class Wire:
    """A channel to a desk in the same process; its two ends share no object."""

    def __init__(self, desk: StoreDesk) -> None:
        self._desk = desk
        self._replies: list[tuple[int, str]] = []

    def send(self, item: object) -> None:
        """Ask the desk."""
        _, (number, question) = cast("tuple[str, tuple[int, str]]", item)
        assert question.isascii()
        self._replies.append((number, self._desk.reply(question)))

    def receive(self, timeout: float) -> object:
        """Return the desk's reply."""
        assert timeout > 0
        return "reply", self._replies.pop(0)

    def setcallback(
        self, callback: Callable[[Message], None], endmarker: Message
    ) -> None:
        """Never be called."""
        raise NotImplementedError


@pytest.fixture
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> StoreDesk:
    """Return a desk with a cache folder of its own."""
    cache = pytest.Cache(tmp_path / "cache", request.config, _ispytest=True)
    return StoreDesk(cache)


ANSWER = Answer(
    text="a lone \ud800, \u2028 and \x00",
    tool_calls=(ToolCall(name="search", arguments={"q": "boots"}),),
    usd=0.5,
)
REQUEST = Request(
    key="k1", case="a\ud800::c", variant="base", messages=({"role": "user"},)
)


def test_a_store_far_away_is_a_store(desk: StoreDesk) -> None:
    """Every question comes to the same as asked of the store itself."""
    store = RemoteStore(Wire(desk))
    store.ask("open", 0.0, False)
    with store.together():
        assert store.claim("k1", "me", 30) == "won"
        assert store.claim("k1", "you", 30) == "held"
        assert store.renew("me", 30) == 1
        assert store.put(REQUEST, ANSWER)
    assert store.claim("k1", "you", 30) == "answered"
    assert store.known(["k1", "k2"]) == {"k1"}
    assert store.get("k1") == ANSWER
    assert store.get_many(["k2"]) == {}
    store.claim("k2", "me", 30)
    store.release("me")
    assert store.claim("k2", "you", 30) == "won"
    store.close()
    desk.close()


@pytest.mark.parametrize(
    ("question", "finding"),
    [
        (("known", ["k"]), "the controller's answer store is not open"),
        (("drop", 1), "the controller's answer store is not open"),
    ],
)
def test_what_goes_wrong_far_away_is_told(
    desk: StoreDesk, question: tuple[str, object], finding: str
) -> None:
    """The worker gets the error, and goes on without a store."""
    with pytest.raises(StoreError, match=finding):
        RemoteStore(Wire(desk)).ask(*question)


def test_a_controller_without_a_cache_has_no_store() -> None:
    """`-p no:cacheprovider`."""
    store = RemoteStore(Wire(StoreDesk(None)))
    assert store.ask("where") is None
    with pytest.raises(StoreError, match="cache is off"):
        store.ask("open", 0.0, False)


def test_a_late_reply_answers_no_other_question(desk: StoreDesk) -> None:
    """One question runs into the time limit; the next ones get their own answers."""

    class Late(Wire):
        in_time = True

        def receive(self, timeout: float) -> object:
            if not self.in_time:
                raise OSError("no item after 60.0 seconds")
            return super().receive(timeout)

    wire = Late(desk)
    store = RemoteStore(wire)
    store.ask("open", 0.0, False)
    wire.in_time = False
    with pytest.raises(StoreError, match="controller does not answer: no item"):
        store.known(["k"])
    wire.in_time = True
    assert store.claim("k1", "me", 30) == "won"
    assert store.renew("me", 30) == 1
    desk.close()


def test_a_controller_that_is_gone_is_told() -> None:
    """The channel is closed, or stays silent."""

    class Closed(Wire):
        def receive(self, timeout: float) -> object:
            raise EOFError(timeout)

    with pytest.raises(StoreError, match="controller does not answer"):
        RemoteStore(Closed(StoreDesk(None))).get("k")
    assert json.loads(StoreDesk(None).reply('["where"]')) == [True, None]
