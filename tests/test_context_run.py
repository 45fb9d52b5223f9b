"""Runs with examples and a whole corpus: what is sent, counted, saved and said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import pytest

from conftest import RETURNS, EvalSuite
from model_server import ModelServer, Reply, Served, answered
from pytest_llm_diagnosis.records import JsonObject

assert aiohttp
CASES = """\
defaults: {mark: behavior, form: [min_words: 1]}
cases:
  - {id: a, prompt: Is a open?, system: You are Ann., ideal: "yes, a is"}
  - {id: b, prompt: Is b open?, system: You are Bob., ideal: "yes, b is"}
  - {id: c, prompt: Is c open?, ideal: "yes, c is"}
"""
VARIANTS = """\
default: all
variants:
  base: {model: openai/x, api_base: "${LOOPBACK_URL}"}
  few_shot: {extends: base, examples: 2}
  long:
    extends: base
    context: docs/*.md
"""
UNKNOWN = "how many openai/x takes is unknown (write window: N)"
CORPUS = f"# docs/returns.md\n\n{RETURNS.strip()}"


def usage(request: Served) -> Reply:
    """Answer; a prompt token a word, and the corpus read from a cache."""
    if request.path != "/v1/chat/completions":
        return Reply(status=404)
    texts = [str(turn["content"]) for turn in request.body["messages"]]
    cached = 20 if texts[0].startswith("# docs") and request.number > 3 else 0
    prompt = sum(len(text.split()) for text in texts)
    details = {"cached_tokens": cached}
    counts = {"prompt_tokens": prompt, "completion_tokens": 2}
    return answered("yes", usage={**counts, "prompt_tokens_details": details})


@pytest.fixture
def served(
    empty_suite: EvalSuite, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[EvalSuite, ModelServer]]:
    """Return a suite of three variants, and the server that answers for them."""
    empty_suite.write_file("a.eval.yaml", CASES)
    empty_suite.write_file("llm_variants.yaml", VARIANTS)
    empty_suite.write_file("docs/returns.md", RETURNS)
    with ModelServer(usage) as server:
        monkeypatch.setenv("LOOPBACK_URL", server.url)
        yield empty_suite, server


def lines(result: pytest.RunResult, *names: str) -> list[str]:
    """Return what is said of what variants cost, unwrapped."""
    text = "\n".join(result.outlines).replace("\n  ", " ")
    return [line for line in text.split("\n") if line.startswith(names)]


def test_examples_and_a_corpus_are_measured_against_the_plain_variant(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """One line each, in the terminal, in Markdown and in the report."""
    suite, server = served
    paths = [f"--llm-report={suite.path}/r{ending}" for ending in (".json", ".md")]
    result = suite.run("--llm-probe=off", *paths)
    result.assert_outcomes(passed=9)
    calls = [one for one in server.requests if one.path == "/v1/chat/completions"]
    long = [
        one for one in calls if str(one.body["messages"][0]["content"])[:6] == "# docs"
    ]
    share = 100 * 20 * sum(one.number > 3 for one in long) / sum(map(_words, long))
    expected = [
        (
            "few_shot: 2 examples add 12 prompt tokens a case (measured against base, "
            "3 cases)"
        ),
        (
            "long: the corpus adds 28 prompt tokens a case (measured against base, "
            f"3 cases); {UNKNOWN}; {share:.0f}% of its prompt tokens came from the "
            "cache"
        ),
    ]
    assert lines(result, "few_shot:", "long:") == expected
    markdown = (suite.path / "r.md").read_text(encoding="utf-8")
    for line in expected:
        assert f"- {line}".replace("_", r"\_") in markdown
    report = json.loads((suite.path / "r.json").read_text(encoding="ascii"))
    base, few_shot, told = report["variants"]
    assert base["extra"] is None
    assert base["spending"]["cases"] == 3
    assert few_shot["setup"]["plain"] == "base"
    assert (few_shot["extra"]["prompt_tokens"], few_shot["extra"]["counted"]) == (12, 3)
    assert told["extra"]["prompt_tokens"] == 28
    assert told["spending"]["cached_tokens"] > 0


def _words(request: Served) -> int:
    return sum(len(str(turn["content"]).split()) for turn in request.body["messages"])


def test_without_the_plain_variant_it_is_an_estimate(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """And is said to be one."""
    suite, _ = served
    result = suite.run("--llm-probe=off", "--llm-variant=few_shot,long")
    told = lines(result, "few_shot:", "long:")
    few_shot, long = (line for line in told if "prompt tokens" in line)
    assert few_shot.startswith("few_shot: 2 examples add about ")
    assert few_shot.endswith(" prompt tokens a case (estimated)")
    assert long.startswith("long: the corpus adds about ")


def test_too_few_examples_are_told(served: tuple[EvalSuite, ModelServer]) -> None:
    """All cases have one answer: to show another's would give it away."""
    suite, _ = served
    text = CASES.replace("form: [min_words: 1]", 'facts: [contains: "yes"]')
    suite.write_file("a.eval.yaml", text)
    result = suite.run("--llm-probe=off", "--llm-variant=few_shot")
    assert lines(result, "few_shot:") == [
        "few_shot: 3 of 3 cases got fewer: other examples would give the answer away"
    ]


def test_the_system_prompt_begins_with_the_same_bytes_for_every_case(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """Whatever the case says of itself comes behind; a file more changes it."""
    suite, server = served
    suite.run("--llm-probe=off", "--llm-variant=long")
    calls = [one for one in server.requests if one.path == "/v1/chat/completions"]
    systems = sorted(str(one.body["messages"][0]["content"]) for one in calls)
    assert systems == [
        CORPUS,
        f"{CORPUS}\n\nYou are Ann.",
        f"{CORPUS}\n\nYou are Bob.",
    ]
    assert {one.encode()[: len(CORPUS.encode())] for one in systems} == {
        CORPUS.encode()
    }


@pytest.mark.parametrize("arguments", [[], ["-n2"]], ids=["one", "n2"])
def test_a_corpus_that_does_not_fit_is_refused_before_any_call(
    served: tuple[EvalSuite, ModelServer], arguments: list[str]
) -> None:
    """With the count, at the variant; the other variants run."""
    suite, server = served
    suite.write_file("llm_variants.yaml", VARIANTS + "    window: 20\n")
    result = suite.run("--llm-probe=off", "--llm-variant=base,long", *arguments)
    result.assert_outcomes(passed=3, errors=3)
    told = [line for line in result.outlines if "the corpus has" in line]
    assert told
    for line in told:
        assert "llm_variants.yaml:5: variant 'long': the corpus has about " in line
    assert not any(_is_long(one) for one in server.requests)
    assert "Traceback" not in result.stdout.str()


def _is_long(request: Served) -> bool:
    return "# docs" in json.dumps(dict(request.body))


def test_the_server_s_own_word_refuses_too(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """llama.cpp tells what it serves, and counts the corpus itself."""
    suite, server = served

    def llama(request: Served) -> Reply:
        told: dict[str, Any] = {
            "/props": {"default_generation_settings": {"n_ctx": 40}},
            "/tokenize": {"tokens": [7] * 41},
        }
        if request.path in told:
            return Reply(body=json.dumps(told[request.path]).encode())
        return usage(request)

    server.script = llama
    result = suite.run("--llm-probe=off", "--llm-variant=long")
    refused = (
        "llm_variants.yaml:5: variant 'long': the corpus has 41 tokens (counted by "
        "the model's server); openai/x takes 40"
    )
    result.stdout.fnmatch_lines([refused])
    assert not any(one.path == "/v1/chat/completions" for one in server.requests)


def test_what_is_stored_asks_no_server(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """Nor does a replay: the window is asked for right before a call."""
    suite, server = served
    suite.run("--llm-probe=off", "--llm-record")
    assert any(one.path == "/v1/models" for one in server.requests)
    server.requests.clear()
    suite.run("--llm-probe=off").assert_outcomes(passed=9)
    suite.run("--llm-probe=off", "--llm-answers=replay").assert_outcomes(passed=9)
    assert server.requests == []


def test_the_mark_and_the_window_change_no_recording(
    served: tuple[EvalSuite, ModelServer],
) -> None:
    """A window that is written later asks nothing anew."""
    suite, server = served
    suite.run("--llm-probe=off", "--llm-record", "--llm-variant=long")
    recorded = (suite.path / "recordings/long.jsonl").read_bytes()
    assert b"cache_control" not in recorded
    suite.write_file("llm_variants.yaml", VARIANTS + "    window: 5000\n")
    server.requests.clear()
    suite.run("--llm-probe=off", "--llm-record", "--llm-variant=long")
    assert server.requests == []
    assert (suite.path / "recordings/long.jsonl").read_bytes() == recorded


# -- the diagnosis ---------------------------------------------------------

IGNORANT = "cases:\n" + "".join(
    f"""\
  - id: f{n}
    mark: knowledge
    prompt: What is fact {n}?
    evidence: {{text: "Fact {n} is blue."}}
    facts: [contains: blue]
"""
    for n in range(9)
)
READS = """\
rules:
  - {contains: is blue, text: It is blue.}
  - {text: It is red.}
"""


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            "window: 9000",
            (
                "The corpus has about 42 tokens and fits (base takes 9,000): long "
                "context, with prompt caching."
            ),
        ),
        (
            "window: 9",
            (
                "The corpus has about 42 tokens and does not fit (base takes 9): "
                "retrieval."
            ),
        ),
        (
            "system: Hi",
            (
                "The corpus has about 42 tokens; how many base takes is unknown (write "
                "window: N): long context with prompt caching if it fits, else "
                "retrieval."
            ),
        ),
    ],
)
def test_a_knowledge_verdict_says_whether_the_corpus_fits(
    empty_suite: EvalSuite, keys: str, said: str
) -> None:
    """In the terminal and, for later, in the report."""
    empty_suite.write_file("a.eval.yaml", IGNORANT)
    empty_suite.write_file("answers.yaml", READS)
    empty_suite.write_file("docs/returns.md", RETURNS)
    empty_suite.write_file(
        "llm_variants.yaml",
        "default: base\ndocuments: {files: docs/*.md}\n"
        f"variants: {{base: {{script: answers.yaml, {keys}}}}}\n",
    )
    report = empty_suite.report()
    (variant,) = cast("list[JsonObject]", report["variants"])
    verdict = cast("JsonObject", variant["verdict"])
    assert verdict["kind"] == "knowledge"
    assert verdict["next"] == (
        f"put the source in context; it fixed 8 of 8. {said} Fine-tuning is not "
        "indicated."
    )
