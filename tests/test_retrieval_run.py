"""Runs of variants that retrieve by meaning, by a callable, by a registered one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import cast

# pytester forgets what an inner run imports first, and this takes time anew.
import aiohttp
import litellm
import numpy as np
import pytest
import wordllama

from comparing import cases_by_id
from conftest import EvalSuite, block
from model_server import ModelServer, Reply, Served, raw, status
from pytest_llm_diagnosis.records import JsonObject
from pytest_llm_diagnosis.retrieval import Embedded, MemoryVectors

assert aiohttp
assert litellm
assert np
assert wordllama

EVALS = """\
cases:
  - id: boots
    mark: knowledge
    prompt: May I bring hiking footwear back?
    evidence: docs/returns.md#unworn-goods
    facts: [number: 45]
  - id: tents
    mark: knowledge
    prompt: How long may I borrow a shelter?
    evidence: docs/rentals.md#tents
    facts: [number: 7]
"""
RETURNS = """\
# Returns

## Unworn goods

Unworn boots may be returned within 45 days of delivery.

## Worn goods

Worn goods are exchanged once, within 10 days.
"""
RENTALS = """\
# Rentals

## Tents

A tent is rented for 7 days.
"""
ANSWERS = """\
rules:
  - {contains: within 45 days, text: You have 45 days.}
  - {contains: rented for 7 days, text: For 7 days.}
  - {text: I do not know.}
"""
VARIANTS = """\
default: rag
variants:
  base: {script: answers.yaml}
  rag:
    extends: base
    retrieve:
      documents: "docs/*.md"
      top_k: 1
      search: SEARCH
      embeddings: {model: openai/e, api_base: "${EMBED_URL}", api_key: "${EMBED_KEY}"}
"""
MEANINGS = (("boots", "footwear"), ("tent", "shelter"), ("exchanged",))


def embedded(request: Served) -> Reply:
    """Embed by what the words of a text mean."""
    vectors = [
        [float(any(word in text.lower() for word in words)) for words in MEANINGS]
        for text in request.body["input"]
    ]
    data = [
        {"object": "embedding", "index": number, "embedding": [*vector, 0.1]}
        for number, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    body = {"object": "list", "data": data, "model": "e", "usage": usage}
    return raw(json.dumps(body).encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """Return a server of embeddings, and its address in the environment."""
    with ModelServer(embedded) as server:
        monkeypatch.setenv("EMBED_URL", server.url)
        monkeypatch.setenv("EMBED_KEY", "sk-embedding-secret")
        yield server


@pytest.fixture
def meaning(empty_suite: EvalSuite) -> EvalSuite:
    """Return two cases whose questions share no word with their passages."""
    empty_suite.write_file("a.eval.yaml", EVALS)
    empty_suite.write_file("docs/returns.md", RETURNS)
    empty_suite.write_file("docs/rentals.md", RENTALS)
    empty_suite.write_file("answers.yaml", ANSWERS)
    return empty_suite


def with_search(suite: EvalSuite, search: str) -> None:
    """Write the variants, which search in this way."""
    suite.write_file("llm_variants.yaml", VARIANTS.replace("SEARCH", search))


def outcomes(report: JsonObject) -> list[str]:
    """Return what became of the cases, in their order."""
    return [str(one["outcome"]) for one in cast("list[JsonObject]", report["cases"])]


@pytest.mark.parametrize("search", ["vectors", "hybrid"])
def test_meaning_finds_what_words_do_not(
    meaning: EvalSuite, server: ModelServer, search: str
) -> None:
    """One call embeds passages and questions; a second run makes none."""
    with_search(meaning, search)
    report = meaning.report()
    assert outcomes(report) == ["passed", "passed"]
    run = cast("JsonObject", report["run"])
    # One call of embeddings, and the two scripted ones.
    assert (run["calls"], run["retrieval_calls"]) == (3, 1)
    assert len(server.requests) == 1
    assert len(server.requests[0].body["input"]) == 5
    again = meaning.report()
    assert outcomes(again) == ["passed", "passed"]
    assert len(server.requests) == 1


def test_words_alone_miss_them(meaning: EvalSuite) -> None:
    """The same questions by full text find nothing: a miss each, and no call."""
    text = VARIANTS[: VARIANTS.index("      search")]
    meaning.write_file("llm_variants.yaml", text)
    report = meaning.report("--llm-probe=off")
    assert outcomes(report) == ["failed", "failed"]
    missed = {"k": 1, "rank": None, "found": 0, "gold": 1}
    assert [case["retrieved"] for case in cases_by_id(report).values()] == [missed] * 2


def test_the_summary_says_how_often_the_passage_was_retrieved(
    meaning: EvalSuite, server: ModelServer
) -> None:
    """A line a variant, the same in numbers in the report, and the run's calls."""
    with_search(meaning, "vectors")
    result = meaning.run("--llm-variant=base,rag", "--llm-probe=off")
    line = "rag: the gold passage was the one retrieved in 2 of 2 cases"
    assert line in result.outlines
    assert "llm: 1 call to embed 5 texts for rag, 0 stored" in result.outlines
    result.stdout.fnmatch_lines(["*1 was made by retrieval*"])
    assert len(server.requests) == 1


