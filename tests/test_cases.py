"""Eval files to cases: every key, defaults, evidence, and one case per row."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_files import UNTIMED, Checks, cases, one, shown, write
from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.cases.filling import Row, Template
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import Case, Ideal, Passage, ToolCall
from pytest_llm_diagnosis.source import MapNode, nodes, plain

SPOT = Location(path=Path("a.eval.yaml"))


def test_the_least_case(tmp_path: Path) -> None:
    """Without any optional key, a case is asked once and must pass once."""
    case = one(tmp_path, "prompt: How long?")
    assert case == Case(
        id="a",
        mark="knowledge",
        path=tmp_path / "a.eval.yaml",
        line=2,
        messages=({"role": "user", "content": "How long?"},),
        facts=case.facts,
    )
    (check,) = case.facts
    assert (check.name, check.params, check.dimension) == ("contains", "x", "facts")
    assert (check.folder, check.root) == (tmp_path, tmp_path)
    assert check.location.show(tmp_path) == "a.eval.yaml:5"


@pytest.mark.parametrize(
    ("keys", "name", "value"),
    [
        ("id: a b/c (d)", "id", "a b/c (d)"),
        ("mark: behavior", "mark", "behavior"),
        ("system: Be brief.", "system", "Be brief."),
        ("system: ''", "system", None),
        ("instruction: Answer in JSON.", "instruction", "Answer in JSON."),
        ("instruction: ''", "instruction", None),
        ("ideal: 45 days", "ideal", Ideal(text="45 days")),
        ("ideal: 45 days", "ideal_line", 2),
        (
            "ideal: {tool_calls: [{name: f, arguments: {a: 1}}, {name: g}]}",
            "ideal",
            Ideal(
                tool_calls=(
                    ToolCall(name="f", arguments={"a": 1}),
                    ToolCall(name="g", arguments={}),
                )
            ),
        ),
        ("cluster: returns", "cluster", "returns"),
        (
            "tools: [{type: function, function: {name: f}}]",
            "tools",
            ({"type": "function", "function": {"name": "f"}},),
        ),
        ("params: {temperature: 0.5}", "params", {"temperature": 0.5}),
        ("trials: 3", "trials", 3),
        ("trials: 3.0", "trials", 3),
        ("trials: 3\npass_at: 2", "pass_at", 2),
        ("critical: true", "critical", True),
        ("skip: true", "skip", "skip: true"),
        ("skip: false", "skip", None),
        ("skip: waits for 2.0", "skip", "waits for 2.0"),
        ("xfail: true", "xfail", "xfail: true"),
        ("xfail: known", "xfail", "known"),
        ("tags: [slow, team.shop]", "tags", ("slow", "team.shop")),
        (
            "messages: [{role: user, content: a}, {role: assistant, content: b}]",
            "messages",
            (
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
            ),
        ),
    ],
)
def test_each_key(tmp_path: Path, keys: str, name: str, value: object) -> None:
    """A key of the file becomes a field of the case."""
    found = getattr(one(tmp_path, keys), name)
    assert found == value
    assert type(found) is type(value)


def test_a_system_turn_becomes_the_system_prompt(tmp_path: Path) -> None:
    """The conversation is held without its system prompt."""
    case = one(
        tmp_path,
        "messages: [{role: system, content: s}, {role: user, content: q}]",
    )
    assert case.system == "s"
    assert case.messages == ({"role": "user", "content": "q"},)


def test_a_system_prompt_may_be_a_file(tmp_path: Path) -> None:
    """It is looked up from the eval file's folder."""
    write(tmp_path, prompts__house_md="Be brief.\n")
    assert one(tmp_path, "system: prompts/house.md").system == "Be brief."


