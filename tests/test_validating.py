"""`llm-diagnosis validate`: what is wrong with a suite, without a run."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from conftest import ANSWERS, CASES, RETURNS, VARIANTS
from pytest_llm_diagnosis.cli import main
from test_cli import OWN_CHECKS


def put(folder: Path, name: str, text: str) -> None:
    """Write a file and the folders above it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project without a mistake; we stand in it."""
    put(tmp_path, "a.eval.yaml", CASES)
    put(tmp_path, "docs/returns.md", RETURNS)
    put(tmp_path, "llm_variants.yaml", VARIANTS)
    put(tmp_path, "answers.yaml", ANSWERS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def validated(
    capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, list[str]]:
    """Return the status and the lines of a command."""
    status = main(["validate", *arguments])
    return status, capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "2 files, 3 cases: no problem"),
        (["a.eval.yaml"], "1 file, 3 cases: no problem"),
        (["llm_variants.yaml"], "1 file, 0 cases: no problem"),
    ],
)
@pytest.mark.usefixtures("project")
def test_a_good_project(
    capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    """Everything below here, or what is named."""
    assert validated(capsys, *arguments) == (0, [told])


def test_every_finding_is_located(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """All files, all problems, sorted; the ideal fails, a key is unknown."""
    put(project, "evals/b.eval.yaml", "cases: [{id: b, prmpt: q}]\n")
    put(project, ".hidden/d.eval.yaml", "cases: 3\n")
    bad = CASES.replace("ideal: 45 days from delivery.", "ideal: 30 days.")
    (project / "a.eval.yaml").write_text(bad, "utf-8")
    (project / "llm_variants.yaml").write_text("variants: {v: {modl: m}}\n", "utf-8")
    status, lines = validated(capsys)
    assert status == 1
    findings = [line for line in lines[:-1] if not line.startswith(" ")]
    assert findings[0].startswith(
        "a.eval.yaml:10: the ideal of 'boots-window' fails its own check number"
    )
    assert "evals/b.eval.yaml:1: unknown key 'prmpt'" in findings
    assert findings[-1] == "llm_variants.yaml:1: unknown key 'modl' in 'v'"
    assert lines[-1] == f"3 files, 3 cases: {len(findings)} problems"


@pytest.mark.usefixtures("project")
def test_a_variable_need_not_be_set(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is called."""
    text = "variants: {v: {call: '${NOWHERE_SET}/answer'}}\n"
    (project / "llm_variants.yaml").write_text(text, "utf-8")
    assert validated(capsys)[0] == 0


def test_what_is_odd_is_a_warning(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty answer passes: told, and let through, as in a run."""
    case = "{id: e, mark: behavior, prompt: q, form: [max_words: 5]}"
    (project / "a.eval.yaml").write_text(f"cases: [{case}]\n", "utf-8")
    status, lines = validated(capsys)
    assert status == 0
    assert lines[0] == (
        "a.eval.yaml:1: warning: an empty answer passes every check of 'e'"
    )


def test_other_files_are_refused(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A name that no eval file has, one that is missing, one that is elsewhere."""
    status, lines = validated(capsys, "answers.yaml")
    assert (status, lines[:2]) == (
        1,
        [
            "answers.yaml:1: neither an eval file nor a variants file",
            "  valid: *.eval.yaml, llm_variants.yaml",
        ],
    )
    for name in ("missing.eval.yaml", str(project.parent / "x.eval.yaml")):
        status, lines = validated(capsys, name)
        assert status == 1
        assert name in lines[0]


def test_registered_checks_are_known(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--conftest`; without it they are unknown."""
    (project / "conftest.py").write_text(OWN_CHECKS, "utf-8")
    case = "{id: h, mark: behavior, prompt: q, form: [polite], ideal: yes please}"
    (project / "a.eval.yaml").write_text(f"cases: [{case}]\n", "utf-8")
    assert validated(capsys)[0] == 1
    status, lines = validated(capsys, "--conftest", "conftest.py")
    assert (status, lines) == (0, ["2 files, 1 case: no problem"])


def test_the_hook_validates_what_it_is_given() -> None:
    """Its entry is the command, and its pattern both kinds of files."""
    import re

    path = Path(__file__).parent.parent / ".pre-commit-hooks.yaml"
    (hook,) = yaml.safe_load(path.read_text("utf-8"))
    assert hook["entry"] == "llm-diagnosis validate"
    names = {
        "a.eval.yaml": True,
        "evals/b.eval.yaml": True,
        "llm_variants.yaml": True,
        "evals/llm_variants.yaml": True,
        "my_llm_variants.yaml": False,
        "a.yaml": False,
    }
    assert {name: bool(re.search(hook["files"], name)) for name in names} == names
