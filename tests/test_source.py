"""YAML text to nodes with positions, and what is refused."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eval_files import UNTIMED
from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.source import (
    ListNode,
    MapNode,
    inside,
    locate,
    nodes,
    parse,
    plain,
    read,
    read_text,
    resolve,
)

PATH = Path("a.yaml")
HERE = Location(path=PATH, line=3)

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=12,
)


@pytest.fixture(params=["c", "python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a test with the C parser and with its fall-back."""
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader")
    return str(request.param)


def problems(text: str) -> list[str]:
    """Return what is wrong with a text, line by line."""
    with pytest.raises(InputError) as caught:
        parse(text, PATH)
    return caught.value.show().splitlines()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("0", 0),
        ("-12", -12),
        ("+7", 7),
        ("45.50", 45.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-2.5E-1", -0.25),
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("2026-01-31", "2026-01-31"),
        ("12:30", "12:30"),
        ("0042", "0042"),
        ("1_000", "1_000"),
        ("0x1F", "0x1F"),
        (".nan", ".nan"),
        ("-.inf", "-.inf"),
        ("1e999", "1e999"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        ("45 days", "45 days"),
        ("٤٢", "٤٢"),
        ("9" * 400, "9" * 400),
    ],
)
def test_plain_text_has_its_yaml_1_2_value(text: str, value: object) -> None:
    """Words and numbers resolve; what YAML 1.1 twists stays text."""
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.usefixtures("parser")
def test_quoted_text_and_keys_stay_text() -> None:
    """Quotes, block text and keys are never resolved."""
    node = parse("""{a: "1", 2: 'true', true: !!str 3, null: 4}\n""", PATH)
    assert node == {"a": "1", "2": "true", "true": "3", "null": 4}
    assert parse("a: |\n  1\n", PATH) == {"a": "1\n"}


@pytest.mark.usefixtures("parser")
def test_entries_know_their_place() -> None:
    """Keys, values and items each have their own line and column."""
    node = parse("top:\n  - id: x\n    facts:\n      - {a: 1, b: 2}\n", PATH)
    assert isinstance(node, MapNode)
    trail = ("top", 0, "facts", 0, "b")
    assert locate(node, trail, PATH, key=True).column == 16
    assert locate(node, trail, PATH, key=False).column == 19
    assert locate(node, trail, PATH, key=False).line == 4
    assert locate(node, ["top", 0], PATH, key=False).line == 2
    assert locate(node, [], PATH, key=False).line == 1


def test_a_trail_out_of_the_tree_ends_at_the_last_place() -> None:
    """A missing key is reported at the mapping that lacks it."""
    node = parse("a:\n  b:\n    c: 1\n", PATH)
    assert isinstance(node, MapNode)
    assert locate(node, ["a", "b", "zzz"], PATH, key=True).line == 2


def test_spots_of_other_files_are_kept() -> None:
    """Values that came from a row are located in the row's file."""
    node = nodes({"a": [1, {"b": 2}]}, HERE)
    assert isinstance(node, MapNode)
    assert locate(node, ["a", 1, "b"], Path("other.yaml"), key=False) == HERE


@UNTIMED
@given(DATA)
def test_nodes_keep_json_data(data: object) -> None:
    """Data to nodes and back is the same data."""
    assert plain(nodes(data, HERE)) == data  # type: ignore[arg-type]


@UNTIMED
@given(st.lists(DATA, max_size=3).map(lambda data: {"data": data}))
def test_json_is_read_as_yaml(data: object) -> None:
    """JSON text, pure ASCII with quoted keys, gives the same data."""
    text = json.dumps(data).replace("\\ud", "\\u1")
    assert plain(parse(text, PATH)) == json.loads(text)


def test_the_c_and_python_parser_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fall-back reads the same values at the same places."""
    text = "a: &x [1, 'no']\nb: *x\nc: &y {d: 1}\ne:\n  <<: *y\n  f: >\n    t\n"
    fast = parse(text, PATH)
    monkeypatch.delattr(yaml, "CSafeLoader")
    slow = parse(text, PATH)
    assert fast == slow
    assert isinstance(fast, MapNode)
    assert isinstance(slow, MapNode)
    for trail in (["b"], ["e", "f"], ["e", "d"]):
        assert locate(fast, trail, PATH, key=True) == locate(
            slow, trail, PATH, key=True
        )


@pytest.mark.usefixtures("parser")
def test_aliases_and_merge_keys() -> None:
    """An alias repeats a value; `<<` lends keys that the mapping's own hide."""
    text = (
        "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: {<<: [*a, {z: 4}]}\nd: &s t\ne: *s\n"
    )
    node = parse(text, PATH)
    assert plain(node) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 3},
        "c": {"x": 1, "y": 2, "z": 4},
        "d": "t",
        "e": "t",
    }


