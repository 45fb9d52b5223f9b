"""JUnit XML: what is known of a case, well-formed whatever the model said."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from conftest import EvalSuite

CASES = """\
cases:
  - id: hostile
    mark: knowledge
    cluster: "a<b>&\\"]]>"
    prompt: Say something.
    facts: [contains: never said]
"""
APP = r"""
def app(messages):
    return "]]> <![CDATA[ &amp; <b> \x00\x1b[31m\x7f\ud800\ufffe\U0001f600 ::error::x"
"""
VARIANTS = """\
default: app
variants: {app: {call: "app:app"}}
"""


def read_back(suite: EvalSuite, *arguments: str) -> dict[str, dict[str, str]]:
    """Run, parse the file, and return each testcase's properties by its name."""
    suite.run("--junitxml=junit.xml", *arguments)
    root = ET.parse(suite.path / "junit.xml").getroot()  # noqa: S314 - ours
    return {
        str(case.get("name")): {
            str(one.get("name")): str(one.get("value"))
            for one in case.iterfind("properties/property")
        }
        for case in root.iter("testcase")
    }


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_a_testcase_tells_what_is_known(suite: EvalSuite, arguments: list[str]) -> None:
    """Mark, variant, cluster and cost, and the cause that came after the report."""
    found = read_back(suite, *arguments)
    causes = {name: case["llm_cause"] for name, case in found.items()}
    assert causes == {
        "boots-window[base]": "knowledge",
        "worn-window[base]": "knowledge",
        "capital[base]": "instruction",
    }
    capital = found["capital[base]"]
    assert (capital["llm_mark"], capital["llm_variant"]) == ("behavior", "base")
    assert capital["llm_cluster"]


def test_a_cost_is_what_this_run_paid(suite: EvalSuite) -> None:
    """Stored answers cost nothing; without a price there is no property."""
    first = read_back(suite, "--llm-probe=off")
    assert "llm_usd" not in first["capital[base]"]
    again = read_back(suite, "--llm-probe=off")
    assert again["capital[base]"]["llm_usd"] == "0.000000"


def test_passed_cases_have_no_cause(good_suite: EvalSuite) -> None:
    """Nor have tests that ask no model any property."""
    found = read_back(good_suite)
    assert "llm_cause" not in found["fine[base]"]
    assert found["fine[base]"]["llm_mark"] == "knowledge"
    assert found["test_python"] == {}


def test_a_broken_teardown_leaves_the_cause_where_the_failure_is(
    suite: EvalSuite,
) -> None:
    """Then pytest writes two testcases of one name: failure, and error."""
    suite.write_file(
        "conftest.py",
        """\
        def pytest_runtest_teardown(item):
            raise RuntimeError("broken")
        """,
    )
    suite.run("--junitxml=junit.xml", "-k", "capital")
    root = ET.parse(suite.path / "junit.xml").getroot()  # noqa: S314 - ours
    first, second = root.iter("testcase")
    assert first.find("failure") is not None
    assert first.find("properties/property[@name='llm_cause']") is not None
    assert second.find("properties/property[@name='llm_cause']") is None


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
@pytest.mark.parametrize("logging", ["no", "all"])
def test_hostile_answers_stay_text(
    empty_suite: EvalSuite, logging: str, arguments: list[str]
) -> None:
    """Control characters, lone surrogates and the ends of sections."""
    empty_suite.write_file("a.eval.yaml", CASES)
    empty_suite.write_file("llm_variants.yaml", VARIANTS)
    empty_suite.write_file("app.py", APP)
    found = read_back(
        empty_suite, "-vv", "-o", f"junit_logging={logging}", "-rA", *arguments
    )
    assert found["hostile[app]"]["llm_cluster"] == 'a<b>&"]]>'
    root = ET.parse(empty_suite.path / "junit.xml").getroot()  # noqa: S314 - ours
    (failure,) = root.iter("failure")
    assert "]]> <![CDATA[ &amp; <b>" in str(failure.text)


NAMED = """\
cases:
  - id: "a<&>'"
    mark: knowledge
    prompt: Say something.
    facts: [contains: never said]
"""


@pytest.mark.parametrize("family", ["xunit1", "xunit2"])
@pytest.mark.parametrize(
    "arguments", [[], ["-n2"], ["-o", "llm_variant="]], ids=["one", "n2", "skipped"]
)
def test_hostile_names_stay_names(
    empty_suite: EvalSuite, arguments: list[str], family: str
) -> None:
    """A folder and a file may be named by what XML has no place for."""
    empty_suite.write_file("a\x02<&/b\x1b.eval.yaml", NAMED)
    chosen = VARIANTS if "-o" not in arguments else VARIANTS.partition("\n")[2]
    empty_suite.write_file("llm_variants.yaml", chosen)
    empty_suite.write_file("app.py", APP)
    name = "a<&>'" if "-o" in arguments else "a<&>'[app]"
    assert name in read_back(empty_suite, "-o", f"junit_family={family}", *arguments)
    root = ET.parse(empty_suite.path / "junit.xml").getroot()  # noqa: S314 - ours
    (testcase,) = root.iter("testcase")
    assert testcase.get("classname") == "a#x02<&.b#x1B.eval.yaml"
    file = "a#x02<&/b#x1B.eval.yaml" if family == "xunit1" else None
    assert testcase.get("file") == file