def test_only_what_changed_is_embedded_again(
    meaning: EvalSuite, server: ModelServer
) -> None:
    """An edited section costs its own text; the rest is on disk."""
    with_search(meaning, "vectors")
    meaning.run()
    meaning.write_file("docs/rentals.md", RENTALS.replace("A tent", "Every tent"))
    assert outcomes(meaning.report()) == ["passed", "passed"]
    (text,) = server.requests[1].body["input"]
    assert "Every tent" in text


def test_texts_go_in_batches(meaning: EvalSuite, server: ModelServer) -> None:
    """No call holds more texts than it may, and none is made twice."""
    batched = VARIANTS.replace('"${EMBED_KEY}"}', '"${EMBED_KEY}", batch: 2}')
    meaning.write_file("llm_variants.yaml", batched.replace("SEARCH", "vectors"))
    assert outcomes(meaning.report()) == ["passed", "passed"]
    sizes = [len(request.body["input"]) for request in server.requests]
    assert sorted(sizes) == [1, 2, 2]
    texts = [text for request in server.requests for text in request.body["input"]]
    assert len(set(texts)) == 5


def test_a_replay_needs_neither_key_nor_network(
    meaning: EvalSuite, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The passages of each question stand beside the answers, to be read."""
    with_search(meaning, "hybrid")
    meaning.run("--llm-record")
    lines = recorded(meaning.path)
    assert [line["case"] for line in lines] == [
        "a.eval.yaml::boots",
        "a.eval.yaml::tents",
    ]
    request = cast("JsonObject", lines[0]["request"])
    params = cast("JsonObject", request["params"])
    assert params["search"] == "hybrid"
    assert params["embeddings"] == {"model": "openai/e", "api_base": "${EMBED_URL}"}
    (passage,) = cast(
        "list[JsonObject]", cast("JsonObject", lines[0]["answer"])["contexts"]
    )
    assert passage["source"] == "docs/returns.md#unworn-goods"
    monkeypatch.delenv("EMBED_URL")
    monkeypatch.delenv("EMBED_KEY")
    report = meaning.report("--llm-answers=replay", "-p", "no:cacheprovider")
    assert outcomes(report) == ["passed", "passed"]
    assert cast("JsonObject", report["run"])["calls"] == 0
    assert len(server.requests) == 1


def recorded(folder: Path) -> list[JsonObject]:
    """Return the lines of what was retrieved."""
    text = (folder / "recordings" / "rag.retrieved.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.usefixtures("server")
def test_a_replay_notices_changed_documents_and_settings(meaning: EvalSuite) -> None:
    """What was retrieved from other documents is no answer; the difference is told."""
    with_search(meaning, "vectors")
    meaning.run("--llm-record")
    meaning.write_file("docs/rentals.md", RENTALS.replace("7 days", "9 days"))
    result = meaning.run("--llm-answers=replay")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["*no recorded answer for a.eval.yaml::boots?rag.retrieved?*"]
    )
    assert "documents" in result.stdout.str()


@pytest.mark.usefixtures("server")
def test_recordings_of_cases_that_are_gone_are_pruned(meaning: EvalSuite) -> None:
    """What was retrieved goes with the answers."""
    with_search(meaning, "vectors")
    meaning.run("--llm-record")
    meaning.write_file("a.eval.yaml", EVALS[: EVALS.index("  - id: tents")])
    meaning.run("--llm-prune-recordings")
    assert [line["case"] for line in recorded(meaning.path)] == ["a.eval.yaml::boots"]


def test_a_failed_embedding_is_told_at_the_variants_file(
    meaning: EvalSuite, server: ModelServer
) -> None:
    """An error, not a failure, with the provider's words and without the key."""
    server.script = lambda _: status(401, "wrong key sk-embedding-secret given")
    with_search(meaning, "vectors")
    result = meaning.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["llm_variants.yaml:7: variant 'rag' cannot retrieve: *wrong key*"]
    )
    shown = result.stdout.str() + result.stderr.str()
    assert "sk-embedding-secret" not in shown
    assert "Traceback" not in shown


