"""promptfoo configs become eval files and variants that load."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_files import UNTIMED
from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import default_registry
from pytest_llm_diagnosis.cli import main
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.promptfoo import Imported, import_config, summary
from pytest_llm_diagnosis.promptfoo.templates import render
from pytest_llm_diagnosis.promptfoo.testing import _row
from pytest_llm_diagnosis.promptfoo.values import entries, listed
from pytest_llm_diagnosis.promptfoo.writing import comment, item, yaml_text
from pytest_llm_diagnosis.records import Case, CheckSpec, Json
from pytest_llm_diagnosis.source import parse, plain
from pytest_llm_diagnosis.variants import VariantsFile, load_variants

CHECKS = default_registry()


def imported(folder: Path, text: str, **files: str) -> Imported:
    """Return what a config with this text becomes, other files beside it."""
    for name, content in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content), encoding="utf-8")
    path = folder / "promptfooconfig.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return import_config(path, CHECKS)


def loaded(folder: Path, result: Imported) -> tuple[list[Case], VariantsFile]:
    """Return the cases and variants of an import, each check bound."""
    out = folder / "out"
    out.mkdir()
    for name, text in result.files.items():
        (out / name).write_text(text, encoding="utf-8")
    cases = [
        case
        for path in sorted(out.glob("*.eval.yaml"))
        for case in load_cases(path, out, CHECKS)
    ]
    for case in cases:
        for spec in case.checks:
            CHECKS.bind(spec)
    return cases, load_variants(out / "llm_variants.yaml", out, {}, live=False)


def cases_of(folder: Path, text: str, **files: str) -> list[Case]:
    """Return the cases that a config becomes."""
    return loaded(folder, imported(folder, text, **files))[0]


def asserting(folder: Path, assertion: str) -> tuple[Case, Imported]:
    """Return the case of a test with one assertion, a flow mapping."""
    text = "prompts: [Say it.]\ntests:\n- assert:\n  - " + assertion
    result = imported(folder, text)
    (case,), _ = loaded(folder, result)
    return case, result


def told(spec: CheckSpec) -> tuple[str, str, Json]:
    """Return a check as heading, name and parameters."""
    return (spec.dimension, spec.name, spec.params)


LETTER: dict[str, Json] = {"ignore_case": False}
ANY: dict[str, Json] = {"ignore_case": True}

EXPRESSED: list[tuple[str, str, str, Json]] = [
    ("{type: contains, value: Oslo}", "facts", "contains", {"text": "Oslo", **LETTER}),
    ("{type: icontains, value: oslo}", "facts", "contains", {"text": "oslo", **ANY}),
    (
        "{type: contains-any, value: [Oslo, Bergen]}",
        "facts",
        "contains_any",
        {"text": ["Oslo", "Bergen"], **LETTER},
    ),
    (
        "{type: icontains-all, value: 'fjord, ferry'}",
        "facts",
        "contains",
        {"text": ["fjord", "ferry"], **ANY},
    ),
    (
        "{type: not-icontains, value: rain}",
        "facts",
        "excludes",
        {"text": "rain", **ANY},
    ),
    # Marks alone leave no trace in folded text.
    ("{type: contains, value: '##'}", "form", "contains", {"text": "##", **LETTER}),
    ("{type: equals, value: 42}", "facts", "equals", {"text": "42", **LETTER}),
    (
        "{type: equals, value: {a: 1}}",
        "facts",
        "json_value",
        {"path": "$", "equals": {"a": 1}},
    ),
    (
        "{type: not-equals, value: a.b}",
        "facts",
        "not_matches",
        {"pattern": r"\A\s*a\.b\s*\Z"},
    ),
    (
        "{type: regex, value: '(?<a>x)/(?<!y)'}",
        "facts",
        "matches",
        {"pattern": "(?P<a>x)/(?<!y)"},
    ),
    (
        "{type: starts-with, value: Dear}",
        "facts",
        "starts_with",
        {"text": "Dear", **LETTER},
    ),
    ("{type: is-json}", "form", "json", None),
    ("{type: contains-json}", "facts", "json", None),
    (
        "{type: is-json, value: {type: array}}",
        "form",
        "json_schema",
        {"type": "array"},
    ),
    (
        '{type: is-json, value: \'{"type": "array"}\'}',
        "form",
        "json_schema",
        {"type": "array"},
    ),
    ("{type: is-xml}", "form", "parses_as", {"format": "xml"}),
    (
        "{type: is-sql, value: {databaseType: PostgreSQL}}",
        "form",
        "parses_as",
        {"format": "sql", "dialect": "postgres"},
    ),
    ("{type: is-refusal}", "facts", "refuses", None),
    ("{type: not-is-refusal}", "facts", "complies", None),
    (
        "{type: levenshtein, value: abcdefghij, threshold: 2}",
        "facts",
        "fuzzy",
        {"text": "abcdefghij", "whole": True, "threshold": 80},
    ),
    ("{type: word-count, value: {max: 9}}", "form", "max_words", 9),
    ("{type: is-valid-openai-tools-call}", "form", "tool_call", {"count": 1}),
    (
        "{type: llm-rubric, value: is kind, provider: 'openai:gpt-x'}",
        "form",
        "judge",
        {"model": "openai/gpt-x", "rubric": "is kind"},
    ),
    (
        "{type: similar, value: hello, threshold: 0.5}",
        "facts",
        "similar",
        {"text": "hello", "model": "openai/text-embedding-3-small", "at_least": 0.5},
    ),
    (
        "{type: javascript, value: output.includes('Oslo')}",
        "facts",
        "contains",
        {"text": "Oslo", **LETTER},
    ),
    (
        "{type: javascript, value: output.length < 80}",
        "form",
        "matches",
        {"pattern": r"(?s)\A.{0,79}\Z"},
    ),
    (
        "{type: javascript, value: JSON.parse(output).a.b === 'x'}",
        "facts",
        "json_value",
        {"path": "$.a.b", "equals": "x"},
    ),
    (
        "{type: equals, value: x, transform: output.a}",
        "facts",
        "json_value",
        {"path": "$.a", "equals": "x"},
    ),
]


@pytest.mark.parametrize(("assertion", "dimension", "name", "params"), EXPRESSED)
def test_an_assertion_becomes_a_check(
    tmp_path: Path, assertion: str, dimension: str, name: str, params: Json
) -> None:
    """Its heading, name and parameters; nothing is kept."""
    case, result = asserting(tmp_path, assertion)
    assert [told(spec) for spec in case.checks] == [(dimension, name, params)]
    assert not result.tally.reasons


@pytest.mark.parametrize(
    ("assertion", "name", "most"),
    [
        ("{type: latency, threshold: 1500}", "seconds", 1.5),
        ("{type: cost, threshold: 0.02}", "usd", 0.02),
    ],
)
def test_costs_become_limits(
    tmp_path: Path, assertion: str, name: str, most: float
) -> None:
    """A case of limits alone is skipped: it asks for no answer."""
    case, _ = asserting(tmp_path, assertion)
    assert [told(spec) for spec in case.limits] == [("limits", name, most)]
    assert case.skip


@pytest.mark.parametrize(
    ("assertion", "reason"),
    [
        ("{type: javascript, value: 'output.split(1).length'}", "code is not run"),
        ("{type: python, value: 'file://grade.py'}", "grade.py is code"),
        ("{type: javascript, value: 'output.length > 3 || true'}", "code is not run"),
        ("{type: rouge-n, value: hello}", "no check of ours is a rouge-n"),
        ("{type: not-is-json}", "no check says the opposite of is-json"),
        ("{type: contains, value: ''}", "it gives no text to look for"),
        ("{type: contains, value: x, weight: 0}", "its weight is 0"),
        (
            "{type: contains, value: x, transform: output.split(' ')}",
            "its transform is",
        ),
        ("{type: regex, value: '(a'}", "broken regular expression"),
        ("{type: is-json, value: 'file://../schema.json'}", "outside the root folder"),
        ("{type: contains, value: '{{nobody}}'}", "template could not be filled"),
        ("plain text", "no check of ours is a (none)"),
    ],
)
def test_what_cannot_be_expressed_is_kept(
    tmp_path: Path, assertion: str, reason: str
) -> None:
    """It stands as a comment with its reason, is counted, and the case skipped."""
    case, result = asserting(tmp_path, assertion)
    (why,) = result.tally.reasons.values()
    assert reason in why
    (text,) = (text for name, text in result.files.items() if "eval" in name)
    assert "# kept from promptfoo: " in text
    assert case.skip == "no assertion of this test could be imported as a check"


def test_every_prompt_is_asked_with_every_product_of_vars(tmp_path: Path) -> None:
    """Two prompts, and two towns by one sport: an eval file each, ids from values."""
    result = imported(
        tmp_path,
        """
        prompts:
          - {raw: "Is there {{sport}} in {{town}}?", label: Plain}
          - "Sport {{sport}}, town {{ town }}: yes or no?"
        tests:
          - vars: {sport: skiing, town: [Oslo, Bergen]}
            assert: [{type: contains, value: "{{town}}"}]
        """,
    )
    cases, _ = loaded(tmp_path, result)
    assert len(result.files) == 3
    assert [case.id for case in cases] == ["skiing-oslo", "skiing-bergen"] * 2
    assert [case.messages[0]["content"] for case in cases] == [
        "Is there skiing in Oslo?",
        "Is there skiing in Bergen?",
        "Sport skiing, town Oslo: yes or no?",
        "Sport skiing, town Bergen: yes or no?",
    ]
    assert {case.cluster for case in cases} == {"skiing-oslo"}
    assert result.tally.totals() == {"contains": 1}


def test_defaults_scenarios_and_references_are_followed(tmp_path: Path) -> None:
    """Assertions of defaultTest come first; `$ref` points within the config."""
    (case,) = cases_of(
        tmp_path,
        """
        prompts: ["{{greeting}} {{name}}"]
        defaultTest:
          vars: {greeting: Good day}
          assert: [{$ref: "#/templates/short"}]
        scenarios:
          - config: [{vars: {name: Ada}}]
            tests:
              - description: Greets by name
                assert: [{type: icontains, value: "{{name}}"}]
        templates: {short: {type: word-count, value: {max: 5}}}
        """,
    )
    assert case.id == "greets-by-name"
    assert case.messages[0]["content"] == "Good day Ada"
    assert [spec.name for spec in case.checks] == ["contains", "max_words"]


def test_tables_beside_the_config_are_read(tmp_path: Path) -> None:
    """CSV with expectations, and JSON lines."""
    cases = cases_of(
        tmp_path,
        """
        prompts: [file://ask.txt]
        tests: [file://towns.csv, more.jsonl]
        """,
        ask_txt="Where is {{town}}?\n---\nTell me of {{town}}.",
        towns_csv="town,__expected,__expected2\n"
        "Oslo,Norway,levenshtein(1): Norge\nRiga,icontains: latvia,\n",
        more_jsonl='{"vars": {"town": "Bern"}, "assert": [{"type": "is-json"}]}\n',
    )
    assert [case.id for case in cases] == ["oslo", "riga", "bern"] * 2
    assert [spec.name for spec in cases[0].facts] == ["equals", "fuzzy"]
    assert [spec.name for spec in cases[1].facts] == ["contains"]
    assert cases[2].mark == "behavior"
    asked = [case.messages[0]["content"] for case in cases if case.id == "oslo"]
    assert sorted(map(str, asked)) == ["Tell me of Oslo.", "Where is Oslo?"]


@pytest.mark.parametrize(
    ("cell", "kind", "value"),
    [
        ("Oslo", "equals", "Oslo"),
        # Only what promptfoo knows stands before a colon.
        ("note: it rains", "equals", "note: it rains"),
        ("is-json", "is-json", None),
        ("not-contains:rain", "not-contains", "rain"),
        ("fn: output.length", "javascript", "output.length"),
        ("grade: is kind", "llm-rubric", "is kind"),
        ("file://grade.py", "javascript", "file://grade.py"),
    ],
)
def test_an_expectation_of_a_table(cell: str, kind: str, value: Json) -> None:
    """What a cell of `__expected` asserts."""
    (assertion,) = listed(_row({"town": "Oslo", "__expected": cell})["assert"])
    given = entries(assertion)
    assert given["type"] == kind
    assert given.get("value") == value


def test_turns_are_filled_in_before_they_can_break(tmp_path: Path) -> None:
    """A quote in a var stays inside its turn; the system turn leads."""
    (case,) = cases_of(
        tmp_path,
        """
        prompts: [file://chat.json]
        tests: [{vars: {q: 'Say "no".'}, assert: [{type: contains, value: no}]}]
        """,
        chat_json='[{"role": "system", "content": "Be brief."},'
        ' {"role": "user", "content": "{{q}}"}]',
    )
    assert case.system == "Be brief."
    assert case.messages == ({"role": "user", "content": 'Say "no".'},)


@pytest.mark.parametrize(
    ("prompt", "skip"),
    [
        ("file://ask.py", "ask.py is code, which is not run"),
        ("file://../secret.txt", "outside the root folder"),
        ("file:///etc/hostname.txt", "outside the root folder"),
        ("langfuse://ask", "it is kept elsewhere"),
        ("{% if x %}a{% endif %}", "a template that is still to be filled in"),
        ("{{ x | upper }}", "a template that is still to be filled in"),
        ("Hello {{nobody}}", "a template that is still to be filled in"),
    ],
)
def test_a_prompt_that_cannot_be_had_skips_its_cases(
    tmp_path: Path, prompt: str, skip: str
) -> None:
    """The checks are kept, and the reason says what is to be done."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "secret.txt").write_text("the secret", encoding="utf-8")
    result = imported(
        tmp_path / "inner",
        f"prompts: ['{prompt}']\n"
        "tests: [{vars: {x: y}, assert: [{type: contains, value: z}]}]",
    )
    (case,), _ = loaded(tmp_path, result)
    assert case.skip is not None
    assert skip in case.skip
    assert [spec.name for spec in case.facts] == ["contains"]
    assert "the secret" not in "".join(result.files.values())


def test_providers_become_variants(tmp_path: Path) -> None:
    """Names of litellm, known params, keys by name only; code is an application."""
    result = imported(
        tmp_path,
        """
        prompts: [Hello]
        providers:
          - openai:gpt-x
          - id: anthropic:messages:claude-x
            label: Claude
            config: {temperature: 0, max_tokens: 9, apiKey: sk-written-out}
          - id: azure:chat:mine
            config: {apiHost: mine.example.com, apiKey: "{{env.AZURE_KEY}}"}
          - file://provider.py
          - openai:image:pictures
          - openai:gpt-x
        """,
    )
    _, file = loaded(tmp_path, result)
    written = {
        name: (one.written.model if one.written else one.call)
        for name, one in file.variants.items()
    }
    assert written == {
        "openai-gpt-x": "openai/gpt-x",
        "Claude": "anthropic/claude-x",
        "azure-chat-mine": "azure/mine",
        "provider.py": "application:answer",
        "openai-gpt-x-2": "openai/gpt-x",
    }
    claude, azure = file.variants["Claude"].written, file.variants["azure-chat-mine"]
    assert claude is not None
    assert claude.params == {"temperature": 0, "max_tokens": 9}
    assert azure.written is not None
    assert azure.written.api_base == "https://mine.example.com"
    assert azure.written.api_key == "${AZURE_KEY}"
    text = result.files["llm_variants.yaml"]
    assert "sk-written-out" not in text
    assert "# kept from promptfoo: openai:image:pictures" in text
    assert file.default is None


def test_a_tool_call_is_no_json_text(tmp_path: Path) -> None:
    """What promptfoo takes for JSON is a call: here it is checked as one."""
    (case,) = cases_of(
        tmp_path,
        """
        prompts: [Weather?]
        providers:
          - id: openai:gpt-x
            config:
              tools: [{type: function, function: {name: weather, parameters: {}}}]
        tests:
          - assert:
              - type: is-json
              - type: is-valid-openai-tools-call
              - {type: equals, value: weather, transform: "output[0].function.name"}
        """,
    )
    assert [told(spec) for spec in case.checks] == [
        ("facts", "tool_call", "weather"),
        ("form", "tool_call", "weather"),
    ]
    assert [tool["type"] for tool in case.tools] == ["function"]


def test_nothing_is_fetched_and_tests_elsewhere_are_told(tmp_path: Path) -> None:
    """Assertions whose tests are elsewhere count as kept."""
    result = imported(
        tmp_path,
        """
        prompts: ["{{q}}"]
        defaultTest: {assert: [{type: is-json}]}
        tests: https://example.com/tests.csv
        """,
    )
    assert list(result.files) == ["llm_variants.yaml"]
    assert result.tally.totals() == {"is-json": 1}
    assert not result.tally.expressed()
    assert "https://example.com/tests.csv is not fetched" in "\n".join(result.kept)


@pytest.mark.parametrize("text", ["[]", "hello", "- a: 1"])
def test_what_is_no_config_is_said(tmp_path: Path, text: str) -> None:
    """One line that names the file."""
    with pytest.raises(InputError, match="not a promptfoo config"):
        imported(tmp_path, text)


def test_a_var_whose_file_is_missing_skips_its_case(tmp_path: Path) -> None:
    """A prompt with the file's name instead of its text is not worth a call."""
    cases = cases_of(
        tmp_path,
        """
        prompts: ["Read this: {{a}}"]
        tests:
          - {vars: {a: file://here.txt}, assert: [{type: contains, value: x}]}
          - {vars: {a: file://gone.txt}, assert: [{type: contains, value: x}]}
        """,
        here_txt="a text",
    )
    assert cases[0].messages[0]["content"] == "Read this: a text"
    assert [case.skip for case in cases] == [
        None,
        "a file could not be read: var a: the file 'gone.txt' does not exist",
    ]


def test_what_is_kept_is_yaml_when_it_is_uncommented(tmp_path: Path) -> None:
    """Code of many words and lines comes back word for word."""
    code = "output.a && " * 20 + "x"
    _, result = asserting(tmp_path, f"{{type: javascript, value: '{code}'}}")
    text = result.files["promptfoo.eval.yaml"]
    kept = text.partition("code is not run\n")[2].replace("    # ", "")
    assert plain(parse(kept, Path("a"))) == [{"type": "javascript", "value": code}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)


@UNTIMED
@given(value=JSON)
def test_any_config_is_read_without_a_crash(
    tmp_path_factory: pytest.TempPathFactory, value: Json
) -> None:
    """Whatever stands where, the import ends with files that load."""
    folder = tmp_path_factory.mktemp("any")
    keys = ("prompts", "providers", "tests", "defaultTest", "scenarios")
    for key in keys:
        result = imported(folder, yaml_text({key: value, "description": "x"}))
        assert "llm_variants.yaml" in result.files
    tests: Json = [{"vars": value, "assert": value, "options": value}]
    result = imported(folder, yaml_text({"tests": tests, "prompts": ["{{a}}"]}))
    loaded(folder, result)


@UNTIMED
@given(value=JSON)
def test_what_is_written_reads_back_the_same(value: Json) -> None:
    """Also text that YAML 1.2 would take for a number, and text of many lines."""
    written = "a:\n" + item({"b": value}) + comment("x\n  y")
    assert plain(parse(written, Path("a.yaml"))) == {"a": [{"b": value}]}


@pytest.mark.parametrize(
    "text", ["1e3", "null", "~", "a\n...\n\n", "a\n\n", "...", "\x85", "\u2028\n", "\t"]
)
def test_awkward_text_reads_back_the_same(text: str) -> None:
    """Values that one reader or another would take for something else."""
    assert plain(parse(yaml_text({"a": text, "b": 1}, 2), Path("a"))) == {
        "a": text,
        "b": 1,
    }


@pytest.mark.parametrize(
    ("text", "filled", "left"),
    [
        ("{{a}} {{ b.c }} {{-d[0]-}}", "1 x y", ()),
        ("{{e}}", "1", ()),
        ("{{ f }}", "{{ f }}", ("{{ f }}",)),
        ('{"x": {{ q | dump }}}', '{"x": "\\"hi\\""}', ()),
        ("{{ a | upper }}", "{{ a | upper }}", ("{{ a | upper }}",)),
        ("{% for x in a %}{{x}}{% endfor %}", None, ("{% ... %}",)),
    ],
)
def test_templates(text: str, filled: str | None, left: tuple[str, ...]) -> None:
    """Vars, their parts, vars of vars; a circle ends; all else stays."""
    variables: dict[str, Json] = {
        "a": 1,
        "b": {"c": "x"},
        "d": ["y"],
        "e": "{{a}}",
        "f": "{{ f }}",
        "q": '"hi"',
    }
    rendered = render(text, variables)
    assert rendered.text == (text if filled is None else filled)
    assert rendered.left == left


def test_the_command_writes_and_sums_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files and figures; a second time nothing is overwritten."""
    imported(
        tmp_path,
        """
        prompts: [Hello]
        providers: [echo]
        tests: [{assert: [{type: icontains, value: hello}, {type: bleu, value: x}]}]
        """,
    )
    arguments = ["import", "promptfoo", str(tmp_path / "promptfooconfig.yaml")]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert f"wrote {tmp_path / 'promptfoo.eval.yaml'}" in out
    assert "assertions decided by rules: 1 of 2 became checks" in out
    assert "kept as comment: 1 x bleu: no check of ours is a bleu" in out
    before = (tmp_path / "promptfoo.eval.yaml").read_text(encoding="utf-8")
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "promptfoo.eval.yaml").read_text(encoding="utf-8") == before


def test_the_summary_is_plain_text(tmp_path: Path) -> None:
    """What the config says cannot move the cursor of a terminal."""
    result = imported(tmp_path, 'tests: ["https://a/\\e[2J"]\nprompts: [x]')
    assert all(line.isprintable() for line in summary(result, ()))
