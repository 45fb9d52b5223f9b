"""Bad eval files: the first line says where and what, and nothing ever crashes."""

from __future__ import annotations

import contextlib
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eval_files import Checks, shown, write
from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.variants import load_variants

GOOD = "id: a, mark: knowledge, prompt: q, facts: [contains: x]"


class Bad(NamedTuple):
    """An eval file, the first line of its report, and a part of its hint."""

    text: str
    first: str
    hint: str = ""


def case(keys: str) -> str:
    """Return an eval file with one case of these keys, on its second line."""
    return f"cases:\n  - {{{keys}}}\n"


def case_but(**keys: str | None) -> str:
    """Return an eval file with one good case, but for these keys."""
    good = {"id": "a", "mark": "knowledge", "prompt": "q", "facts": "[contains: x]"}
    parts = {**good, **keys}
    return case(", ".join(f"{key}: {parts[key]}" for key in parts if parts[key]))


USER = "{role: user, content: q}"
ROWS = {"id": '"a-{n}"', "prompt": '"{n}"'}

BAD = {
    # the file
    "not YAML": Bad(
        "cases:\n  - prompt: Log this: torn\n",
        "a.eval.yaml:2: not YAML: mapping values are not allowed in this context",
        "needs quotes",
    ),
    "empty file": Bad("", "a.eval.yaml:1: the file is empty"),
    "comments only": Bad("# nothing\n", "a.eval.yaml:1: the file is empty"),
    "text": Bad(
        "hello", "a.eval.yaml:1: the file must be a mapping, got 'hello'"
    ),
    "list": Bad("- a", "a.eval.yaml:1: the file must be a mapping, got a list"),
    "no cases": Bad("defaults: {}", "a.eval.yaml:1: the file has no 'cases'"),
    "empty cases": Bad("cases: []", "a.eval.yaml:1: 'cases' must not be empty"),
    "null cases": Bad("cases:\n", "a.eval.yaml:1: 'cases' must be a list, got nothing"),
    "duplicate key": Bad(
        "cases:\n  - id: a\n    mark: knowledge\n    id: b\n",
        "a.eval.yaml:4: duplicate key 'id'",
        "first given in line 2",
    ),
    "unsafe tag": Bad(
        case_but(prompt="!!python/name:os.system"),
        "a.eval.yaml:2: the tag '!!python/name:os.system' is not allowed",
    ),
    "alias bomb": Bad(
        "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
        + "".join(
            f"{c}: &{c} [{', '.join([f'*{p}'] * 10)}]\n"
            for p, c in zip("abcdefg", "bcdefgh", strict=True)
        ),
        "a.eval.yaml:4: the alias '*c' makes the file explode",
        "defaults",
    ),
    # keys and types
    "unknown key": Bad(
        case(f"{GOOD}, evidnce: x"),
        "a.eval.yaml:2: unknown key 'evidnce'",
        "did you mean 'evidence'? valid: id, mark, prompt",
    ),
    "unknown top key": Bad(
        f"case: []\n{case(GOOD)}",
        "a.eval.yaml:1: unknown key 'case'",
        "did you mean 'cases'? valid: defaults, cases",
    ),
    "unknown key in defaults": Bad(
        f"defaults: {{sytem: x}}\n{case(GOOD)}",
        "a.eval.yaml:1: unknown key 'sytem'",
        "did you mean 'system'?",
    ),
    "wrong type": Bad(
        case_but(trials="three"),
        "a.eval.yaml:2: 'trials' must be a whole number, got 'three'",
    ),
    "wrong type in defaults": Bad(
        f"defaults: {{tags: slow}}\n{case(GOOD)}",
        "a.eval.yaml:1: 'tags' must be a list, got 'slow'",
        "write it as a list",
    ),
    "null": Bad(
        case_but(evidence="~"),
        "a.eval.yaml:2: 'evidence' must be text, a mapping or a list, got nothing",
    ),
    "case is text": Bad(
        "cases:\n  - boots\n",
        "a.eval.yaml:2: a case must be a mapping, got 'boots'",
    ),
    # what a case must have
    "missing id": Bad(case_but(id=None), "a.eval.yaml:2: the case has no 'id'"),
    "missing mark": Bad(
        case_but(mark=None),
        "a.eval.yaml:2: case 'a' has no 'mark'",
        "valid: knowledge, behavior",
    ),
    "missing prompt": Bad(
        case_but(prompt=None),
        "a.eval.yaml:2: case 'a' has no 'prompt'",
        "give it 'prompt' or 'messages'",
    ),
    "misspelt prompt": Bad(
        case_but(prompt=None, promt="q"),
        "a.eval.yaml:2: unknown key 'promt'",
        "did you mean 'prompt'?",
    ),
    "empty prompt": Bad(
        case_but(prompt="''"), "a.eval.yaml:2: 'prompt' must not be empty"
    ),
    "prompt and messages": Bad(
        case_but(messages="[{role: user, content: q}]"),
        "a.eval.yaml:2: 'prompt' and 'messages' are both given",
        "keep one of them",
    ),
    "only a system turn": Bad(
        case_but(prompt=None, messages="[{role: system, content: q}]"),
        "a.eval.yaml:2: 'messages' holds nothing but a system prompt",
    ),
    "a late system turn": Bad(
        case_but(prompt=None, messages=f"[{USER}, {{role: system, content: s}}]"),
        "a.eval.yaml:2: a system turn must be the first",
    ),
    "a turn without content": Bad(
        case_but(prompt=None, messages="[{role: user}]"),
        "a.eval.yaml:2: turn 1 says nothing",
        "give 'content'",
    ),
    "no check": Bad(
        case_but(facts=None),
        "a.eval.yaml:2: case 'a' has no check",
        "give it at least one under 'facts' or 'form'",
    ),
    "empty checks": Bad(case_but(facts="[]"), "a.eval.yaml:2: case 'a' has no check"),
    "limits only": Bad(
        case_but(facts=None, limits="{seconds: 1}"),
        "a.eval.yaml:2: case 'a' has no check",
    ),
    "pass_at above trials": Bad(
        case(f"{GOOD}, trials: 2, pass_at: 3"),
        "a.eval.yaml:2: 'pass_at' is 3, but 'trials' is 2",
        "counts the trials that must pass",
    ),
    # names
    "duplicate id": Bad(
        f"cases:\n  - {{{GOOD}}}\n  - {{{GOOD}}}\n",
        "a.eval.yaml:3: duplicate id 'a'",
        "first given in a.eval.yaml:2",
    ),
    "bad mark": Bad(
        case_but(mark="knowlege"),
        "a.eval.yaml:2: 'mark' must be 'knowledge' or 'behavior', got 'knowlege'",
        "did you mean 'knowledge'?",
    ),
    "bracket in id": Bad(
        case_but(id="'a[1]'"), "a.eval.yaml:2: the id 'a[1]' must not contain '['"
    ),
    "colons in id": Bad(
        case_but(id="'a::b'"), "a.eval.yaml:2: the id 'a::b' must not contain '::'"
    ),
    "newline in id": Bad(
        case_but(id=r'"a\nb"'),
        r"a.eval.yaml:2: the id 'a\nb' must be one line of printable text",
    ),
    "space around id": Bad(
        case_but(id="' a'"),
        "a.eval.yaml:2: the id ' a' must not begin or end with a space",
    ),
    "id is a number": Bad(
        case_but(id="42"), "a.eval.yaml:2: 'id' must be text, got 42", "in quotes"
    ),
    "tag is no marker": Bad(
        case_but(tags="[slow tests]"),
        "a.eval.yaml:2: the tag 'slow tests' cannot be a marker",
    ),
    "tag is a word of -m": Bad(
        case_but(tags="[not]"), "a.eval.yaml:2: the tag 'not' cannot be a marker"
    ),
    # checks
    "unknown check": Bad(
        case_but(facts="[contians: x]"),
        "a.eval.yaml:2: unknown check 'contians'",
        "did you mean 'contains'? checks: contains, number, json, tool_call",
    ),
    "limit among facts": Bad(
        case_but(facts="[seconds: 1]"),
        "a.eval.yaml:2: 'seconds' stands under limits, not under facts",
    ),
    "wrong parameter": Bad(
        case_but(facts="[number: {value: many}]"),
        "a.eval.yaml:2: 'value' in 'number' must be a number, got 'many'",
    ),
    "missing parameter": Bad(
        case_but(facts="[number: {unit: days}]"),
        "a.eval.yaml:2: 'number' in 'facts' has no 'value'",
    ),
    # files
    "missing evidence": Bad(
        case_but(evidence="dcs/returns.md"),
        "a.eval.yaml:2: evidence file 'dcs/returns.md' does not exist",
    ),
    "misspelt evidence": Bad(
        case_but(evidence="docs/return.md"),
        "a.eval.yaml:2: evidence file 'docs/return.md' does not exist",
        "did you mean 'docs/returns.md'?",
    ),
    "unknown section": Bad(
        case_but(evidence="[docs/returns.md#botts]"),
        "a.eval.yaml:2: 'docs/returns.md' has no section 'botts'",
        "did you mean 'boots'? sections: returns, boots",
    ),
    "evidence outside": Bad(
        case_but(evidence="../outside.md"),
        "a.eval.yaml:2: evidence file '../outside.md' is outside the root folder",
    ),
    "absolute evidence": Bad(
        case_but(evidence="/etc/passwd"),
        "a.eval.yaml:2: evidence file '/etc/passwd' is outside the root folder",
    ),
    "evidence linked outside": Bad(
        case_but(evidence="link.md"),
        "a.eval.yaml:2: evidence file 'link.md' is outside the root folder",
    ),
    "evidence not UTF-8": Bad(
        case_but(evidence="latin.md"), "latin.md:2: not UTF-8: byte 0xe9"
    ),
    "missing system file": Bad(
        case_but(system="house.md"),
        "a.eval.yaml:2: system file 'house.md' does not exist",
    ),
    # rows
    "missing rows": Bad(
        case_but(**ROWS, each="no.csv"),
        "a.eval.yaml:2: each file 'no.csv' does not exist",
    ),
    "rows outside": Bad(
        case_but(**ROWS, each="../outside.csv"),
        "a.eval.yaml:2: each file '../outside.csv' is outside the root folder",
    ),
    "unknown kind of rows": Bad(
        case_but(**ROWS, each="docs/returns.md"),
        "a.eval.yaml:2: 'each' cannot read 'docs/returns.md'",
        "a .csv file, a .jsonl file, or a list",
    ),
    "unknown column": Bad(
        case_but(prompt='"{n}"', each="[{m: x}, {m: y}]"),
        "a.eval.yaml:2: unknown column 'n'",
        "columns: m; write {{ and }} for braces",
    ),
    "misspelt column": Bad(
        case_but(id='"a-{odrer}"', each="rows.csv"),
        "a.eval.yaml:2: unknown column 'odrer'",
        "did you mean 'order'? columns: order, n",
    ),
    "lone brace": Bad(
        case_but(prompt="'a { b'", each="[{n: 1}]"), "a.eval.yaml:2: a lone '{'"
    ),
    "empty cell": Bad(
        case_but(id='"{order}"', prompt='"{n}"', each="rows.csv"),
        "rows.csv:3: row 2: 'prompt' must not be empty",
        "in the case at a.eval.yaml:2",
    ),
    "duplicate id in rows": Bad(
        case_but(id='"{order}"', each="twice.csv"),
        "twice.csv:3: row 2: duplicate id 'A1'",
        "first given in twice.csv:2; in the case at a.eval.yaml:2",
    ),
    "id without a column": Bad(
        case_but(each="[{n: 1}, {n: 2}]"),
        "a.eval.yaml:2: row 2: duplicate id 'a'",
    ),
    "a case repeated by an alias": Bad(
        f"cases:\n  - &c {{{GOOD}}}\n  - *c\n", "a.eval.yaml:2: duplicate id 'a'"
    ),
    "bad mark in an inline row": Bad(
        'cases:\n  - id: "{n}"\n    mark: "{m}"\n    prompt: q\n    form: [json]\n'
        "    each:\n      - {n: 1, m: behavior}\n      - {n: 2, m: behaviour}\n",
        "a.eval.yaml:8: row 2: 'mark' must be 'knowledge' or 'behavior', "
        "got 'behaviour'",
        "did you mean 'behavior'?",
    ),
    "evidence named by a row": Bad(
        case_but(id='"{f}"', evidence='"docs/{f}.md"', each="files.csv"),
        "files.csv:3: row 2: evidence file 'docs/missing.md' does not exist",
    ),
    "ragged CSV": Bad(
        case_but(each="ragged.csv"),
        "ragged.csv:3: 3 cells below 2 columns",
        "a cell that holds a comma needs quotes",
    ),
    "open quote in CSV": Bad(
        case_but(each="open.csv"), "open.csv:2: not CSV: unexpected end of data"
    ),
    "CSV without rows": Bad(
        case_but(each="header.csv"), "header.csv:1: the file has no rows"
    ),
    "CSV with a column twice": Bad(
        case_but(each="columns.csv"), "columns.csv:1: duplicate column 'a'"
    ),
    "CSV with a nameless column": Bad(
        case_but(each="nameless.csv"), "nameless.csv:1: column 2 has no name"
    ),
    "rows not UTF-8": Bad(
        case_but(each="latin.csv"), "latin.csv:2: not UTF-8: byte 0xe9"
    ),
    "broken JSONL": Bad(
        case_but(each="broken.jsonl"),
        "broken.jsonl:2: not JSON: Expecting ',' delimiter: line 1 column 9 (char 8)",
    ),
    "JSONL of numbers": Bad(
        case_but(each="numbers.jsonl"),
        "numbers.jsonl:1: a row must be a JSON object",
    ),
    "JSONL with NaN": Bad(
        case_but(each="nan.jsonl"), "nan.jsonl:1: not JSON: NaN is no JSON number"
    ),
    "JSONL with a key twice": Bad(
        case_but(each="twice.jsonl"), "twice.jsonl:1: not JSON: duplicate key 'n'"
    ),
    "JSONL too deep": Bad(
        case_but(each="deep.jsonl"),
        "deep.jsonl:1: not JSON: nested deeper than 32 levels",
    ),
}  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a root folder with the files that bad cases name."""
    write(tmp_path, outside_md="x", outside_csv="n\n1\n")
    folder = tmp_path / "root"
    write(
        folder,
        docs__returns_md="# Returns\n\n## Boots\n\n45 days\n",
        rows_csv="order,n\nA1,1\nA2,\n",
        files_csv="f\nreturns\nmissing\n",
        twice_csv="order,n\nA1,1\nA1,2\n",
        ragged_csv="a,b\n1,2\n1,2,3\n",
        open_csv='a,b\n1,"2\n',
        header_csv="a,b\n",
        columns_csv="a,a\n1,2\n",
        nameless_csv="a, \n1,2\n",
        broken_jsonl='{"n": 1}\n{"n": 1 2}\n',
        numbers_jsonl="1\n",
        nan_jsonl='{"n": NaN}\n',
        twice_jsonl='{"n": 1, "n": 2}\n',
        deep_jsonl='{"n": ' + "[" * 40 + "]" * 40 + "}\n",
    )
    (folder / "latin.md").write_bytes(b"# A\ncaf\xe9\n")
    (folder / "latin.csv").write_bytes(b"n\ncaf\xe9\n")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    return folder


def told(root: Path, text: str) -> list[str]:
    """Return the report on an eval file."""
    path = root / "a.eval.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_cases(path, root, Checks())
    return shown(root, caught.value)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_the_first_line_says_where_and_what(root: Path, bad: Bad) -> None:
    """`file:line: finding` is whole in itself; the hint says what would be right."""
    found = told(root, bad.text)
    assert found[0] == bad.first
    assert bad.hint in (found[1] if len(found) > 1 else "")


ALONE = sorted(BAD.keys() - {"text", "list", "alias bomb", "missing rows"})


@pytest.mark.parametrize("name", ALONE)
def test_one_mistake_is_one_problem(root: Path, name: str) -> None:
    """Nothing is reported that follows from the mistake."""
    found = told(root, BAD[name].text)
    assert len([line for line in found if not line.startswith("  ")]) == 1


def test_a_file_that_is_not_utf_8(root: Path) -> None:
    """The line of the first wrong byte is named."""
    path = root / "a.eval.yaml"
    path.write_bytes(b"cases:\n  - id: caf\xe9\n")
    with pytest.raises(InputError) as caught:
        load_cases(path, root, Checks())
    assert shown(root, caught.value)[0] == "a.eval.yaml:2: not UTF-8: byte 0xe9"


def test_several_problems_at_once(root: Path) -> None:
    """All problems of a file are told, in the order of the file."""
    text = """\
        deflauts: {}
        defaults:
          sytem: x
          trials: 0
        cases:
          - id: a[
            mark: fact
            promt: q
            facts: [contians: x]
            evidence: [docs/retruns.md, docs/returns.md#bots]
          - id: b
            mark: behavior
            prompt: q
            trials: 1
            pass_at: 2
            system: no.md
          - id: b
            mark: behavior
            prompt: q
            form: [json]
          - id: c-{n}
            mark: behavior
            prompt: "{m}"
            form: [json]
            each: [{n: 1}]
          - id: d
            trials: many
            prompt: "{n}"
            each: no.csv
        """
    found = told(root, dedent(text))
    assert [line for line in found if not line.startswith("  ")] == [
        "a.eval.yaml:1: unknown key 'deflauts'",
        "a.eval.yaml:3: unknown key 'sytem'",
        "a.eval.yaml:4: 'trials' must be at least 1, got 0",
        "a.eval.yaml:6: the id 'a[' must not contain '['",
        "a.eval.yaml:7: 'mark' must be 'knowledge' or 'behavior', got 'fact'",
        "a.eval.yaml:8: unknown key 'promt'",
        "a.eval.yaml:9: unknown check 'contians'",
        "a.eval.yaml:10: evidence file 'docs/retruns.md' does not exist",
        "a.eval.yaml:10: 'docs/returns.md' has no section 'bots'",
        "a.eval.yaml:11: case 'b' has no check",
        "a.eval.yaml:15: 'pass_at' is 2, but 'trials' is 1",
        "a.eval.yaml:16: system file 'no.md' does not exist",
        "a.eval.yaml:17: duplicate id 'b'",
        "a.eval.yaml:23: unknown column 'm'",
        "a.eval.yaml:27: 'trials' must be a whole number, got 'many'",
        "a.eval.yaml:29: each file 'no.csv' does not exist",
    ]


def test_a_broken_default_is_told_once(root: Path) -> None:
    """However many cases stand above it, and without blaming them."""
    text = "defaults: {mark: fact}\ncases:\n" + "".join(
        f"  - {{id: c{n}, prompt: q, form: [json]}}\n" for n in range(5)
    )
    assert told(root, text) == [
        "a.eval.yaml:1: 'mark' must be 'knowledge' or 'behavior', got 'fact'"
    ]


# -- nothing but InputError ever ----------------------------------------------

VALID = """\
defaults:
  system: docs/returns.md
  params: {temperature: 0}
cases:
  - id: boots
    mark: knowledge
    prompt: How many days?
    evidence: [docs/returns.md#boots, {text: "x"}]
    facts:
      - number: {value: 45, unit: days}
      - contains: [a, b]
    limits: {seconds: 5}
    ideal: {tool_calls: [{name: f, arguments: {a: 1}}]}
    trials: 3
    pass_at: 2
    tags: [slow]
  - id: "order-{n}"
    each: rows.csv
    mark: behavior
    messages: [{role: system, content: s}, {role: user, content: "{order}"}]
    form: [json, tool_call: {name: "{order}"}]
    skip: "{n}{{"
    xfail: true
"""
VARIANTS = """\
default: a,b
variants:
  a: {model: m, api_base: "${URL}", params: {x: 1}, system: docs/returns.md}
  b: {extends: a, examples: 2, retrieve: {documents: "docs/*.md", top_k: 2}}
  c: {extends: b, context: ["docs/**/*.md"], kind: weights, revision: 2}
  d: {call: "a.b:c", max_concurrency: 3}
  e: {extends: a, lane: direct}
"""
PIECES = st.sampled_from(
    [
        "", " ", "\n", "\n  ", "- ", ": ", "{", "}", "[", "]", ",", "#", "&a ", "*a",
        "!!x ", "|", ">", "'", '"', "<<: ", "null", "true", "0", "-1", "1e9", "..",
        "/", "../x", "*", "**", "${", "$", "each", "id", "facts", "a" * 300, "\0",
        "\x85", "\u2028", "\ud7ff", "\U0001f600", "\t", "? ", "---\n", "%",
    ]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str) -> str:
    """Draw a text with some stretches cut, doubled or replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = start + draw(st.integers(0, 30))
        middle = draw(PIECES | st.just(text[start:end] * 2) | st.text(max_size=4))
        text = text[:start] + middle + text[end:]
    return text


FUZZ = settings(
    max_examples=150,
    deadline=None,
    # The folder is only read from, apart from the one file that is rewritten.
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@FUZZ
@given(text=mutated(VALID) | st.text())
def test_random_eval_files_never_crash(root: Path, text: str) -> None:
    """A mutated or random file gives cases or an `InputError` with places."""
    path = root / "fuzz.eval.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        found = load_cases(path, root, Checks())
    except InputError as error:
        assert all(problem.finding for problem in error.problems)  # noqa: PT017 (either outcome is right)
    else:
        assert len({one.id for one in found}) == len(found) > 0


@FUZZ
@given(text=mutated(VARIANTS) | st.text())
def test_random_variants_files_never_crash(root: Path, text: str) -> None:
    """The same holds of variants files."""
    path = root / "llm_variants.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with contextlib.suppress(InputError):
        file = load_variants(path, root, {"URL": "u"}, live=True)
        assert all(one.live or one.call or one.script for one in file.variants.values())


@FUZZ
@given(
    csv=mutated("order,n\nA1,1\nA2,2\n"),
    jsonl=mutated('{"order": "A1", "n": 1}\n{"order": "A2", "n": [{"x": null}]}\n'),
)
def test_random_rows_never_crash(root: Path, csv: str, jsonl: str) -> None:
    """Nor does anything that stands in the files of rows."""
    (root / "fuzz.csv").write_bytes(csv.encode("utf-8", "surrogatepass"))
    (root / "fuzz.jsonl").write_bytes(jsonl.encode("utf-8", "surrogatepass"))
    path = root / "fuzz.eval.yaml"
    for each in ("fuzz.csv", "fuzz.jsonl"):
        path.write_text(
            case_but(id='"{order}-{n}"', facts='[contains: "{n}"]', each=each)
        )
        with contextlib.suppress(InputError):
            assert load_cases(path, root, Checks())


@FUZZ
@given(text=mutated("# Returns\n\n## Boots\n```\n# x\n```\n45 days\n---\n"))
def test_random_documents_never_crash(root: Path, text: str) -> None:
    """Nor does anything that stands in a document."""
    (root / "fuzz.md").write_bytes(text.encode("utf-8", "surrogatepass"))
    path = root / "fuzz.eval.yaml"
    path.write_text(case_but(evidence="[fuzz.md, fuzz.md#boots]"))
    with contextlib.suppress(InputError):
        assert load_cases(path, root, Checks())[0].evidence
