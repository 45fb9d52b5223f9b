"""litellm's import begins during collection where a call of it is certain."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from conftest import EvalSuite
from model_server import ModelServer
from pytest_llm_diagnosis.plugin import warming
from pytest_llm_diagnosis.plugin.warming import _Import

SECONDS = 40

SPY = """\
import json, sys, threading
import pytest

BEGUN = []

@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems():
    BEGUN.extend(one.name for one in threading.enumerate() if one.name == "llm-warming")

def pytest_unconfigure():
    left = [one.name for one in threading.enumerate() if one.name == "llm-warming"]
    told = {"begun": bool(BEGUN), "left": left, "litellm": "litellm" in sys.modules}
    with open("warm.json", "w") as file:
        json.dump(told, file)
"""


class Warmed(NamedTuple):
    """What a run's process did, and how it ended."""

    begun: bool
    left: list[str]
    litellm: bool
    result: subprocess.CompletedProcess[str]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """Run a server that answers well."""
    with ModelServer(lambda _sent: "yes") as server:
        yield server


def warmed(
    suite: EvalSuite, server: ModelServer, *arguments: str, keys: str = "lane: litellm"
) -> Warmed:
    """Run pytest in a process of its own; return what became of the import."""
    text = f"model: openai/m, api_base: '{server.url}'"
    suite.write_file(
        "llm_variants.yaml", f"default: base\nvariants: {{base: {{{text}, {keys}}}}}\n"
    )
    suite.write_file("spy.py", SPY)
    command = [sys.executable, "-mpytest", "-pspy", "-pno:hypothesispytest"]
    result = subprocess.run(  # noqa: S603 - this Python with arguments of ours
        [*command, *arguments],
        cwd=suite.path,
        env={**os.environ, "PYTHONPATH": str(suite.path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    told = json.loads((suite.path / "warm.json").read_text(encoding="utf-8"))
    return Warmed(told["begun"], told["left"], told["litellm"], result)


def test_it_begins_where_a_call_is_certain(
    good_suite: EvalSuite, server: ModelServer
) -> None:
    """In a first run, and in one that asks anew; not where answers are stored."""
    first = warmed(good_suite, server)
    assert (first.begun, first.left, first.litellm) == (True, [], True)
    assert first.result.returncode == 0
    assert server.served == 1
    second = warmed(good_suite, server)
    assert (second.begun, second.litellm) == (False, False)
    assert second.result.returncode == 0
    assert server.served == 1
    fresh = warmed(good_suite, server, "--llm-answers=fresh")
    assert fresh.begun
    assert server.served == 2


HOOK = "def pytest_llm_live_call(variant):\n    pass\n"


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--co"], "lane: litellm"),
        (["--setup-plan"], "lane: litellm"),
        (["-k", "nothing"], "lane: litellm"),
        (["-m", "behavior"], "lane: litellm"),
        (["good.eval.yaml::fine[base]"], "lane: litellm"),
        (["--llm-answers=replay"], "lane: litellm"),
        (["--llm-max-calls=0"], "lane: litellm"),
        (["-n2"], "lane: litellm"),
        ([], "lane: direct"),
        ([], "revision: 2"),
    ],
)
def test_it_does_not_begin_where_no_call_is_certain(
    good_suite: EvalSuite, server: ModelServer, arguments: list[str], keys: str
) -> None:
    """Whatever may keep the call away, or sends it by the other lane."""
    assert not warmed(good_suite, server, *arguments, keys=keys).begun


def test_a_hook_comes_first(good_suite: EvalSuite, server: ModelServer) -> None:
    """It may set what litellm reads when it is imported."""
    good_suite.write_file("conftest.py", HOOK)
    assert not warmed(good_suite, server).begun


def test_a_skipped_case_asks_nothing(
    good_suite: EvalSuite, server: ModelServer
) -> None:
    """Nor does a file of them need litellm."""
    case = "{id: a, mark: knowledge, prompt: q, facts: [contains: x], skip: true}"
    good_suite.write_file("good.eval.yaml", f"cases: [{case}]\n")
    assert not warmed(good_suite, server).begun


def test_a_run_that_ends_early_gives_it_up(
    good_suite: EvalSuite, server: ModelServer
) -> None:
    """An error elsewhere ends the run; the import neither holds nor breaks it."""
    good_suite.write_file("test_z.py", "raise RuntimeError('boom')\n")
    run = warmed(good_suite, server)
    assert (run.begun, run.left) == (True, [])
    assert run.result.returncode == 2
    assert "boom" in run.result.stdout
    assert run.result.stderr == ""
    assert server.served == 0


def test_an_import_is_given_up_at_its_next_module(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Also one that would go on for ever, whatever it catches."""
    folder = tmp_path_factory.mktemp("modules")
    (folder / "endless_one.py").write_text(
        "import importlib, sys, time\n"
        "while True:\n"
        "    time.sleep(0.01)\n"
        "    sys.modules.pop('endless_two', None)\n"
        "    try:\n"
        "        import endless_two\n"
        "    except Exception:\n"
        "        pass\n"
    )
    (folder / "endless_two.py").write_text("")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(
        "pytest_llm_diagnosis.models.warm", lambda: __import__("endless_one")
    )
    before = list(sys.meta_path)
    thread = _Import()
    thread.start()
    time.sleep(0.05)
    thread.give_up()
    assert not thread.is_alive()
    assert sys.meta_path == before
    assert "endless_one" not in sys.modules


def test_an_import_that_fails_is_told_by_the_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thread keeps silent."""

    def fails() -> None:
        raise ImportError("no litellm")

    monkeypatch.setattr("pytest_llm_diagnosis.models.warm", fails)
    thread = warming._Import()
    thread.start()
    thread.join()
    thread.give_up()
