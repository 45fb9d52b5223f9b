"""Secrets never leave the process: canaries are looked for in every byte written."""

from __future__ import annotations

import json
import re
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, urlencode

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import litellm
import pytest

from conftest import EvalSuite
from model_server import ModelServer, Reply, Served, status
from pytest_llm_diagnosis.records import (
    Answer,
    Context,
    Endpoint,
    JsonObject,
    ToolCall,
)
from pytest_llm_diagnosis.redaction import Redactor, secrets_of

assert aiohttp
assert litellm
CANARY = "canary-7f3a9b1c"


def test_an_answer_loses_its_secrets_and_nothing_else() -> None:
    """Text, tool calls and contexts are searched; the rest stays as it is."""
    answer = Answer(
        text=f"the key is {CANARY}.",
        tool_calls=(
            ToolCall(name="call", arguments={"key": CANARY, "n": 1}),
            ToolCall(name="call", arguments=f"broken {CANARY}"),
        ),
        contexts=(Context(text=f"see {CANARY}", source="docs/a.md"),),
        usd=0.5,
    )
    redacted = Redactor([CANARY]).answer(answer)
    assert CANARY not in str(redacted)
    assert redacted.text == "the key is ***."
    assert redacted.tool_calls[0].arguments == {"key": "***", "n": 1}
    assert (redacted.usd, redacted.contexts[0].source) == (0.5, "docs/a.md")


def test_the_longest_secret_goes_first() -> None:
    """A secret that holds another one leaves no rest of it."""
    redactor = Redactor(["secret-of-eight", "secret-of-eight-and-more", "short"])
    assert redactor.text("x secret-of-eight-and-more y short") == "x *** y short"


AWKWARD = 'k"7f\\3a/9b+\u00e9 &1c'


@pytest.mark.parametrize(
    "told",
    [
        AWKWARD,
        json.dumps({"key": AWKWARD}),
        json.dumps({"key": AWKWARD}, ensure_ascii=False),
        repr([AWKWARD]),
        f"https://h/?key={quote(AWKWARD)}&x=1",
        f"https://h/?{urlencode({'key': AWKWARD})}",
        f"key%3d{quote(AWKWARD, safe='').lower()}",
        f"Basic {b64encode(f'user:{AWKWARD}'.encode()).decode()}",
        f"Basic {b64encode(f'us:{AWKWARD}'.encode()).decode()}",
        urlsafe_b64encode(f"u:{AWKWARD}:more".encode()).decode(),
    ],
)
def test_a_secret_is_found_as_others_write_it(told: str) -> None:
    """JSON, `repr`, URLs and base64; nothing else of the text is lost."""
    shown = Redactor([AWKWARD]).text(told)
    assert "***" in shown
    core = b64encode(AWKWARD.encode()[3:-3]).decode()
    assert not re.search(r"7f|3a|9b", shown)
    assert core not in shown


def test_parts_that_give_a_secret_away() -> None:
    """A line of a key in several lines, the password of an address."""
    redactor = Redactor(
        ["-----BEGIN-----\nMIIEvQIBADANBgkqhkiG9w0B\nend\n", "pg://me:hunter2222@h/d"]
    )
    assert redactor.text("  MIIEvQIBADANBgkqhkiG9w0B") == "  ***"
    assert redactor.text("user me, password hunter2222") == "user me, password ***"
    assert redactor.text("the end") == "the end"


def test_an_answer_keeps_its_shape() -> None:
    """Quotes, keys of mappings and numbers that are secrets break no tool call."""
    secrets = ['quote"in-it', "1234567890", "a-key-of-a-map"]
    arguments: JsonObject = {
        "a-key-of-a-map": ["1234567890", 1234567890, 0.5],
        "said": 'a quote"in-it b',
    }
    call = ToolCall(name="call a-key-of-a-map", arguments=arguments)
    redacted = Redactor(secrets).answer(Answer(tool_calls=(call,)))
    (shown,) = redacted.tool_calls
    assert shown == ToolCall(
        name="call ***", arguments={"***": ["***", "***", 0.5], "said": "a *** b"}
    )


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "WATSONX_APIKEY",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "GITHUBTOKEN",
        "GH_PAT",
        "VERTEXAI_CREDENTIALS",
        "DB_PASSWORD",
        "db_pass",
    ],
)
def test_variables_that_look_like_keys(name: str) -> None:
    """Those of providers, and of what else a build machine knows."""
    assert list(secrets_of([], {name: CANARY})) == [CANARY]