def test_checks_in_all_their_ways(tmp_path: Path) -> None:
    """A check is a name with parameters or a bare name; limits may be a mapping."""
    case = one(
        tmp_path,
        """
        facts: [contains: [a, b], contains: {text: c}]
        form: [json, json: ]
        limits: {seconds: 2, tokens: 100}
        """,
    )
    found = [(check.dimension, check.name, check.params) for check in case.checks]
    assert found == [
        ("facts", "contains", ["a", "b"]),
        ("facts", "contains", {"text": "c"}),
        ("form", "json", None),
        ("form", "json", None),
        ("limits", "seconds", 2),
        ("limits", "tokens", 100),
    ]
    assert all(
        type(check.params) in {list, dict, int, type(None)} for check in case.checks
    )
    limits = one(tmp_path, "limits: [seconds: 2]").limits
    assert [(check.name, check.params) for check in limits] == [("seconds", 2)]


def test_every_case_and_check_has_its_line(tmp_path: Path) -> None:
    """A case begins at its dash's line, a check at its name."""
    first, second = cases(
        tmp_path,
        """\
        cases:
          - id: a
            mark: knowledge
            prompt: q
            facts:
              - contains: x

              - number:
                  value: 1
          -
            {id: b, mark: behavior, prompt: q, form: [json]}
        """,
    )
    assert (first.line, second.line) == (2, 11)
    assert [check.location.line for check in first.facts] == [6, 8]
    assert [check.location.line for check in second.form] == [11]


# -- defaults -----------------------------------------------------------------

TWO = """\
    defaults:
      mark: behavior
      system: house
      params: {temperature: 0, max_tokens: 9}
      limits: {seconds: 1}
      tags: [a, b]
      form: [json]
      instruction: 'Answer {"a": 1}'
      messages: [{role: user, content: default}]
    cases:
      - id: plain
      - id: own
        mark: knowledge
        system: mine
        params: {temperature: 1}
        limits: {tokens: 5}
        tags: [c]
        facts: [contains: x]
        form: []
        prompt: own
    """


def test_defaults_stand_below_every_case(tmp_path: Path) -> None:
    """A case without a key takes it from there."""
    plain_case, _ = cases(tmp_path, TWO)
    assert plain_case.mark == "behavior"
    assert plain_case.system == "house"
    assert plain_case.params == {"temperature": 0, "max_tokens": 9}
    assert plain_case.tags == ("a", "b")
    assert plain_case.instruction == 'Answer {"a": 1}'
    assert plain_case.messages == ({"role": "user", "content": "default"},)
    assert [check.name for check in plain_case.checks] == ["json", "seconds"]


def test_a_case_hides_defaults(tmp_path: Path) -> None:
    """Settings merge by key; lists and the conversation are replaced."""
    _, own = cases(tmp_path, TWO)
    assert own.mark == "knowledge"
    assert own.system == "mine"
    assert own.params == {"temperature": 1, "max_tokens": 9}
    assert own.tags == ("c",)
    assert own.messages == ({"role": "user", "content": "own"},)
    names = {check.name: check.params for check in own.checks}
    assert names == {"contains": "x", "tokens": 5, "seconds": 1}


def test_braces_are_text_without_each(tmp_path: Path) -> None:
    """JSON in a prompt is what it looks like."""
    case = one(tmp_path, """prompt: 'Give {"a": {"b": 1}} or {{x}} or {'""")
    assert case.messages[0]["content"] == 'Give {"a": {"b": 1}} or {{x}} or {'


