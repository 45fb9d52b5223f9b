"""The entry point: asleep without evals, and what wakes up is documented."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from conftest import EvalSuite
from model_server import ModelServer
from pytest_llm_diagnosis.plugin import OPTIONS

SECONDS = 20
ENTRY = {"pytest_llm_diagnosis", "pytest_llm_diagnosis.plugin"}
HEAVY = {"litellm", "jsonschema", "yaml", "sqlite3", "regex", "rapidfuzz", "asyncio"}

SPY = """\
import json, sys

def pytest_unconfigure():
    with open("modules.json", "w") as file:
        json.dump(sorted(sys.modules), file)
"""


def modules_of(suite: EvalSuite, *arguments: str) -> set[str]:
    """Run pytest in a process of its own; return the modules it has loaded.

    Hypothesis' own plugin is left out: it loads modules too.
    """
    suite.write_file("spy.py", SPY)
    command = [sys.executable, "-mpytest", "-pspy", "-pno:hypothesispytest"]
    subprocess.run(  # noqa: S603 - this Python with arguments of ours
        [*command, *arguments],
        cwd=suite.path,
        env={**os.environ, "PYTHONPATH": str(suite.path)},
        capture_output=True,
        timeout=SECONDS,
        check=False,
    )
    text = (suite.path / "modules.json").read_text(encoding="utf-8")
    return set(json.loads(text))


def ours(modules: set[str]) -> set[str]:
    """Return those modules that are of this package."""
    return {name for name in modules if name.startswith("pytest_llm_diagnosis")}


def test_a_session_without_evals_loads_nothing(empty_suite: EvalSuite) -> None:
    """Only the entry module; no folder, and no line in the output."""
    empty_suite.write_file("test_python.py", "def test_a():\n    pass\n")
    modules = modules_of(empty_suite)
    assert ours(modules) == ENTRY
    assert not modules & (HEAVY - {"asyncio"})
    assert not (empty_suite.path / ".pytest_cache/d").exists()


def test_a_session_without_evals_says_nothing(empty_suite: EvalSuite) -> None:
    """No header line and no section, also beside markers of the same name."""
    empty_suite.write_file(
        "test_python.py",
        """\
        import pytest

        @pytest.mark.knowledge
        def test_a():
            pass
        """,
    )
    result = empty_suite.run("--strict-markers")
    result.assert_outcomes(passed=1)
    told = [line for line in result.outlines if not line.startswith("plugins:")]
    assert not [line for line in told if "llm" in line]


def test_a_session_under_xdist_loads_nothing(empty_suite: EvalSuite) -> None:
    """Nor does the controller of workers that find no evals."""
    empty_suite.write_file("test_python.py", "def test_a():\n    pass\n")
    names = ("controller", "distribution", "ending", "links", "signals")
    light = {f"pytest_llm_diagnosis.plugin.{name}" for name in names}
    assert ours(modules_of(empty_suite, "-n1")) <= {*ENTRY, *light}


def test_importing_the_entry_loads_nothing_heavy() -> None:
    """Neither litellm nor jsonschema nor any other library of ours but pytest."""
    code = "import pytest_llm_diagnosis.plugin, sys; print(*sys.modules)"
    shown = subprocess.run(  # noqa: S603 - this Python with code of ours
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    modules = set(shown.stdout.split())
    assert ours(modules) == ENTRY
    assert not modules & (HEAVY - {"asyncio"})


@pytest.mark.parametrize(
    "variant", ["{script: answers.yaml}", "{call: 'app:answer'}", "{model: openai/m}"]
)
def test_litellm_is_loaded_by_live_calls_alone(
    good_suite: EvalSuite, variant: str
) -> None:
    """A script, a callable and a replay do without."""
    text = f"default: base\nvariants: {{base: {variant}}}\n"
    good_suite.write_file("llm_variants.yaml", text)
    good_suite.write_file("app.py", "def answer(request):\n    return 'yes'\n")
    replays = "model" in variant
    arguments = ["--llm-answers=replay"] if replays else ["--llm-record"]
    modules = modules_of(good_suite, *arguments)
    assert "pytest_llm_diagnosis.engine.engine" in modules
    assert not {"litellm", "openai", "httpx"} & modules


@pytest.mark.parametrize("kind", ["openai", "hosted_vllm", "custom_openai"])
def test_the_direct_lane_does_without_litellm(good_suite: EvalSuite, kind: str) -> None:
    """A run whose variants all take it never imports litellm, live or stored."""
    with ModelServer(lambda _sent: "yes") as server:
        keys = f"model: {kind}/m, api_base: '{server.url}'"
        text = f"default: base\nvariants: {{base: {{{keys}}}}}\n"
        good_suite.write_file("llm_variants.yaml", text)
        live = modules_of(good_suite, "--llm-record")
        assert server.served == 1
        stored = modules_of(good_suite)
        assert server.served == 1
    assert "aiohttp" in live
    assert not {"litellm", "openai", "httpx"} & live
    assert not {"litellm", "openai", "httpx", "aiohttp"} & stored


# -- what is documented -------------------------------------------------------


def test_help_lists_every_option(empty_suite: EvalSuite) -> None:
    """Each option of the design, and its ini twin."""
    shown = empty_suite.run("--help").stdout.str()
    for option in OPTIONS:
        assert f"  {option.name}" in shown
        assert f"\n  {option.twin} (" in shown


DESIGNED = """
    variant trials probe probe-variants probe-max confirm answers record concurrency
    timeout max-calls budget seed report variants-file
