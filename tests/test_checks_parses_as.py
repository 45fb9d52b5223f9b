"""parses_as: seven formats through their parsers, and what stands around them."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from checking import graded, outcome, refusal
from pytest_llm_diagnosis.checks.parsers import MAX_PYTHON, PARSERS
from pytest_llm_diagnosis.records import Json

GOOD = {
    "json": '{"boots": [1, 2]}',
    "yaml": "boots:\n  - size: 41\n    dry: yes",
    "xml": '<boots n="2"><boot/>&amp;</boots>',
    "toml": "[boots]\nsizes = [41, 42]\nmade = 1979-05-27",
    "csv": 'boots,price\n"wide, dry",3',
    "python": "def dry(boots):\n    return [b for b in boots if b.dry]",
    "sql": "SELECT size, COUNT(*) FROM boots WHERE dry GROUP BY size;",
}
BAD = {
    "json": ["{boots: 1}", "{'a': 1}", "[1,]", "NaN"],
    "yaml": ["boots: [1", "just words", "a: b: c", "a: 1\n---\nb: 2", "- a\nb: c"],
    "xml": [
        "<a><b></a>",
        "<a/><b/>",
        "words",
        '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
        "<a>&unknown;</a>",
    ],
    "toml": ["a = ", "a = 1\na = 2", "# nothing", "a.b = 1\na = 2"],
    "csv": ["a,b\n1", "a\nb", 'a,"b', 'a,b\n1,"2" 3', "Here, you go", "Sure,here:"],
    "python": ["def f(:", "return [", "# a remark alone", "print 'x'", "\x00"],
    "sql": ["SELECT FROM WHERE", "the boots are dry", "boots", "SELECT (1"],
}


@pytest.mark.parametrize("name", PARSERS)
@pytest.mark.parametrize("dimension", ["form", "facts"])
def test_what_parses(name: str, dimension: str) -> None:
    """Text of the format passes; spaces around it do no harm."""
    for text in (GOOD[name], f"\n{GOOD[name]}\n"):
        assert outcome("parses_as", name, text, dimension) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in BAD.items() for text in texts]
)
def test_what_does_not_parse(name: str, text: str) -> None:
    """Text that its parser refuses is invalid in either dimension."""
    assert outcome("parses_as", name, text, "form") == f"{name}:invalid"
    assert outcome("parses_as", name, text, "facts") == f"{name}:invalid"


@pytest.mark.parametrize("name", PARSERS)
def test_wrapping_is_told_apart(name: str) -> None:
    """A fence or words around are an instruction problem, and no fact's."""
    fenced = f"```{name}\n{GOOD[name]}\n```"
    prose = f"Here it is!\n\n{fenced}\n\nAnything else?"
    told = {
        fenced: f"{name}:fenced",
        prose: f"{name}:prose_around",
        "": f"{name}:empty",
    }
    for text, code in told.items():
        assert outcome("parses_as", name, text, "form") == code
        assert (outcome("parses_as", name, text) is None) == bool(text)


@pytest.mark.parametrize("name", ["json", "xml", "toml", "csv", "python", "sql"])
def test_words_without_a_fence(name: str) -> None:
    """A line of words before or after is found too."""
    for text in (f"Here, it is!\n\n{GOOD[name]}", f"{GOOD[name]}\n\nAnd, that is it!"):
        assert outcome("parses_as", name, text, "form") == f"{name}:prose_around"


@pytest.mark.parametrize(
    ("fence", "bare", "fenced"),
    [
        ("forbidden", None, "toml:fenced"),
        ("allowed", None, None),
        ("required", "toml:bare", None),
    ],
)
def test_fences(fence: str, bare: str | None, fenced: str | None) -> None:
    """A case may allow or ask for a fence; words around stay wrong."""
    params: Json = {"format": "toml", "fence": fence}
    text = f"~~~\n{GOOD['toml']}\n~~~"
    assert outcome("parses_as", params, GOOD["toml"], "form") == bare
    assert outcome("parses_as", params, text, "form") == fenced
    around = f"So:\n{text}"
    assert outcome("parses_as", params, around, "form") == "toml:prose_around"
    two = f"{text}\n{text}"
    assert outcome("parses_as", params, two, "form") == "toml:prose_around"


def test_nothing_is_run(tmp_path: object) -> None:
    """Python is parsed alone, also where it would raise a warning."""
    text = f"open({str(tmp_path) + '/x'!r}, 'w')\nx = '\\d'\nassert (1, 2)"
    assert outcome("parses_as", "python", text, "form") is None


def test_dialects() -> None:
    """A dialect accepts what another refuses."""
    text = "SELECT `size` FROM boots"
    for dialect, code in (("mysql", None), ("postgres", "sql:invalid")):
        params: Json = {"format": "sql", "dialect": dialect}
        assert outcome("parses_as", params, text, "form") == code


def test_what_is_too_large_is_undecided() -> None:
    """A text that cannot be parsed in time fails nobody."""
    verdict = graded("parses_as", "python", "x=1\n" * MAX_PYTHON, "form")
    assert (verdict.passed, verdict.code) == (None, "python:too_large")


def test_what_the_parser_does_not_know_is_undecided() -> None:
    """Of some statements it reads the first word alone, and so cannot tell."""
    for text in ("EXPLAIN SELECT 1", "CALL f(1)"):
        verdict = graded("parses_as", "sql", text, "form")
        assert (verdict.passed, verdict.code) == (None, "sql:unsupported")
    with_dialect: Json = {"format": "sql", "dialect": "mysql"}
    assert outcome("parses_as", with_dialect, "SHOW TABLES", "form") is None


@pytest.mark.parametrize(
    ("params", "finding", "hint"),
    [
        ("jsn", "unknown format 'jsn'", "did you mean 'json'"),
        ({"format": "csv", "fence": "maybe"}, "fence must be", ""),
        ({"format": "sql", "dialect": "postgre"}, "unknown dialect", "'postgres'"),
        (None, "needs a value for 'format'", ""),
    ],
)
def test_parameters_that_cannot_work(params: Json, finding: str, hint: str) -> None:
    """Each is an input error that names what is valid."""
    problem = refusal("parses_as", params, "form")
    assert finding in problem.finding
    assert hint in problem.hint


@pytest.mark.parametrize(
    ("name", "params", "module", "extra"),
    [
        ("parses_as", "sql", "sqlglot", "sql"),
        ("language", "fr", "py3langid", "language"),
    ],
)
def test_an_extra_that_is_missing(
    name: str, params: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case that needs it says where it stands and how to install it."""
    monkeypatch.setattr(
        "pytest_llm_diagnosis.checks.parameters.find_spec",
        lambda each: None if each == module else find_spec(each),
    )
    problem = refusal(name, params, "form")
    assert problem.finding == f"{name}: needs {module}, which is not installed"
    assert problem.hint == f"pip install 'pytest-llm-diagnosis[{extra}]'"


@pytest.mark.parametrize("text", ["boots,3", "a, b\n1, 2", '"wide, dry",3'])
def test_short_csv(text: str) -> None:
    """A row is CSV by itself unless it reads as words; two rows always are."""
    assert outcome("parses_as", "csv", text, "form") is None
