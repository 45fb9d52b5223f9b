"""The entry point: what pytest loads at start-up, and nothing more.

A session without eval files and without `--llm-*` options imports no other
module of this package.  The first eval file, `llm` test or option brings in
`session`, which lives as long as the run: files are collected into items
(`items`), answers are fetched ahead of pytest, results are gathered, and the
terminal summary ends it.  Under xdist the workers do the work and the
controller gathers (`controller`, `links`, `distribution`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .python_tests import LanguageModel
    from .session import EvalSession

SUFFIX = ".eval.yaml"
RESULT = "llm_result"
"""The report property in which a result travels to the process that reports."""
SESSION = pytest.StashKey["EvalSession"]()


class Option(NamedTuple):
    """A command-line option with its ini twin; `default` is what holds without."""

    name: str
    default: str | None
    help: str
    choices: Sequence[str] | None = None
    metavar: str | None = None
    repeatable: bool = False
    flag: bool = False

    @property
    def explained(self) -> str:
        """The help with the default."""
        text = self.help.removesuffix(".")
        return f"{text} (default: {self.default})." if self.default else self.help

    @property
    def twin(self) -> str:
        """The ini name and the attribute: `--llm-max-calls` is `llm_max_calls`."""
        return self.name.removeprefix("--").replace("-", "_")


OPTIONS = (
    Option("--llm-variant", None, "Variants to run.", metavar="NAME[,NAME]|all"),
    Option("--llm-trials", None, "Trials of every case.", metavar="N"),
    Option(
        "--llm-probe",
        "standard",
        "Re-ask failing cases under one change at a time, to find out why they fail.",
        choices=("off", "quick", "standard"),
    ),
    Option(
        "--llm-probe-variants",
        None,
        "Variants whose failures are probed (default: the first selected).",
        metavar="NAME[,NAME]|all",
    ),
    Option(
        "--llm-probe-max",
        "40",
        "Most failures probed a variant.",
        metavar="N",
    ),
    Option("--llm-confirm", None, "Run the suite under the advised fix.", flag=True),
    Option(
        "--llm-answers",
        "auto",
        "auto: stored answers, else calls; fresh: calls only; replay: recordings only.",
        choices=("auto", "fresh", "replay"),
    ),
    Option("--llm-record", None, "Write the answers to recordings/.", flag=True),
    Option(
        "--llm-prune-recordings",
        None,
        "Drop recorded answers of cases that are no longer there.",
        flag=True,
    ),
    Option("--llm-concurrency", "32", "Most calls in flight.", metavar="N"),
    Option(
        "--llm-timeout",
        "60",
        "Most seconds of one try of a call, connecting included.",
        metavar="S",
    ),
    Option("--llm-attempts", "10", "Most tries of one call.", metavar="N"),
    Option(
        "--llm-retry-time",
        "120",
        "No try of a call begins later than this after its first.",
        metavar="S",
    ),
    Option(
        "--llm-retry-after-max",
        "60",
        "Longest Retry-After that is waited for.",
        metavar="S",
    ),
    Option("--llm-max-calls", None, "Stop before more calls than this.", metavar="N"),
    Option("--llm-budget", None, "Stop before spending more.", metavar="USD"),
    Option(
        "--llm-seed",
        "7",
        "Seed of examples, probe order and draws.",
        metavar="N",
    ),
    Option(
        "--llm-shard",
        None,
        "Run the I-th of N parts of the evals, split by case; llm-diagnosis merge "
        "joins their reports.",
        metavar="I/N",
    ),
    Option(
        "--llm-report",
        None,
        "Write a report (.json, .md or .html); may be given several times.",
        metavar="PATH",
        repeatable=True,
    ),
    Option(
        "--llm-baseline",
        None,
        "Compare with an earlier report.json, case by case.",
        metavar="PATH",
    ),
    Option(
        "--llm-gate",
        None,
        "What must hold, as in 'rag: knowledge >= 0.9 and no-regression'; decides the "
        "exit code for evals; may be given several times.",
        metavar="EXPR",
        repeatable=True,
    ),
    Option(
        "--llm-variants-file",
        None,
        "Use this file instead of the nearest llm_variants.yaml.",
        metavar="PATH",
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare each option and its ini twin."""
    group = parser.getgroup("llm", "language-model evals")
    for option in OPTIONS:
        twin = f"ini option for {option.name}"
        if option.flag:
            group.addoption(
                option.name, action="store_true", default=None, help=option.help
            )
            parser.addini(option.twin, twin, type="bool", default=False)
        elif option.repeatable:
            group.addoption(
                option.name, action="append", metavar=option.metavar, help=option.help
            )
            parser.addini(option.twin, twin, type="linelist", default=[])
        else:
            group.addoption(
                option.name,
                choices=option.choices,
                metavar=option.metavar,
                help=option.explained,
            )
            parser.addini(option.twin, twin, default=option.default)


def pytest_plugin_registered(
    plugin: object, manager: pytest.PytestPluginManager
) -> None:
    """Declare our hooks as soon as somebody implements one.

    Declaring them at start-up would import `hookspecs` into every session.
    """
    names = (*getattr(plugin, "__dict__", ()), *vars(type(plugin)))
    if any(name.startswith("pytest_llm_") for name in names):
        declare_hooks(manager)


def declare_hooks(manager: pytest.PytestPluginManager) -> None:
    """Declare our hooks once."""
    caller = getattr(manager.hook, "pytest_llm_live_call", None)
    if caller is None or not caller.has_spec():
        from pytest_llm_diagnosis import hookspecs

        manager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and wake up where an option asks for it."""
    for mark, claim in (
        ("knowledge", "the model must know something to pass"),
        ("behavior", "the model must answer in a certain way to pass"),
    ):
        config.addinivalue_line("markers", f"{mark}: an LLM eval; {claim}")
    if config.getoption("dist", "no") != "no" and not hasattr(config, "workerinput"):
        from .controller import Controller

        config.pluginmanager.register(Controller(config), "llm-diagnosis-controller")
    if any(config.getoption(one.twin) or _is_set(config, one) for one in OPTIONS):
        eval_session(config)


def _is_set(config: pytest.Config, option: Option) -> bool:
    """Whether an ini file gives the option a value of its own."""
    value = config.getini(option.twin)
    return bool(value) and value != option.default


def eval_session(config: pytest.Config) -> EvalSession:
    """Return the session of this run, made and registered at the first need."""
    if SESSION not in config.stash:
        from .session import EvalSession

        declare_hooks(config.pluginmanager)
        config.stash[SESSION] = EvalSession(config)
        config.pluginmanager.register(config.stash[SESSION], "llm-diagnosis-session")
    return config.stash[SESSION]


def pytest_collect_file(
    file_path: Path, parent: pytest.Collector
) -> pytest.Collector | None:
    """Collect `*.eval.yaml`."""
    if not file_path.name.endswith(SUFFIX):
        return None
    from .items import EvalFile

    return EvalFile.build(parent, file_path, eval_session(parent.config))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that uses `llm` once for each selected variant."""
    # A project's own fixture of that name is none of our business.
    definitions = metafunc._arg2fixturedefs.get("llm", ())  # noqa: SLF001 - as pytest-asyncio does
    if definitions and definitions[-1].func.__module__ == __name__:
        from .python_tests import parametrize

        parametrize(metafunc, eval_session(metafunc.config))


@pytest.fixture
def llm(request: pytest.FixtureRequest) -> LanguageModel | Callable[..., object]:
    """Ask the selected variant: `llm("question")` returns an `Answer`."""
    from .python_tests import language_model

    return language_model(request, eval_session(request.config))
