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
from pytest_llm_diagnosis.errors import Location
from pytest_llm_diagnosis.models import DirectModel, LitellmModel
from pytest_llm_diagnosis.plugin import declare_hooks
from pytest_llm_diagnosis.plugin.options import read_options
from pytest_llm_diagnosis.plugin.warming import Warming, _Import
from pytest_llm_diagnosis.records import Answer, Endpoint, Request, Variant

SECONDS = 60

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


def write_variant(suite: EvalSuite, keys: str) -> None:
    """Write a variants file with one variant."""
    text = f"default: base\nvariants: {{base: {{{keys}}}}}\n"
    suite.write_file("llm_variants.yaml", text)


def warmed(suite: EvalSuite, server: ModelServer) -> Warmed:
    """Run pytest in a process of its own; return what became of the import."""
    write_variant(suite, f"model: openai/m, api_base: '{server.url}', lane: litellm")
    suite.write_file("spy.py", SPY)
    command = [sys.executable, "-mpytest", "-pspy", "-pno:hypothesispytest"]
    result = subprocess.run(  # noqa: S603 - this Python with arguments of ours
        command,
        cwd=suite.path,
        env={**os.environ, "PYTHONPATH": str(suite.path)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    told = json.loads((suite.path / "warm.json").read_text(encoding="utf-8"))
    return Warmed(told["begun"], told["left"], told["litellm"], result)


def test_a_first_run_imports_ahead(good_suite: EvalSuite, server: ModelServer) -> None:
    """The import begins during collection, and the calls find it done."""
    run = warmed(good_suite, server)
    assert (run.begun, run.left, run.litellm) == (True, [], True)
    assert run.result.returncode == 0
    assert server.served == 1


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


SLOW = "model: openai/m, api_base: 'http://127.0.0.1:9/v1', lane: litellm"
FAST = "model: openai/m, api_base: 'http://127.0.0.1:9/v1'"
HOOK = "def pytest_llm_live_call(variant):\n    pass\n"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[_Import]:
    """Return the imports that would have begun; calls are answered by nobody."""
    found: list[_Import] = []

    async def answer(_model: object, _request: Request) -> Answer:
        return Answer(text="yes")

    def start(thread: _Import) -> None:
        found.append(thread)

    monkeypatch.setattr(_Import, "start", start)
    monkeypatch.setattr(_Import, "join", lambda _thread: None)
    monkeypatch.setattr(LitellmModel, "answer", answer)
    monkeypatch.setattr(DirectModel, "answer", answer)
    return found


def test_stored_answers_need_no_import(
    good_suite: EvalSuite, begun: list[_Import]
) -> None:
    """A store may hold them all; asking anew is certain again."""
    write_variant(good_suite, SLOW)
    good_suite.run("--co")
    assert len(begun) == 0
    good_suite.run().assert_outcomes(passed=2)
    assert len(begun) == 1
    good_suite.run().assert_outcomes(passed=2)
    assert len(begun) == 1
    good_suite.run("--llm-answers=fresh").assert_outcomes(passed=2)
    assert len(begun) == 2
    good_suite.run("-pno:cacheprovider").assert_outcomes(passed=2)
    assert len(begun) == 3


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["--setup-plan"], SLOW),
        (["-k", "nothing"], SLOW),
        (["-m", "behavior"], SLOW),
        (["--lf"], SLOW),
        (["good.eval.yaml::fine[base]"], SLOW),
        (["--llm-answers=replay"], SLOW),
        (["--llm-max-calls=0"], SLOW),
        ([], FAST),
        ([], "call: 'textwrap:dedent'"),
    ],
)
def test_it_does_not_begin_where_no_call_is_certain(
    good_suite: EvalSuite, begun: list[_Import], arguments: list[str], keys: str
) -> None:
    """Whatever may keep the call away, or sends it by another way."""
    write_variant(good_suite, keys)
    good_suite.run(*arguments)
    assert begun == []


def test_it_does_not_begin_where_another_process_may_ask(
    good_suite: EvalSuite, begun: list[_Import]
) -> None:
    """Neither in a worker, which may find the answer there, nor in a controller."""
    write_variant(good_suite, SLOW)
    variant = Variant(
        name="base",
        location=Location(path=good_suite.path),
        kind="prompt",
        live=Endpoint(model="anthropic/claude"),
    )
    config = good_suite.pytester.parseconfigure()
    declare_hooks(config.pluginmanager)
    Warming(config, read_options(config)).foresee([variant])
    assert len(begun) == 1
    vars(config)["workerinput"] = {}
    Warming(config, read_options(config)).foresee([variant])
    assert len(begun) == 1
    del vars(config)["workerinput"]
    config.option.dist = "load"
    Warming(config, read_options(config)).foresee([variant])
    assert len(begun) == 1


def test_a_hook_comes_first(good_suite: EvalSuite, begun: list[_Import]) -> None:
    """It may set what litellm reads when it is imported."""
    write_variant(good_suite, SLOW)
    good_suite.write_file("conftest.py", HOOK)
    good_suite.run().assert_outcomes(passed=2)
    assert begun == []


def test_a_skipped_case_asks_nothing(
    good_suite: EvalSuite, begun: list[_Import]
) -> None:
    """Nor does a file of them need litellm."""
    write_variant(good_suite, SLOW)
    case = "{id: a, mark: knowledge, prompt: q, facts: [contains: x], skip: true}"
    good_suite.write_file("good.eval.yaml", f"cases: [{case}]\n")
    good_suite.run()
    assert begun == []


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
    thread = _Import()
    thread.start()
    thread.join()
    thread.give_up()