def test_a_quoted_merge_sign_is_a_key() -> None:
    """Only the bare `<<` merges."""
    assert parse('{"<<": {a: 1}}', PATH) == {"<<": {"a": 1}}


def test_many_small_aliases_are_no_bomb() -> None:
    """Ten thousand cases may share one anchored mapping."""
    text = "base: &b {a: 1, b: 2, c: [1, 2]}\ncases:\n" + "- {<<: *b, d: *b}\n" * 10_000
    node = parse(text, PATH)
    assert isinstance(node, MapNode)
    assert isinstance(node["cases"], ListNode)
    assert len(node["cases"]) == 10_000


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("a: 1\na: 2\n", "a.yaml:2: duplicate key 'a'"),
        ("- {b: 1, c: 2, b: 3}\n", "a.yaml:1: duplicate key 'b'"),
        ("\na: !!python/name:x", "a.yaml:2: the tag '!!python/name:x' is not allowed"),
        ("a: !secret x\n", "a.yaml:1: the tag '!secret' is not allowed"),
        ("a: !!binary aGk=\n", "a.yaml:1: the tag '!!binary' is not allowed"),
        ("a: !!float 1\n", "a.yaml:1: the tag '!!float' is not allowed"),
        ("!!set {a, b}\n", "a.yaml:1: the tag '!!set' is not allowed"),
        (BOMB, "a.yaml:5: the alias '*a3' makes the file explode"),
        ("a: &a [*a]\n", "a.yaml:1: the alias '*a' refers to itself"),
        ("a: *b\n", "a.yaml:1: the alias '*b' refers to no anchor"),
        ("a:\n  <<: [1]\n", "a.yaml:2: '<<' takes a mapping, or a list of them"),
        ("a: 1\n? [b, c]\n: 2\n", "a.yaml:2: a key must be plain text"),
        ("a: {{x}: 1}\n", "a.yaml:1: a key must be plain text"),
        ("a: &a k\n*a : 1\n", "a.yaml:2: a key must be plain text"),
        ("[" * 70 + "]" * 70, "a.yaml:1: nested deeper than 64 levels"),
        ("[" * 100_000, "a.yaml:1: nested deeper than 64 levels"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: a second document begins"),
        ("", "a.yaml:1: the file is empty"),
        ("# only a comment\n", "a.yaml:1: the file is empty"),
        ("---\n", "a.yaml:1: the file is empty"),
        ("a: 1\nb: \x07\n", "a.yaml:2: not YAML: control character U+0007"),
    ],
)  # fmt: skip
def test_what_is_refused(text: str, first: str) -> None:
    """Each refusal names its line and is whole in itself."""
    assert problems(text)[0] == first


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            "a: b: c\n",
            [
                "a.yaml:1: not YAML: mapping values are not allowed in this context",
                "  text that holds ': ' needs quotes",
            ],
        ),
        (
            "a:\n\tb: 1\n",
            [
                "a.yaml:2: not YAML: found character that cannot start any token",
                "  indent with spaces, not with tabs",
            ],
        ),
        (
            "a: 'x\n",
            [
                "a.yaml:1: not YAML: found unexpected end of stream",
                "  a quote or a bracket is not closed",
            ],
        ),
        (
            "a: [1,\n  2\nb: 3\n",
            [
                "a.yaml:3: not YAML: did not find expected ',' or ']'",
                "  see the bracket in line 1, and the commas behind it",
            ],
        ),
        (
            "a: 1\n b: 2\n",
            [
                "a.yaml:2: not YAML: mapping values are not allowed in this context",
                "  text that holds ': ' needs quotes",
            ],
        ),
    ],
)
def test_text_that_is_not_yaml(text: str, lines: list[str]) -> None:
    """The parser's finding comes with what is most often meant."""
    assert problems(text) == lines


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize(
    "text",
    ["a: {b", "a: 'x", "a:\n\t- b", '"\\U00110000"', "%x\n", "a: @b", "'\ud800'"],
)
def test_either_parser_fails_cleanly(text: str) -> None:
    """Nothing but an `InputError` comes out of broken text."""
    assert problems(text)[0].startswith("a.yaml:")


def test_problems_are_told_together() -> None:
    """Repeated keys and tags do not hide each other, nor a broken end."""
    found = problems("a: 1\na: 2\nb: !x 1\nb: 2\nc: [\n")
    assert [line.split(": ", 1)[0] for line in found if not line.startswith(" ")] == [
        "a.yaml:2", "a.yaml:3", "a.yaml:4", "a.yaml:6",
    ]  # fmt: skip


