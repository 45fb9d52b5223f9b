"""The documentation: every command and YAML block of it runs, every link leads on."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from doc_examples import Block, blocks, commands
from pytest_llm_diagnosis import documents

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SUITE = ROOT / "example_suite"
PAGES = sorted(
    [*DOCS.glob("*.md"), *ROOT.glob("*.md"), SUITE / "README.md"],
    key=lambda page: page.as_posix(),
)
_LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)(?P<target>[^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
# Keys of a case, of a variant's `retrieve:` and the like, shown alone.
_KINDS = {
    "cases": "eval",
    "defaults": "eval",
    "variants": "variants",
    "jobs": "other",
    "repos": "other",
}


def _name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """Return a copy of the example suite: pages are read there."""
    copy = tmp_path / "suite"
    left_out = shutil.ignore_patterns("__pycache__", ".pytest_cache", "adapters")
    shutil.copytree(SUITE, copy, ignore=left_out)
    return copy


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_yaml_block_is_what_it_looks_like(page: Path, suite: Path) -> None:
    """A block of cases collects, one of variants loads, all others are YAML."""
    shown = [block for block in blocks(page) if block.language == "yaml"]
    for number, block in enumerate(shown):
        kind = _kind(block)
        if kind in {"eval", "variants"}:
            _collects(block, kind, number, suite)


def _kind(block: Block) -> str:
    loaded = yaml.safe_load(block.text)
    keys = set(loaded) if isinstance(loaded, dict) else set()
    kinds = {_KINDS[key] for key in keys & set(_KINDS)}
    return kinds.pop() if len(kinds) == 1 else "other"


def _collects(block: Block, kind: str, number: int, suite: Path) -> None:
    """Collect the block beside the suite's documents; its own message else."""
    name = block.file_name or ""
    if "ruined" in name:
        return
    options = []
    if kind == "variants":
        variants = suite / f"llm_variants_{number}.yaml"
        variants.write_text(block.text, encoding="utf-8")
        options = [f"--llm-variants-file={variants}", "--llm-variant=all"]
        target = "quiz.eval.yaml"
    else:
        target = f"block_{number}.eval.yaml"
        (suite / target).write_text(block.text, encoding="utf-8")
    run = _run([sys.executable, "-m", "pytest", "--co", "-q", target, *options], suite)
    assert run.returncode == 0, f"line {block.line}:\n{run.stdout}{run.stderr}"


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```console" in page.read_text()], ids=_name
)
def test_every_command_runs_and_prints_what_it_says(page: Path, suite: Path) -> None:
    """Each command ends as the page says and prints its lines, in their order."""
    for block in blocks(page):
        if block.file_name:
            (suite / block.file_name).write_text(block.text, encoding="utf-8")
        if block.language != "console":
            continue
        for command in commands(block):
            run = _run(["bash", "-c", command.text], suite)
            place = f"{_name(page)}:{command.line}"
            output = run.stdout + run.stderr
            assert run.returncode == command.status, f"{place}: {output}"
            at = 0
            for line in command.printed:
                at = output.find(line, at)
                assert at >= 0, f"{place}: does not print {line!r} there:\n{output}"
                at += len(line)


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - the pages' own commands
        command,
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _environment() -> Mapping[str, str]:
    """Return a reader's environment, where variables are set and answers recorded."""
    bin_folder = str(Path(sys.executable).parent)
    named = ("SMOLLM2_URL", "VLLM_URL", "DATABASE_URL", "APP_URL", "QDRANT_URL")
    return {
        **dict.fromkeys(named, "http://127.0.0.1:9"),
        "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTEST_ADDOPTS": "-p no:cacheprovider --llm-answers=replay",
        "COLUMNS": "80",
        "LC_ALL": "C.UTF-8",
    }


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    """The file exists, and so does the heading behind a `#`."""
    text = _CODE.sub("", page.read_text(encoding="utf-8"))
    for found in _LINK.finditer(text):
        path, _, anchor = found["target"].partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), found["target"]
        if anchor:
            slugs = {one.slug for one in documents.headings(target.read_text("utf-8"))}
            assert anchor in slugs, found["target"]


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_pages_are_up_to_date() -> None:
    """`make docs` would change nothing."""
    for name, made in _generator().PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == made(), (
            f"run make docs: {name}"
        )


def test_the_report_page_names_every_key_of_a_report(suite: Path) -> None:
    """Keys of a real report, of its cases and of its variants stand in the page."""
    path = suite / "report.json"
    options = ["--llm-variant=base,rag", "--llm-answers=replay", f"--llm-report={path}"]
    _run([sys.executable, "-m", "pytest", "-q", "--tb=no", *options], suite)
    report = json.loads(path.read_text(encoding="ascii"))
    page = (DOCS / "report_format.md").read_text(encoding="utf-8")
    case = next(case for case in report["cases"] if case["cause"])
    for keys in (report["run"], case, case["trials"][0], *report["variants"]):
        missing = [key for key in keys if f"`{key}`" not in page]
        assert not missing