def test_an_embedding_is_tried_again(meaning: EvalSuite, server: ModelServer) -> None:
    """The one retry layer holds for it, and its retries are counted."""
    server.script = lambda request: (
        status(503, "busy", headers={"retry-after": "0"})
        if request.number == 0
        else embedded(request)
    )
    with_search(meaning, "vectors")
    report = meaning.report()
    assert outcomes(report) == ["passed", "passed"]
    assert cast("JsonObject", report["run"])["retries"] == 1


def test_a_spent_budget_skips_what_cannot_be_retrieved(
    meaning: EvalSuite, server: ModelServer
) -> None:
    """No call is made, and nothing is called a failure."""
    with_search(meaning, "vectors")
    report = meaning.report("--llm-max-calls=0")
    assert outcomes(report) == ["skipped", "skipped"]
    assert not server.requests


def test_workers_pay_for_an_embedding_once(
    meaning: EvalSuite, server: ModelServer
) -> None:
    """Two processes embed each text once between them."""
    batched = VARIANTS.replace('"${EMBED_KEY}"}', '"${EMBED_KEY}", batch: 1}')
    meaning.write_file("llm_variants.yaml", batched.replace("SEARCH", "hybrid"))
    result = meaning.pytester.runpytest_subprocess("-n2", "--llm-report=report.json")
    result.assert_outcomes(passed=2)
    texts = [text for request in server.requests for text in request.body["input"]]
    assert sorted(texts) == sorted(set(texts))
    assert len(texts) == 5
    report = json.loads((meaning.path / "report.json").read_text(encoding="ascii"))
    assert report["run"]["retrieval_calls"] == 5


# -- other ways to embed, to cut and to keep --------------------------------

EMBED = """\
MEANINGS = (("boots", "footwear"), ("tent", "shelter"), ("exchanged",))

async def embed(texts):
    return [
        [float(any(word in text.lower() for word in words)) for words in MEANINGS]
        + [0.1]
        for text in texts
    ]

def short(texts):
    return [[1.0]]
"""
BY_CALL = """\
default: rag
variants:
  rag:
    script: answers.yaml
    retrieve: {documents: "docs/*.md", top_k: 1, embeddings: {call: "meaning:NAME"}}
"""