def test_a_repeated_key_points_at_the_first() -> None:
    """The hint names the line of the first one."""
    assert problems("a: 1\nb: 1\na: 2\n")[1] == "  it is first given in line 1"


def test_the_end_of_a_text_is_in_its_last_line() -> None:
    """A bracket that nobody closes is told at a line that the file has."""
    assert problems("{")[0].startswith("a.yaml:1: ")


def test_a_finding_is_one_line_whatever_it_quotes() -> None:
    """What stands in a file forges no line of its own, and no command of a log."""
    problem = Problem(location=HERE, finding="a\n::error::x\x1b", hint="b\r\nc\u2028d")
    assert problem.show() == ("a.yaml:3: a\\n\\x3a:error::x\\x1b\n  b\\r\\nc\\u2028d")


def test_dates_are_not_objects() -> None:
    """No value is ever a Python date."""
    node = parse("{a: 2026-01-01, b: 2026-01-01 10:00:00}", PATH)
    assert isinstance(node, MapNode)
    assert not any(isinstance(value, dt.date) for value in node.values())


@UNTIMED
@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Random text raises nothing but `InputError`."""
    with contextlib.suppress(InputError):
        assert parse(text, PATH) is not None


# -- files ------------------------------------------------------------------


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    """Files saved by Windows editors read like others."""
    (tmp_path / "a.yaml").write_bytes(b"\xef\xbb\xbfa: \xc3\xa9\r\nb: 2\r\n")
    assert read(tmp_path / "a.yaml") == {"a": "é", "b": 2}


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    """The line of the first wrong byte is named."""
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(InputError) as caught:
        read(path)
    assert caught.value.show(tmp_path).splitlines() == [
        "a.yaml:2: not UTF-8: byte 0xe9",
        "  save the file in the encoding UTF-8",
    ]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing file and a folder are problems, not tracebacks."""
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_text(tmp_path / "missing.yaml")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_text(tmp_path)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a root with a folder, a file outside it, and links."""
    root = tmp_path / "root"
    (root / "evals").mkdir(parents=True)
    (root / "docs").mkdir()
    (root / "docs" / "returns.md").write_text("x")
    (tmp_path / "secret.md").write_text("x")
    (root / "evals" / "out.md").symlink_to(tmp_path / "secret.md")
    (root / "evals" / "in.md").symlink_to(root / "docs" / "returns.md")
    (root / "evals" / "loop.md").symlink_to(root / "evals" / "loop.md")
    return root


@pytest.mark.parametrize("written", ["../docs/returns.md", "in.md", "./in.md"])
def test_files_below_the_root_are_found(tree: Path, written: str) -> None:
    """Paths may climb and follow links as long as they stay below the root."""
    path = inside(
        written, folder=tree / "evals", root=tree, location=HERE, what="evidence"
    )
    assert path == (tree / "docs" / "returns.md").resolve()


@pytest.mark.parametrize(
    ("written", "finding"),
    [
        ("../../secret.md", "is outside the root folder"),
        ("/etc/passwd", "is outside the root folder"),
        ("out.md", "is outside the root folder"),
        ("../docs/retruns.md", "does not exist"),
        ("../docs", "does not exist"),
        ("", "does not exist"),
        ("loop.md", "is not a usable path"),
        ("a\0b", "is not a usable path"),
        ("x" * 5000, "is not a usable path"),
    ],
)  # fmt: skip
def test_files_that_may_not_be_read(tree: Path, written: str, finding: str) -> None:
    """Missing files and ways out of the root are problems at the author's line."""
    with pytest.raises(InputError) as caught:
        inside(
            written, folder=tree / "evals", root=tree, location=HERE, what="evidence"
        )
    assert caught.value.show().splitlines()[0] == (
        f"a.yaml:3: evidence file {written!r} {finding}"
    )


def test_an_absolute_path_below_the_root_is_refused(tree: Path) -> None:
    """A suite must work on another machine."""
    with pytest.raises(InputError, match="outside the root folder"):
        inside(
            str(tree / "docs/returns.md"),
            folder=tree,
            root=tree,
            location=HERE,
            what="evidence",
        )


def test_a_misspelt_file_is_answered_with_the_nearest(tree: Path) -> None:
    """The hint gives the path as the author should write it."""
    with pytest.raises(InputError, match=r"did you mean '\.\./docs/returns\.md'\?"):
        inside(
            "../docs/retruns.md",
            folder=tree / "evals",
            root=tree,
            location=HERE,
            what="evidence",
        )