"""


def test_the_options_of_the_design_are_there() -> None:
    """Others may be added, none goes."""
    designed = {f"--llm-{name}" for name in DESIGNED.split()}
    assert designed <= {option.name for option in OPTIONS}


def test_markers_are_registered(empty_suite: EvalSuite) -> None:
    """`pytest --markers` explains both claims."""
    result = empty_suite.run("--markers")
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.knowledge: an LLM eval; *",
            "@pytest.mark.behavior: an LLM eval; *",
        ]
    )


# -- hooks -----------------------------------------------------------------------

LIVE_CALL = """\
def pytest_llm_live_call(config, variant):
    with open(config.rootpath / "live.txt", "a") as file:
        file.write(variant.name + chr(10))
"""
NOTING = """\
from pathlib import Path

def answer(request):
    with Path("live.txt").open("a") as file:
        file.write("call of " + request.variant + chr(10))
    return "yes"
"""
TWO = """\
default: one,two
variants:
  one: {call: "app:answer"}
  two: {call: "app:answer", system: Be brief.}
"""
CASES = """\
defaults: {mark: knowledge, facts: [contains: "yes"]}
cases:
  - {id: a, prompt: a}
  - {id: b, prompt: b}
"""


@pytest.fixture
def hooked_suite(good_suite: EvalSuite) -> EvalSuite:
    """Return two variants that note their calls, and a hook that notes its own."""
    good_suite.write_file("conftest.py", LIVE_CALL)
    good_suite.write_file("app.py", NOTING)
    good_suite.write_file("llm_variants.yaml", TWO)
    good_suite.write_file("good.eval.yaml", CASES)
    return good_suite


def noted(suite: EvalSuite) -> list[str]:
    """Return what was noted since the last time."""
    path = suite.path / "live.txt"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return lines


def test_the_live_call_hook(hooked_suite: EvalSuite) -> None:
    """Called once a variant, before its first call, and never without one."""
    hooked_suite.run("--llm-record").assert_outcomes(passed=5)
    lines = noted(hooked_suite)
    for name in ("one", "two"):
        of_variant = [line for line in lines if line.split()[-1] == name]
        assert of_variant == [name, f"call of {name}", f"call of {name}"]
    hooked_suite.run().assert_outcomes(passed=5)
    hooked_suite.run("--llm-answers=replay").assert_outcomes(passed=5)
    hooked_suite.run("--co")
    assert noted(hooked_suite) == []


def test_a_misspelt_hook_is_refused(good_suite: EvalSuite) -> None:
    """As pytest refuses any unknown hook."""
    good_suite.write_file("conftest.py", "def pytest_llm_livecall():\n    pass\n")
    result = good_suite.run()
    assert result.ret != 0
    shown = result.stdout.str() + result.stderr.str()
    assert "unknown hook 'pytest_llm_livecall'" in shown


def test_a_hook_without_evals_is_no_error(empty_suite: EvalSuite) -> None:
    """A suite may have our hooks in its conftest and run other tests alone."""
    empty_suite.write_file("conftest.py", LIVE_CALL)
    empty_suite.write_file("test_python.py", "def test_a():\n    pass\n")
    empty_suite.run().assert_outcomes(passed=1)


CHECK = """\
from pytest_llm_diagnosis.checks.protocol import BoundCheck, CheckType, Example
from pytest_llm_diagnosis.records import Answer

class Shouts(BoundCheck):
    def grade(self, answer):
        if answer.text.isupper():
            return self.passed()
        return self.failed("shouts:quiet", "it does not shout")

def pytest_llm_register_checks(registry):
    example = Example(
        params=None,
        passing=Answer(text="YES"),
        failing=Answer(text="yes"),
        code="shouts:quiet",
    )
    registry.register(
        CheckType(
            name="shouts",
            summary="The answer is in capitals.",
            parameters={},
            bind=lambda spec: Shouts(spec=spec),
            example=example,
        )
    )
"""


def test_a_check_of_ones_own(good_suite: EvalSuite) -> None:
    """A registered check works in YAML and is listed among the valid ones."""
    good_suite.write_file("conftest.py", CHECK)
    case = "cases:\n  - {id: a, mark: behavior, prompt: q, form: [shouts]}\n"
    good_suite.write_file("good.eval.yaml", case)
    result = good_suite.run()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["good.eval.yaml:2: shouts:quiet: it does not shout"])
    good_suite.write_file("good.eval.yaml", case.replace("shouts", "shout"))
    good_suite.run().stdout.fnmatch_lines(["*did you mean 'shouts'?*"])


def test_an_applications_records_are_at_hand() -> None:
    """Both names stand in the package; any other is an error."""
    import pytest_llm_diagnosis

    assert pytest_llm_diagnosis.Answer(text="45").text == "45"
    assert pytest_llm_diagnosis.Request.__name__ == "Request"
    with pytest.raises(AttributeError, match="has no attribute 'Anser'"):
        pytest_llm_diagnosis.Anser  # noqa: B018 - looking is the test