def test_embeddings_of_ones_own(meaning: EvalSuite) -> None:
    """A callable embeds in batches, and its vectors are kept too."""
    meaning.write_file("meaning.py", EMBED)
    meaning.write_file("llm_variants.yaml", BY_CALL.replace("NAME", "embed"))
    report = meaning.report()
    assert outcomes(report) == ["passed", "passed"]
    assert cast("JsonObject", report["run"])["retrieval_calls"] == 1
    again = cast("JsonObject", meaning.report()["run"])
    assert again["retrieval_calls"] == 0


def test_embeddings_that_do_not_fit_are_told(meaning: EvalSuite) -> None:
    """One vector for five texts is a mistake, at the line of `retrieve:`."""
    meaning.write_file("meaning.py", EMBED)
    meaning.write_file("llm_variants.yaml", BY_CALL.replace("NAME", "short"))
    result = meaning.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        ["llm_variants.yaml:5: *5 texts were to be embedded, and 1 vectors of 1 *"]
    )


LOCAL = """\
default: rag
variants:
  rag:
    script: answers.yaml
    retrieve:
      documents: "docs/*.md"
      top_k: 2
      chunk: {words: 6, overlap: 2}
      embeddings: {local: wordllama}
"""
CITING = """\
cases:
  - id: boots
    mark: knowledge
    prompt: Unworn boots may be returned when?
    evidence: docs/returns.md#unworn-goods
    facts: [{cites: {ids: docs/returns.md#unworn-goods}}, grounded]
"""
CITED = """\
rules: [{text: "Within days of delivery [docs/returns.md#unworn-goods]."}]
"""


def test_a_piece_counts_as_its_section(meaning: EvalSuite) -> None:
    """By a model inside a package: no call; cited and gold by the section's id."""
    meaning.write_file("a.eval.yaml", CITING)
    meaning.write_file("answers.yaml", CITED)
    meaning.write_file("llm_variants.yaml", LOCAL)
    report = meaning.report("--llm-probe=off")
    (case,) = cast("list[JsonObject]", report["cases"])
    (trial,) = cast("list[JsonObject]", case["trials"])
    shown = [str(one["source"]) for one in cast("list[JsonObject]", trial["contexts"])]
    assert all(source.startswith("docs/returns.md#unworn-goods/") for source in shown)
    assert case["outcome"] == "passed"
    assert case["retrieved"] == {"k": 2, "rank": 1, "found": 1, "gold": 1}
    assert cast("JsonObject", report["run"])["retrieval_calls"] == 0


class Shelf(MemoryVectors):
    """A store that outlives a run, and counts how often it is filled."""

    def __init__(self) -> None:
        super().__init__()
        self.filled = 0
        self.opened: list[tuple[object, Path]] = []

    def replace(self, revision: str, passages: Iterable[Embedded]) -> None:
        """Count it."""
        self.filled += 1
        super().replace(revision, passages)