# -- evidence -----------------------------------------------------------------


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Make a folder of documents."""
    write(tmp_path, docs__returns_md="# Returns\n\n## Boots\n\n45 days.\n")
    return tmp_path


BOOTS = Passage(id="docs/returns.md#boots", text="# Returns\n## Boots\n\n45 days.")


def test_evidence_in_all_its_ways(documents: Path) -> None:
    """A section, a file, a text, and a list of them."""
    assert one(documents, "evidence: docs/returns.md#boots").evidence == (BOOTS,)
    whole = one(documents, "evidence: docs/returns.md").evidence
    assert [passage.id for passage in whole] == ["docs/returns.md"]
    listed = one(
        documents, "evidence: [docs/returns.md#boots, {text: 45}]".replace("45", "'45'")
    ).evidence
    assert listed[0] == BOOTS
    assert listed[1].text == "45"
    assert one(documents, "evidence: []").evidence == ()


def test_one_text_is_one_passage(tmp_path: Path) -> None:
    """Texts are told apart by what they say, so cases that share one share its id."""
    ids = [
        one(tmp_path, f"id: {name}\nevidence: {{text: {text}}}").evidence[0].id
        for name, text in (("a", "same"), ("b", "same"), ("c", "other"))
    ]
    assert ids[0] == ids[1] != ids[2]
    assert ids[0].startswith("a.eval.yaml#text-")


def test_evidence_is_looked_up_from_the_eval_file(documents: Path) -> None:
    """Passages are named from the root all the same."""
    write(documents, evals__x_md="")
    text = "cases: [{id: a, mark: knowledge, prompt: q, facts: [contains: x], "
    path = documents / "evals" / "b.eval.yaml"
    path.write_text(text + "evidence: ../docs/returns.md#boots}]")
    (case,) = load_cases(path, documents, Checks())
    assert case.evidence == (BOOTS,)


def test_cases_share_a_passage(documents: Path) -> None:
    """A document is read and cut once for all cases of a file."""
    found = cases(
        documents,
        "defaults: {mark: knowledge, prompt: q, facts: [contains: x]}\ncases:\n"
        + "".join(
            f"- {{id: c{n}, evidence: docs/returns.md#boots}}\n" for n in range(3)
        ),
    )
    assert found[0].evidence[0] is found[2].evidence[0]


# -- each ---------------------------------------------------------------------

ORDERS = """\
    cases:
      - id: order-{order}
        each: EACH
        mark: knowledge
        prompt: What is the status of {order}? {{really}}
        evidence: {text: "{order} is {status}"}
        facts:
          - contains: "{status}"
          - number: {value: "{days}"}
        form:
          - tool_call: {name: "f_{order}", arguments: {a: "{order}", b: "{days}"}}
    """
ROWS = [
    {"order": "A1", "status": "shipped", "days": 3},
    {"order": "A2", "status": "lost, sorry", "days": 4},
]


def orders(folder: Path, each: str) -> tuple[Case, ...]:
    """Return the cases that `each` gives."""
    return cases(folder, dedent(ORDERS).replace("EACH", each))


def expect_orders(found: tuple[Case, ...], days: object) -> None:
    """Assert that the cases are those of the two rows."""
    assert [case.id for case in found] == ["order-A1", "order-A2"]
    second = found[1]
    assert second.line == 2
    assert second.messages[0]["content"] == "What is the status of A2? {really}"
    assert second.evidence[0].text == "A2 is lost, sorry"
    assert [check.params for check in second.checks] == [
        "lost, sorry",
        {"value": 4},
        {"name": "f_A2", "arguments": {"a": "A2", "b": days}},
    ]
    assert [check.location.line for check in second.checks] == [8, 9, 11]


def test_rows_of_a_csv_file(tmp_path: Path) -> None:
    """Cells are text, and a number where a check wants nothing else."""
    text = 'order,status,days\r\nA1,shipped,3\r\n\r\nA2,"lost, sorry",4\r\n'
    (tmp_path / "orders.csv").write_text(text, encoding="utf-8-sig", newline="")
    expect_orders(orders(tmp_path, "orders.csv"), days="4")


def test_rows_of_a_jsonl_file(tmp_path: Path) -> None:
    """Values keep their type; only a line feed ends a line."""
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS)
    (tmp_path / "orders.jsonl").write_text(text + "\n\n", encoding="utf-8")
    expect_orders(orders(tmp_path, "orders.jsonl"), days=4)
    line = '{"order": "A\u2028B", "status": "s", "days": 1}'
    (tmp_path / "orders.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match="printable"):
        orders(tmp_path, "orders.jsonl")


def test_rows_in_the_file(tmp_path: Path) -> None:
    """An inline list is a table as well."""
    expect_orders(orders(tmp_path, json.dumps(ROWS)), days=4)


def test_a_value_in_longer_text_is_json(tmp_path: Path) -> None:
    """Flags, nothing and lists are said as JSON says them."""
    (case,) = cases(
        tmp_path,
        """\
        cases:
          - id: a
            each: [{n: 1, t: true, z: null, d: 0.5, l: [1, "é"], m: {k: v}}]
            mark: knowledge
            prompt: "{n} {t} {z} {d} {l} {m}"
            params: {n: "{n}", t: "{t}", z: "{z}", l: "{l}", m: "{m}"}
            facts: [contains: x]
        """,
    )
    assert case.messages[0]["content"] == '1 true null 0.5 [1, "é"] {"k": "v"}'
    assert case.params == {"n": 1, "t": True, "z": None, "l": [1, "é"], "m": {"k": "v"}}


def test_csv_cells_stay_text_where_text_is_welcome(tmp_path: Path) -> None:
    """Leading zeros and words like `true` survive in prompts and texts."""
    write(tmp_path, t_csv="n,f,c\n0042,true,yes\n")
    (case,) = cases(
        tmp_path,
        """\
        cases:
          - id: a
            each: t.csv
            mark: knowledge
            prompt: "{n}"
            critical: "{f}"
            facts: [contains: "{f}"]
            skip: "{c}"
        """,
    )
    assert case.messages[0]["content"] == "0042"
    assert case.facts[0].params == "true"
    assert case.critical is True
    assert case.skip == "yes"


def test_values_of_rows_take_the_type_that_a_place_wants(tmp_path: Path) -> None:
    """Rows of mixed types fill places that take text only, or numbers only."""
    found = cases(
        tmp_path,
        """\
        cases:
          - id: "{n}"
            each: [{n: 1}, {n: '2'}, {n: 3.5}, {n: '04'}]
            mark: knowledge
            prompt: "{n}"
            facts: [contains: "{n}"]
        """,
    )
    assert [case.id for case in found] == ["1", "2", "3.5", "04"]
    assert [case.facts[0].params for case in found] == ["1", "2", "3.5", "04"]


def test_nothing_is_not_made_text(tmp_path: Path) -> None:
    """A null in a row is a problem where text is wanted, not the word null."""
    text = "cases: [{id: '{n}', each: [{n: 1}, {n: null}], mark: knowledge, prompt: q, "
    found = told(tmp_path, text + "facts: [contains: x]}]")
    assert found == ["a.eval.yaml:1: row 2: 'id' must be text, got nothing"]


def test_defaults_are_filled_with_known_columns_only(tmp_path: Path) -> None:
    """A default instruction with JSON serves cases with and without rows."""
    found = cases(
        tmp_path,
        """\
        defaults:
          mark: behavior
          form: [json]
          instruction: 'Answer {"order": {order}} {{x}} {'
        cases:
          - {id: a, prompt: q}
          - {id: "b-{order}", prompt: q, each: [{order: 1}]}
        """,
    )
    assert [case.instruction for case in found] == [
        'Answer {"order": {order}} {{x}} {',
        'Answer {"order": 1} {{x}} {',
    ]


def test_each_may_be_a_default(tmp_path: Path) -> None:
    """Every key of a case may stand in `defaults`, braces included."""
    found = cases(
        tmp_path,
        """\
        defaults:
          each: [{n: 1, mark: knowledge}, {n: 2, mark: behavior}]
          id: "{n}"
          mark: "{mark}"
          facts: [contains: "{n}"]
        cases:
          - {prompt: q}
        """,
    )
    assert [(case.id, case.mark, case.facts[0].params) for case in found] == [
        ("1", "knowledge", "1"),
        ("2", "behavior", "2"),
    ]


TEXT = st.text('ab{} "\n', max_size=12)


def template(text: str, *, shared: bool = False) -> Template:
    """Return a template of one text with one known column, `a`."""
    node = nodes({"t": text}, SPOT)
    assert isinstance(node, MapNode)
    return Template(node, ["a"], SPOT.path, shared=shared)


def row(value: object) -> Row:
    """Return a row with one value."""
    values = nodes({"a": value}, SPOT)  # type: ignore[dict-item]
    assert isinstance(values, MapNode)
    return Row(1, values)


@UNTIMED
@given(TEXT, TEXT)
def test_doubled_braces_are_braces(text: str, value: str) -> None:
    """Doubling every brace of a text keeps it as it is, beside a column too."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    assert plain(template(doubled).fill(row(value))) == {"t": text}
    beside = template(f"{doubled} {{a}} {doubled}")
    assert beside.problems == []
    assert plain(beside.fill(row(value))) == {"t": f"{text} {value} {text}"}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{a}", "v"),
        ("{a}{a}", "vv"),
        ("{{a}}", "{a}"),
        ("{{{a}}}", "{v}"),
        ('{{"x": {{"y": "{a}"}}}}', '{"x": {"y": "v"}}'),
        ("{b}", "unknown column 'b'"),
        ("{ a }", "unknown column ' a '"),
        ("{}", "unknown column ''"),
        ('{"x": 1}', "unknown column '\"x\": 1'"),
        ("{", "a lone '{'"),
        ("a}", "a lone '}'"),
        ("{{a}", "a lone '}'"),
        ("{a{a}", "a lone '{'"),
    ],
)
def test_braces_of_a_case_with_rows(text: str, filled: str) -> None:
    """Every brace is filled in, doubled, or a problem."""
    strict = template(text)
    if strict.problems:
        assert [problem.finding for problem in strict.problems] == [filled]
    else:
        assert plain(strict.fill(row("v"))) == {"t": filled}


