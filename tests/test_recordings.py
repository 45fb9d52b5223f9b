"""Recordings: their lines, small diffs, misses that explain themselves."""

from __future__ import annotations

import errno
import json
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llm_diagnosis.errors import InputError, Location, StoreError
from pytest_llm_diagnosis.records import (
    Answer,
    Arm,
    Context,
    JsonObject,
    Request,
    Tokens,
    ToolCall,
    Variant,
)
from pytest_llm_diagnosis.store import (
    Entry,
    load_recording,
    recording_path,
    write_recording,
)

PASSAGE = Context(text="Unworn goods: 45 days.", source="returns.md#unworn", score=1.2)


def request(
    case: str = "refunds.eval.yaml::boots",
    prompt: str = "How many days?",
    *,
    key: str = "aa11",
    arm: Arm = "first",
    trial: int = 0,
    contexts: tuple[Context, ...] = (),
) -> Request:
    """Return a request for one question."""
    return Request(
        key=key,
        case=case,
        variant="base",
        messages=({"role": "user", "content": prompt},),
        params={"temperature": 0},
        arm=arm,
        trial=trial,
        contexts=contexts,
    )


def answer(text: str = "45 days", seconds: float = 0.4321) -> Answer:
    """Return an answer as a provider gives it."""
    return Answer(
        text=text,
        tokens=Tokens(prompt=41, completion=9),
        seconds=seconds,
        finish_reason="stop",
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the recording of a test lies."""
    return tmp_path / "recordings" / "base.jsonl"


def test_a_line_reads_well(path: Path) -> None:
    """Who was asked what, and the answer, with nothing empty and rounded seconds."""
    write_recording(path, [Entry(request(), answer())])
    assert path.read_text() == (
        '{"case": "refunds.eval.yaml::boots", "arm": "first", "trial": 0,'
        ' "key": "aa11", "request": {"messages": [{"role": "user",'
        ' "content": "How many days?"}], "params": {"temperature": 0}},'
        ' "answer": {"text": "45 days", "tokens": {"prompt": 41, "completion": 9,'
        ' "cached": 0}, "seconds": 0.43, "finish_reason": "stop"}}\n'
    )


def test_an_answer_comes_back(path: Path) -> None:
    """Everything but the rounding, marked as stored; another key is a miss."""
    full = Answer(
        text="a\u2028b",
        tool_calls=(
            ToolCall(name="log", arguments={"urgent": True}),
            ToolCall(name="log", arguments="{broken"),
        ),
        tokens=Tokens(prompt=1, completion=2, cached=1),
        usd=0.00025,
        seconds=0.4,
        finish_reason="tool_calls",
    )
    write_recording(path, [Entry(request(), full)])
    recording = load_recording(path)
    assert recording.find(request()) == replace(full, stored=True)
    assert recording.find(request(key="bb22")) is None


@pytest.mark.parametrize(
    ("asked", "answered"),
    [((PASSAGE,), (PASSAGE,)), ((PASSAGE,), ()), ((), (PASSAGE,)), ((), ())],
)
def test_contexts_are_written_only_where_the_request_lacks_them(
    path: Path, asked: tuple[Context, ...], answered: tuple[Context, ...]
) -> None:
    """Retrieved passages stand in the messages already; an application's do not."""
    asked_for = request(contexts=asked)
    write_recording(path, [Entry(asked_for, replace(answer(), contexts=answered))])
    found = load_recording(path).find(asked_for)
    assert found is not None
    assert found.contexts == answered
    assert ("contexts" in path.read_text()) == (asked != answered)


def test_a_long_text_is_shown_by_its_beginning(path: Path) -> None:
    """A corpus in each line would hide the rest; a change of its end still shows."""
    corpus = "Unworn boots. " * 1_000
    write_recording(path, [Entry(request(prompt=corpus), answer())])
    assert len(path.read_text()) < 1_500
    assert "13000 more characters, sha256" in path.read_text()
    miss = load_recording(path).nearest(request(prompt=f"{corpus}!", key="bb22"))
    assert "messages[0].content: recorded" in miss


def test_lines_are_sorted_whatever_the_order_of_answers(path: Path) -> None:
    """By case, arm in the order of the method, and trial as a number."""
    entries = [
        Entry(request(case, key=f"{case}{arm}{trial}", arm=arm, trial=trial), answer())
        for case in ("a", "b")
        for arm in ("first", "R", "E")
        for trial in (0, 2, 10)
    ]
    write_recording(path, entries)
    sorted_text = path.read_text()
    shuffled = random.Random(7).sample(entries, len(entries))  # noqa: S311 - an order
    for position in range(0, len(entries), 5):
        other = path.with_name("other.jsonl")
        write_recording(other, shuffled[position : position + 5])
    assert other.read_text() == sorted_text
    heads = [json.loads(line) for line in sorted_text.splitlines()]
    assert [(head["case"], head["arm"], head["trial"]) for head in heads[:4]] == [
        ("a", "first", 0),
        ("a", "first", 2),
        ("a", "first", 10),
        ("a", "R", 0),
    ]


def test_recording_again_changes_no_line_that_says_the_same(path: Path) -> None:
    """Time and tokens are no reason for a diff; other words are."""
    write_recording(path, [Entry(request(), answer(seconds=0.4))])
    before = path.read_text()
    again = replace(
        answer(seconds=0.9), tokens=Tokens(prompt=41, completion=9, cached=40)
    )
    write_recording(path, [Entry(request(), again)])
    assert path.read_text() == before
    write_recording(path, [Entry(request(), answer("30 days", seconds=0.9))])
    assert path.read_text() == before.replace("45 days", "30 days").replace(
        "0.43", "0.9"
    ).replace("0.4,", "0.9,")


def test_a_changed_prompt_replaces_its_line(path: Path) -> None:
    """One line for each case, arm and trial."""
    write_recording(path, [Entry(request(), answer())])
    count = write_recording(path, [Entry(request(prompt="New?", key="bb22"), answer())])
    assert count == 1
    assert load_recording(path).find(request()) is None
    assert load_recording(path).find(request(key="bb22")) is not None


def test_cases_that_no_longer_exist_can_be_pruned(path: Path) -> None:
    """Only on request, and only they."""
    entries = [Entry(request(case, key=case), answer()) for case in ("a", "b")]
    write_recording(path, entries)
    assert write_recording(path, []) == 2
    assert write_recording(path, [], keeps={"b", "c"}.__contains__) == 1
    assert load_recording(path).find(request(key="b")) is not None


def test_a_filtered_answer_is_not_recorded(path: Path) -> None:
    """It says nothing about the model."""
    filtered = Answer(finish_reason="content_filter")
    assert write_recording(path, [Entry(request(), filtered)]) == 0
    assert not path.parent.exists()


def test_characters_that_deceive_are_written_as_escapes(path: Path) -> None:
    """Direction marks, line separators and lone surrogates; letters stay readable."""
    hostile = "ü \u202e\u2028\x85\ud800\ufeff"
    write_recording(path, [Entry(request(), answer(hostile))])
    text = path.read_bytes().decode("utf-8")
    assert "ü \\u202e\\u2028\\u0085\\ud800\\ufeff" in text
    assert text.count("\n") == 1
    found = load_recording(path).find(request())
    assert found is not None
    assert found.text == hostile


def test_lines_written_by_hand_are_read(path: Path) -> None:
    """Other spacing and order of keys, Windows line ends, blank lines, raw U+2028."""
    path.parent.mkdir()
    path.write_bytes(
        '{"key":"aa11","trial":0,"arm":"first","case":"x","answer":{"text":"a\u2028b"}}'
        '\r\n\r\n{"case":"y","arm":"R","trial":1,"key":"bb22","answer":{"text":"c"}}'.encode()
    )
    recording = load_recording(path)
    for key, text in (("aa11", "a\u2028b"), ("bb22", "c")):
        found = recording.find(request(key=key))
        assert found is not None
        assert found.text == text


def test_damaged_lines_are_named_all_at_once(path: Path) -> None:
    """With file, line and reason; a merge conflict is called one."""
    path.parent.mkdir()
    path.write_text(
        '<<<<<<< HEAD\n{"case": "a", "arm": "first", "trial": 0, "key": "k", "ans\n'
        '[1]\n{"arm": "R"}\n{"case": "a", "arm": "R", "trial": "x", "key": "k"}\n'
    )
    with pytest.raises(InputError) as caught:
        load_recording(path)
    findings = [(p.location.line, p.finding) for p in caught.value.problems]
    assert [line for line, _ in findings] == [1, 2, 3, 4, 5]
    reasons = ["merge conflict", "Unterminated", "list", "no 'case'", "'trial' must"]
    for (_, finding), reason in zip(findings, reasons, strict=True):
        assert reason in finding


@pytest.mark.parametrize(
    "rest",
    ['"answer": }', '"request": {}}', '"answer": {"tokens": 3}}', '"answer": 1}'],
)
def test_damage_behind_a_good_head_is_found_when_asked(path: Path, rest: str) -> None:
    """Lines are parsed late, their problems have a place all the same."""
    path.parent.mkdir()
    head = '{"case": "a", "arm": "first", "trial": 0, "key": "aa11", '
    path.write_text(f"\n{head}{rest}\n")
    with pytest.raises(InputError, match=r"base\.jsonl:2: not a recorded answer"):
        load_recording(path).find(request())


def test_a_file_that_is_not_utf8_is_named_with_its_line(path: Path) -> None:
    """Saved by an editor in another encoding."""
    path.parent.mkdir()
    path.write_bytes(b"{}\n\xff")
    with pytest.raises(InputError, match=r"base\.jsonl:2: not UTF-8: byte 0xff"):
        load_recording(path)


def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """A file stands where the folder should be, or a folder where the file should."""
    (tmp_path / "recordings").write_text("")
    (tmp_path / "base.jsonl").mkdir()
    for path, reason in (
        (tmp_path / "recordings" / "base.jsonl", r"recordings: .*cannot be used"),
        (tmp_path / "base.jsonl", r"base\.jsonl: cannot be read"),
    ):
        with pytest.raises(StoreError, match=reason):
            write_recording(path, [Entry(request(), answer())])


def test_a_write_that_fails_leaves_the_file_and_no_draft(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk."""
    write_recording(path, [Entry(request(), answer())])
    before = path.read_text()

    def full(_draft: Path, _target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(StoreError, match=r"base\.jsonl: .*No space left"):
        write_recording(path, [Entry(request(), answer("other"))])
    assert path.read_text() == before
    assert [file.name for file in path.parent.iterdir()] == ["base.jsonl"]


def test_no_draft_is_left_behind(path: Path) -> None:
    """The file is replaced in one step."""
    write_recording(path, [Entry(request(), answer())])
    assert [file.name for file in path.parent.iterdir()] == ["base.jsonl"]


def test_a_miss_without_a_file_says_how_to_record(path: Path) -> None:
    """The first replay of a new variant."""
    miss = load_recording(path).nearest(request())
    assert "base.jsonl holds no answers" in miss
    assert "--llm-record" in miss


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"model": "openai/two"}, 'model: recorded "openai/one", now "openai/two"'),
        ({"api_base": "http://new"}, 'api_base: not recorded, now "http://new"'),
        ({"revision": "3"}, 'revision: not recorded, now "3"'),
    ],
)
def test_a_miss_names_another_endpoint(
    path: Path, now: JsonObject, expected: str
) -> None:
    """A line says what answered; one that does not is from an older version."""
    endpoint = {"model": "openai/one"}
    write_recording(path, [Entry(replace(request(), endpoint=endpoint), answer())])
    asked = replace(request(key="x"), endpoint={**endpoint, **now})
    assert expected in load_recording(path).nearest(asked)
    path.unlink()
    write_recording(path, [Entry(request(), answer())])
    assert "model or revision differs" in load_recording(path).nearest(asked)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (
            request(prompt="How many weeks?", key="x"),
            'messages[0].content: recorded "How many days?", now "How many weeks?"',
        ),
        (
            replace(request(key="x"), params={"temperature": 1}),
            "params.temperature: recorded 0, now 1",
        ),
        (
            replace(request(key="x"), tools=({"type": "function"},)),
            'tools: not recorded, now [{"type": "function"}]',
        ),
        (
            replace(request(key="x"), params={}),
            'params: recorded {"temperature": 0}, now absent',
        ),
        (request(key="x", trial=1), "not recorded for arm first, trial 1"),
        (request(key="x", arm="E"), "not recorded for arm E, trial 0"),
        (request(key="x"), "the variant's model or revision differs"),
        (
            request(prompt="Read this. How many days?", key="x", arm="E"),
            'not recorded for arm E, trial 0\nmessages[0].content: recorded "How many',
        ),
    ],
)
def test_a_miss_shows_what_differs(path: Path, asked: Request, expected: str) -> None:
    """The line of the same case, its place, and the first difference."""
    other = Entry(request("a.eval.yaml::other", "How many?", key="zz"), answer())
    write_recording(path, [other, Entry(request(), answer())])
    miss = load_recording(path).nearest(asked)
    assert f"{path}:2: refunds.eval.yaml::boots (arm first, trial 0)" in miss
    assert expected in miss


def test_a_miss_of_an_unknown_case_shows_the_most_alike_question(path: Path) -> None:
    """A renamed case is found by its words."""
    entries = [
        Entry(request(f"case{number}", f"Question about {word}?", key=word), answer())
        for number, word in enumerate(["boots", "tents", "maps"])
    ]
    write_recording(path, entries)
    miss = load_recording(path).nearest(request("new", "A question on tents?", key="x"))
    assert "case1 (arm first, trial 0)" in miss


def test_a_late_difference_is_shown_where_it_is(path: Path) -> None:
    """An excerpt around the first differing character, not the common beginning."""
    prompt = "x" * 500
    write_recording(path, [Entry(request(prompt=f"{prompt}old"), answer())])
    miss = load_recording(path).nearest(request(prompt=f"{prompt}new", key="y"))
    assert 'xxxold"' in miss
    assert 'xxxnew"' in miss
    assert len(miss.splitlines()[-1]) < 150


@pytest.mark.parametrize(
    ("name", "file"), [("base", "base.jsonl"), ("a/../b", "a%2F..%2Fb.jsonl")]
)
def test_a_variant_has_its_file_beside_the_variants(name: str, file: str) -> None:
    """A name never leads out of the folder."""
    place = Location(path=Path("/suite/llm_variants.yaml"))
    variant = Variant(name=name, location=place, kind="prompt")
    assert recording_path(variant) == Path("/suite/recordings") / file


@given(
    text=st.text(st.characters(exclude_categories=())),
    case=st.text(st.characters(exclude_categories=()), min_size=1),
)
def test_any_text_survives_a_line(
    tmp_path_factory: pytest.TempPathFactory, text: str, case: str
) -> None:
    """Whatever a model says and a case is called."""
    path = tmp_path_factory.mktemp("any") / "base.jsonl"
    write_recording(path, [Entry(request(case), answer(text))])
    recording = load_recording(path)
    found = recording.find(request(case))
    assert found is not None
    assert found.text == text
    assert recording.lines[0].head.case == case


def test_processes_that_record_at_once_lose_nothing(path: Path) -> None:
    """Workers of xdist end together and write to the same file."""
    script = (
        "import sys; from pathlib import Path;"
        "from pytest_llm_diagnosis.store import Entry, write_recording;"
        "from pytest_llm_diagnosis.records import Answer, Request\n"
        "for n in range(10):\n"
        "    key = f'{sys.argv[2]}{n}'\n"
        "    asked = Request(key=key, case=key, variant='v', messages=())\n"
        "    write_recording(Path(sys.argv[1]), [Entry(asked, Answer(text='a'))])"
    )
    workers = [
        subprocess.Popen(  # noqa: S603 - this test's own code
            [sys.executable, "-c", script, str(path), f"worker{number}"]
        )
        for number in range(4)
    ]
    assert [worker.wait(timeout=60) for worker in workers] == [0] * 4
    assert len(load_recording(path).lines) == 40
    assert [file.name for file in path.parent.iterdir()] == ["base.jsonl"]