def test_a_store_is_filled_once(
    meaning: EvalSuite, server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is given its filled-in settings; another run finds what it has."""
    shelf = Shelf()

    def open_store(settings: object, folder: Path) -> Shelf:
        shelf.opened.append((settings, folder))
        return shelf

    monkeypatch.setattr("pytest_llm_diagnosis.retrieval.stores.open_store", open_store)
    stored = VARIANTS.replace("SEARCH", "hybrid")
    meaning.write_file(
        "llm_variants.yaml",
        f'{stored}      store: {{qdrant: {{url: "${{EMBED_URL}}"}}}}\n',
    )
    for _ in range(2):
        assert outcomes(meaning.report()) == ["passed", "passed"]
    assert shelf.filled == 1
    assert shelf.opened[0] == ({"qdrant": {"url": server.url}}, meaning.path)
    meaning.write_file("docs/rentals.md", RENTALS.replace("A tent", "Every tent"))
    assert outcomes(meaning.report()) == ["passed", "passed"]
    assert shelf.filled == 2


def test_a_real_store_keeps_them(meaning: EvalSuite, server: ModelServer) -> None:
    """Qdrant in a folder: filled by the first run, found by the second."""
    pytest.importorskip("qdrant_client")
    stored = VARIANTS.replace("SEARCH", "vectors")
    text = f"{stored}      store: {{qdrant: {{path: .vectors}}}}\n"
    meaning.write_file("llm_variants.yaml", text)
    assert outcomes(meaning.report()) == ["passed", "passed"]
    assert (meaning.path / ".vectors").is_dir()
    asked = len(server.requests)
    assert outcomes(meaning.report()) == ["passed", "passed"]
    assert len(server.requests) == asked


def test_a_wrong_store_is_told_at_its_line(meaning: EvalSuite) -> None:
    """The kinds there are, and the nearest one."""
    stored = VARIANTS.replace("SEARCH", "vectors")
    text = f"{stored}      store: {{qdrnt: {{path: .vectors}}}}\n"
    meaning.write_file("llm_variants.yaml", text)
    result = meaning.run("--llm-variant=rag")
    result.stdout.fnmatch_lines(["*llm_variants.yaml:*'qdrnt'*", "*qdrant*"])


PYTHON = """\
import pytest

@pytest.mark.knowledge(evidence="docs/returns.md#unworn-goods")
def test_boots(llm):
    assert "45" in llm("May I bring hiking footwear back?").text
    assert "7" in llm("How long may I borrow a shelter?").text
"""


def test_python_tests_retrieve_too(meaning: EvalSuite, server: ModelServer) -> None:
    """Each question is embedded as it is asked; passages once; a replay has them."""
    (meaning.path / "a.eval.yaml").unlink()
    meaning.write_file("test_it.py", PYTHON)
    with_search(meaning, "vectors")
    assert outcomes(meaning.report("--llm-record")) == ["passed"]
    assert [len(one.body["input"]) for one in server.requests] == [4, 1]
    assert outcomes(meaning.report("--llm-answers=replay")) == ["passed"]
    assert len(server.requests) == 2


# -- the user's own --------------------------------------------------------

SEARCH = """\
import os

class Found:
    def __init__(self, text, source):
        self.text = text
        self.source = source

def texts(query, top_k):
    return [f"Unworn boots may be returned within 45 days of delivery. {query}"] * 9

async def passages(query, top_k):
    return [{"text": "A tent is rented for 7 days.", "source": "t", "score": 0.5}]

def objects(query, top_k):
    return (Found("Hats.", n) for n in range(top_k))

def broken(query, top_k):
    raise RuntimeError("the index is gone")

def odd(query, top_k):
    return 45
"""
OWN = """\
default: rag
variants:
  rag:
    script: answers.yaml
    retrieve: {call: "search:NAME", top_k: 2}
"""


def with_call(suite: EvalSuite, name: str) -> None:
    """Write a variant that retrieves by a function of this name."""
    suite.write_file("search.py", SEARCH)
    suite.write_file("llm_variants.yaml", OWN.replace("NAME", name))


@pytest.mark.parametrize(
    ("name", "expected", "contexts"),
    [
        ("texts", ["passed", "failed"], 2),
        ("passages", ["failed", "passed"], 1),
        ("objects", ["failed", "failed"], 2),
    ],
)
def test_a_callable_retrieves(
    meaning: EvalSuite, name: str, expected: list[str], contexts: int
) -> None:
    """Texts, mappings or objects, sync or async, no more than were wanted."""
    with_call(meaning, name)
    report = meaning.report("--llm-probe=off")
    assert outcomes(report) == expected
    (trial,) = cast("list[JsonObject]", cases_by_id(report)["boots"]["trials"])
    assert len(cast("list[JsonObject]", trial["contexts"])) == contexts


def test_a_text_that_holds_the_gold_passage_is_one(meaning: EvalSuite) -> None:
    """Passages without ids of ours are known by their text."""
    with_call(meaning, "texts")
    found = cases_by_id(meaning.report("--llm-probe=off"))
    assert found["boots"]["retrieved"] == {"k": 2, "rank": 1, "found": 1, "gold": 1}
    assert found["tents"]["retrieved"] == {"k": 2, "rank": None, "found": 0, "gold": 1}


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("broken", "search:broken raised RuntimeError: the index is gone"),
        ("odd", "search:odd returned int: a list of texts or of passages *"),
        ("absent", "module 'search' has no attribute 'absent'"),
    ],
)
def test_what_goes_wrong_in_it_is_told_at_the_variants_file(
    meaning: EvalSuite, name: str, finding: str
) -> None:
    """An error of the case, with the line of `retrieve:`."""
    with_call(meaning, name)
    result = meaning.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([f"llm_variants.yaml:5: *{finding}*"])
    assert "Traceback" not in result.stdout.str()


def test_what_a_callable_found_is_replayed(meaning: EvalSuite) -> None:
    """The replay does not even import it."""
    with_call(meaning, "texts")
    meaning.run("--llm-record", "--llm-probe=off")
    (meaning.path / "search.py").unlink()
    report = meaning.report("--llm-answers=replay", "--llm-probe=off")
    assert outcomes(report) == ["passed", "failed"]


CONFTEST = """\
from pytest_llm_diagnosis.records import Context

class Last:
    def __init__(self, passages, settings):
        self.passages = passages[settings.get("skip", 0):]

    def search(self, query, top_k):
        return tuple(
            Context(text=one.text, source=one.id) for one in self.passages[:top_k]
        )

def pytest_llm_register_retrievers(retrievers):
    retrievers["last"] = Last
"""
REGISTERED = """\
default: rag
variants:
  rag:
    script: answers.yaml
    retrieve: {documents: "docs/*.md", top_k: 1, retriever: NAME, settings: {skip: 1}}
"""


def test_a_registered_retriever_searches_the_documents(meaning: EvalSuite) -> None:
    """It is given the passages and the settings of its variant."""
    meaning.write_file("conftest.py", CONFTEST)
    meaning.write_file("llm_variants.yaml", REGISTERED.replace("NAME", "last"))
    report = meaning.report("--llm-probe=off")
    assert outcomes(report) == ["passed", "failed"]


def test_an_unknown_retriever_is_told_with_the_known_ones(meaning: EvalSuite) -> None:
    """The nearest name comes first."""
    meaning.write_file("conftest.py", CONFTEST)
    meaning.write_file("llm_variants.yaml", REGISTERED.replace("NAME", "lst"))
    result = meaning.run()
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "llm_variants.yaml:5: *no retriever is registered as 'lst'",
            "*did you mean 'last'? registered: last",
        ]
    )


# -- what it means for the diagnosis ---------------------------------------

SPLIT = """\
cases:
  - id: missed
    mark: knowledge
    prompt: May I bring hiking footwear back?
    evidence: docs/returns.md#unworn-goods
    facts: [number: 45]
  - id: distracted
    mark: knowledge
    prompt: How long is a tent rented for?
    evidence: docs/rentals.md#tents
    facts: [number: 7]
  - id: not-used
    mark: knowledge
    prompt: Are worn goods exchanged?
    evidence: docs/returns.md#worn-goods
    facts: [number: 10]
"""
EXPERT = """\
def answer(request):
    shown = request.messages[-1]["content"]
    if "within 45 days" in shown:
        return "45 days"
    if "rented for 7 days" in shown and "Hats" not in shown:
        return "7 days"
    return "I do not know."

def search(query, top_k):
    if "tent" in query:
        return ["A tent is rented for 7 days.", "Hats."]
    return ["Hats.", "Worn goods are exchanged once, within 10 days."]
"""
ASKED = """\
default: rag
variants:
  rag: {call: "expert:answer", retrieve: {call: "expert:search", top_k: 2}}
"""


def test_failures_are_split_by_what_became_of_the_passage(
    meaning: EvalSuite,
) -> None:
    """Missed, shown among others, or of no use: in counts, and in each case's note."""
    meaning.write_file("a.eval.yaml", SPLIT)
    meaning.write_file("expert.py", EXPERT)
    meaning.write_file("llm_variants.yaml", ASKED)
    result = meaning.run("--llm-report=report.json")
    report = json.loads((meaning.path / "report.json").read_text(encoding="ascii"))
    notes = {name: str(case["note"]) for name, case in cases_by_id(report).items()}
    assert "retrieval miss" in notes["missed"]
    assert "distracted" in notes["distracted"]
    assert "not used" in notes["not-used"]
    (variant,) = report["variants"]
    assert variant["recall"]["missed"] == 1
    assert variant["recall"]["distracted"] == 1
    assert variant["recall"]["unused"] == 1
    shown = " ".join(block(result, "^rag: the gold", "^verdict").split())
    assert "among the 2 retrieved in 2 of 3 cases, at rank 1 in 1" in shown
    split = (
        "the gold passage in failing cases: 1 not retrieved (retrieval miss), "
        "1 right with it alone (distracted), 1 wrong even with it alone (not used)"
    )
    assert split in shown


HOUSE = """\
import os


class House:
    def search(self, query, top_k):
        RETURNED


def pytest_llm_register_retrievers(retrievers):
    retrievers["house"] = lambda passages, settings: House()
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('return ["a"]', "the retriever 'house' gave str, not Context"),
        (
            (
                "from pytest_llm_diagnosis.records import Context\n        "
                'return [Context(text="a", score=float("nan"))]'
            ),
            "the retriever 'house' gave the score nan",
        ),
        ('raise OSError(os.environ["HOUSE_API_KEY"])', "raised OSError: ***"),
    ],
)
def test_a_bad_registered_retriever_is_an_error_at_its_line(
    meaning: EvalSuite, monkeypatch: pytest.MonkeyPatch, body: str, said: str
) -> None:
    """Whatever it returns or says: no internal error, and no key is shown."""
    monkeypatch.setenv("HOUSE_API_KEY", "sk-house-secret")
    meaning.pytester.makeconftest(HOUSE.replace("RETURNED", body))
    retrieve = "{documents: docs/*.md, retriever: house}"
    meaning.write_file(
        "llm_variants.yaml",
        f"variants:\n  r: {{script: answers.yaml, retrieve: {retrieve}}}\n",
    )
    result = meaning.run("--llm-variant=r", "-vv")
    result.assert_outcomes(errors=2)
    shown = result.stdout.str()
    assert said in shown
    assert "llm_variants.yaml:2:" in shown
    assert "sk-house-secret" not in shown


def test_a_score_that_is_no_number_is_an_error_at_its_line(meaning: EvalSuite) -> None:
    """No recording could hold it."""
    meaning.write_file(
        "house.py",
        "def find(query, top_k):\n    return [{'text': 'a', 'score': float('nan')}]\n",
    )
    meaning.write_file(
        "llm_variants.yaml",
        "variants:\n  r: {script: answers.yaml, retrieve: {call: 'house:find'}}\n",
    )
    result = meaning.run("--llm-variant=r", "--llm-record", "-vv")
    result.assert_outcomes(errors=2)
    shown = result.stdout.str() + result.stderr.str()
    assert "house:find returned a passage whose score is nan" in shown
    assert "Traceback" not in shown


def test_a_generator_that_fails_midway_is_an_error_at_its_line(
    meaning: EvalSuite,
) -> None:
    """It runs only while its passages are read, and ends no run."""
    meaning.write_file(
        "house.py",
        "def find(query, top_k):\n    yield 'a'\n    raise OSError('gone')\n",
    )
    meaning.write_file(
        "llm_variants.yaml",
        "variants:\n  r: {script: answers.yaml, retrieve: {call: 'house:find'}}\n",
    )
    result = meaning.run("--llm-variant=r", "-vv")
    result.assert_outcomes(errors=2)
    assert "house:find raised OSError: gone" in result.stdout.str()