@pytest.mark.parametrize("name", ["PATH", "PWD", "MONKEY", "LS_COLORS", "KEYBOARD"])
def test_variables_that_do_not(name: str) -> None:
    """Their values would be found in innocent text."""
    assert list(secrets_of([], {name: "/usr/bin"})) == []


def test_a_key_that_stands_in_the_file_is_one_too() -> None:
    """Nobody should write it there; it is not told all the same."""
    written = Endpoint(model="m", api_key=CANARY), Endpoint(model="m", api_key="${K}")
    assert list(secrets_of(written, {})) == [CANARY, ""]


def test_what_counts_as_secret() -> None:
    """Variables that the variants name, and those that look like keys."""
    written = Endpoint(model="openai/m", params={"user": "${WHO_ASKS}"})
    environment = {"WHO_ASKS": "a", "OPENAI_API_KEY": "b", "HOME": "c", "X_TOKEN": "d"}
    environment["JUDGE"] = "e"
    assert set(secrets_of([written, ("m", "${JUDGE}")], environment)) == {
        "a",
        "b",
        "d",
        "e",
    }


def test_no_byte_written_holds_a_canary(
    suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terminal, report, recording, store and JUnit of an app that leaks its key."""
    monkeypatch.setenv("LEAKED_API_KEY", CANARY)
    suite.write_file("llm_variants.yaml", LEAKING_VARIANTS)
    suite.write_file("leaking.py", LEAKING_APP)
    result = suite.run(
        "-vv", "--llm-record", "--junitxml=j.xml", "--llm-report=r.json", "-rA"
    )
    result.assert_outcomes(failed=2, errors=1)
    assert CANARY not in result.stdout.str() + result.stderr.str()
    written = [path for path in suite.path.rglob("*") if path.is_file()]
    assert {"j.xml", "r.json", "base.jsonl", "answers.sqlite"} <= {
        path.name for path in written
    }
    leaks = [path.name for path in written if CANARY.encode() in path.read_bytes()]
    assert leaks == []


ECHOED = """\
default: all
variants:
  direct:
    model: openai/m
    api_base: "${LOOPBACK_URL}"
    api_key: "${ODD_NAME}"
    params: {stop: ["${OTHER_NAME}"]}
    lane: direct
  litellm: {extends: direct, lane: litellm}
  app: {call: "app:answer"}
  # Named here and nowhere else: "${FOURTH_NAME}"
"""
ECHOING = """\
defaults: {mark: behavior}
cases:
  - {id: told, prompt: "tell", facts: [contains: "no such words"]}
  - {id: refused, prompt: "refuse", facts: [contains: "yes"]}
  - id: judged
    prompt: tell
    form:
      - judge:
          {model: openai/j, api_base: "${LOOPBACK_URL}/${THIRD_NAME}", rubric: Be kind.}
  - id: compared
    prompt: tell
    facts:
      - similar: {model: openai/e, api_base: "${LOOPBACK_URL}/${THIRD_NAME}", text: hi}
"""
ECHO_APP = """\
import base64, os, urllib.parse
from pathlib import Path

def answer(request):
    keys = [os.environ[f"{name}_NAME"] for name in ("ODD", "FOURTH")]
    told = [*keys, *map(urllib.parse.quote, keys)]
    told += [base64.b64encode(f"user:{key}".encode()).decode() for key in keys]
    if "refuse" in str(request.messages):
        raise RuntimeError(f"401 for {told}")
    # What is on disk while the run goes on, the store's write-ahead log included.
    seen = {path.name: path.read_bytes() for path in Path().rglob("*.sqlite*")}
    leaks = [name for name, data in seen.items() if b"canary" in data]
    Path("during.txt").write_text(f"{sorted(seen)} {leaks}")
    return f"my keys are {told}"
"""
ECHO_TEST = """\
import logging, os, sys
import pytest

@pytest.mark.behavior
def test_told(llm):
    answer = llm("tell")
    print("printed", os.environ["ODD_NAME"])
    print("printed", os.environ["OTHER_NAME"], file=sys.stderr)
    logging.getLogger("app").warning("logged %s", os.environ["ODD_NAME"])
    assert answer.text == "no such words"

@pytest.mark.behavior
def test_refused(llm):
    llm("refuse")
"""
NAMES = ("ODD", "OTHER", "THIRD", "FOURTH")


def echo(request: Served) -> Reply | str:
    """Answer, refuse, judge and embed, and repeat the request each time."""
    said = f"{request.headers.get('authorization')} {request.body} {request.path}"
    if request.path.endswith("embeddings"):
        return status(400, said)
    if request.path.count("/") > 3:
        return json.dumps({"reason": said, "passed": False})
    return status(401, said) if request.prompt == "refuse" else said


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["one", "n2"])
def test_no_byte_written_holds_what_a_provider_echoes(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch, workers: list[str]
) -> None:
    """Keys and parameters come back in answers, errors, prints and debug logs."""
    summary = empty_suite.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    for name in NAMES:
        monkeypatch.setenv(f"{name}_NAME", f"{CANARY}-{name}")
    empty_suite.write_file("llm_variants.yaml", ECHOED)
    empty_suite.write_file("a.eval.yaml", ECHOING)
    empty_suite.write_file("app.py", ECHO_APP)
    empty_suite.write_file("test_echo.py", ECHO_TEST)
    with ModelServer(echo) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        result = empty_suite.run(
            "-vv", "-l", "-rA", "--log-level=DEBUG", "--llm-record", "--llm-attempts=1",
            "--junitxml=j.xml", "--llm-report=r.json", "--llm-report=r.md", *workers,
        )  # fmt: skip
        seen = "".join(
            f"{one.headers} {one.body} {one.path}" for one in server.requests
        )
    assert all(f"{CANARY}-{name}" in seen for name in NAMES[:3]), "all were sent"
    outcomes = result.parseoutcomes()
    assert (outcomes["failed"], outcomes["errors"]) == (9, 9)
    shown = result.stdout.str() + result.stderr.str()
    assert shown.count("printed ***") >= 2
    assert "logged ***" in shown
    assert [line for line in shown.splitlines() if leaks(line)] == []
    paths = [path for path in empty_suite.path.rglob("*") if path.is_file()]
    names = {path.name for path in paths}
    assert names >= {"j.xml", "r.json", "r.md", "summary.md", "answers.sqlite"}
    assert names >= {"direct.jsonl", "litellm.jsonl", "app.jsonl", "lastfailed"}
    assert [
        path.name for path in paths if leaks(path.read_bytes().decode("latin-1"))
    ] == []
    during = (empty_suite.path / "during.txt").read_text("utf-8")
    assert "'answers.sqlite-wal'" in during
    assert during.endswith(" []")


def leaks(text: str) -> list[str]:
    """Return what of a canary stands in a text, also in base64 and in URLs."""
    inner = [b64encode(b"x" * skip + CANARY.encode())[4:-4] for skip in range(3)]
    wanted = [CANARY, *(form.decode() for form in inner)]
    return [form for form in wanted if form in text]


def test_an_application_that_cannot_be_imported_tells_no_key(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does a hook that prepares the calls."""
    monkeypatch.setenv("LEAKED_API_KEY", CANARY)
    raising = "import os\nraise RuntimeError(os.environ['LEAKED_API_KEY'])\n"
    empty_suite.write_file("broken.py", raising)
    empty_suite.write_file("a.eval.yaml", ECHOING.partition("  - id: judged")[0])
    empty_suite.write_file("answers.yaml", 'rules: [{text: "yes"}]\n')
    empty_suite.write_file(
        "llm_variants.yaml",
        "default: all\n"
        "variants: {app: {call: 'broken:answer'}, hooked: {script: answers.yaml}}\n",
    )
    empty_suite.write_file(
        "conftest.py",
        """\
        import os

        def pytest_llm_live_call(variant):
            if variant.name == "hooked":
                raise RuntimeError(os.environ["LEAKED_API_KEY"])
        """,
    )
    result = empty_suite.run("-vv", "--llm-report=r.json")
    result.assert_outcomes(errors=4)
    result.stdout.fnmatch_lines(["*RuntimeError: ***"])
    assert CANARY not in result.stdout.str() + result.stderr.str()
    assert CANARY not in (empty_suite.path / "r.json").read_text("ascii")


LEAKING_VARIANTS = """\
default: base
variants:
  base: {call: "leaking:answer"}
"""
LEAKING_APP = """\
import os

def answer(request):
    key = os.environ["LEAKED_API_KEY"]
    if "capital" in str(request.messages):
        raise RuntimeError(f"401 for key {key}")
    return f"my key is {key}"
"""