@UNTIMED
@given(TEXT, TEXT)
def test_shared_text_knows_columns_only(text: str, value: str) -> None:
    """In defaults a column is replaced and nothing else is touched."""
    shared = template(text, shared=True)
    assert shared.problems == []
    assert plain(shared.fill(row(value))) == {"t": text.replace("{a}", value)}


# -- size ---------------------------------------------------------------------


def test_many_cases_keep_their_order_and_lines(tmp_path: Path) -> None:
    """Large files are loaded whole and in order."""
    found = cases(
        tmp_path,
        "cases:\n"
        + "".join(
            f"- {{id: c{n}, mark: knowledge, prompt: q, facts: [contains: '{n}']}}\n"
            for n in range(2_000)
        ),
    )
    assert [case.line for case in found] == list(range(2, 2_002))


# -- problems of rows ---------------------------------------------------------


def told(folder: Path, text: str) -> list[str]:
    """Return what is wrong with an eval file."""
    with pytest.raises(InputError) as caught:
        cases(folder, text)
    return shown(folder, caught.value)


def test_what_is_wrong_in_every_row_is_said_once(tmp_path: Path) -> None:
    """A thousand rows do not repeat a mistake of the case."""
    found = told(
        tmp_path,
        """\
        cases:
          - id: a-{n}
            each: [{n: 1}, {n: 2}, {n: 3}]
            mark: knowledge
            promt: x
            facts: [contains: y]
        """,
    )
    assert len([line for line in found if not line.startswith(" ")]) == 1
    assert found[0] == "a.eval.yaml:5: unknown key 'promt'"


def test_what_is_wrong_in_some_rows_names_the_first(tmp_path: Path) -> None:
    """Rows that share a problem are counted."""
    write(tmp_path, r_csv="n,m\n1,knowledge\n2,fact\n3,fact\n")
    found = told(
        tmp_path,
        """\
        cases:
          - {id: "a-{n}", each: r.csv, mark: "{m}", prompt: q, facts: [contains: y]}
        """,
    )
    expected = "row 2: 'mark' must be 'knowledge' or 'behavior', got 'fact'"
    assert found[:2] == [f"r.csv:3: {expected}", "  in the case at a.eval.yaml:2"]
    assert found[2].startswith("r.csv:4: row 3: ")


def test_a_row_without_a_column_that_others_have(tmp_path: Path) -> None:
    """Sparse JSON rows are named when the case needs what they lack."""
    write(tmp_path, r_jsonl='{"n": 1, "m": "x"}\n{"n": 2}\n')
    found = told(
        tmp_path,
        """\
        cases:
          - {id: "a-{n}", each: r.jsonl, mark: knowledge, prompt: "{m}", form: [json]}
        """,
    )
    assert found[0] == "r.jsonl:2: row 2: no value for the column 'm'"
