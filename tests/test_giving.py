"""What variants give, in words: its cost, and whether the corpus fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from diagnosed import result, suite
from pytest_llm_diagnosis.diagnosis import (
    Diagnosis,
    Spending,
    VariantDiagnosis,
    diagnose,
)
from pytest_llm_diagnosis.records import (
    Answer,
    CaseResult,
    Corpus,
    RunFacts,
    Setup,
    Tokens,
    Trial,
    best_known,
    joined_setups,
)
from pytest_llm_diagnosis.report.giving import corpus_text, giving_texts
from pytest_llm_diagnosis.report.json_report import read_json, write_json
from pytest_llm_diagnosis.report.markdown import markdown_text
from pytest_llm_diagnosis.report.merging import Part, merge
from pytest_llm_diagnosis.report.terminal import summary_lines
from pytest_llm_diagnosis.report.verdicts import next_text
from pytest_llm_diagnosis.report.view import View

EXTRA = Spending(cases=24, counted=24, prompt_tokens=3104.2)


def corpus(tokens: int = 3120, window: int | None = 128_000, **parts: Any) -> Corpus:
    """Return a corpus that was counted."""
    settings: dict[str, Any] = {"counted_by": "tokenizer", "window_from": "listed"}
    settings |= {"model": "openai/gpt-4o", "tokens": tokens, "window": window}
    return Corpus(**settings | parts)


def variant(**parts: Any) -> VariantDiagnosis:
    """Return a variant that failed for lack of knowledge."""
    (found,) = diagnose(suite(30, knowledge=13), seed=7, probing=True).variants
    return replace(found, **parts)


def texts(**parts: Any) -> list[str]:
    """Return what is said of one variant."""
    return list(giving_texts(Diagnosis(seed=7, variants=(variant(**parts),))))


# -- what it costs ---------------------------------------------------------


@pytest.mark.parametrize(
    ("setup", "extra", "said"),
    [
        (
            Setup(kind="examples", plain="base", examples=3, given=99, seen=1),
            replace(EXTRA, prompt_tokens=112.4),
            "3 examples add 112 prompt tokens a case (measured against base, 24 cases)",
        ),
        (
            Setup(kind="examples", examples=1, given=99, seen=1),
            None,
            "1 example adds about 99 prompt tokens a case (estimated)",
        ),
        (
            Setup(kind="examples", plain="base", examples=3, given=99, seen=1),
            Spending(cases=24),
            "3 examples add about 99 prompt tokens a case (estimated)",
        ),
        (
            Setup(kind="examples", examples=3, given=1440, seen=24, short=5),
            None,
            (
                "3 examples add about 60 prompt tokens a case (estimated); 5 of 24 "
                "cases got fewer: other examples would give the answer away"
            ),
        ),
        (
            Setup(kind="retrieval", plain="base", given=200, seen=1),
            replace(EXTRA, prompt_tokens=1, counted=1),
            "its passages add 1 prompt token a case (measured against base, 1 case)",
        ),
        (
            Setup(kind="prompt", given=40, seen=1),
            None,
            "its prompt adds about 40 prompt tokens a case (estimated)",
        ),
        (
            Setup(kind="long_context", plain="base", given=3000, seen=1),
            EXTRA,
            (
                "the corpus adds 3,104 prompt tokens a case (measured against base, 24 "
                "cases)"
            ),
        ),
    ],
)
def test_what_a_variant_gives(setup: Setup, extra: Spending | None, said: str) -> None:
    """Measured where the plain variant ran too, else said to be an estimate."""
    assert texts(setup=setup, extra=extra) == [f"base: {said}"]


@pytest.mark.parametrize(
    ("window", "said"),
    [
        (128_000, "openai/gpt-4o takes 128,000"),
        (None, "how many openai/gpt-4o takes is unknown (write window: N)"),
    ],
)
def test_a_long_context_stands_beside_its_window(window: int | None, said: str) -> None:
    """Also where nobody knows it: then nothing was refused."""
    setup = Setup(kind="long_context", given=3120, seen=1, corpus=corpus(window=window))
    assert texts(setup=setup) == [
        f"base: the corpus adds about 3,120 prompt tokens a case (estimated); {said}"
    ]


@pytest.mark.parametrize(
    "setup", [None, Setup(kind="prompt", given=0, seen=1), Setup(kind="weights"),
              Setup(kind="app")]
)  # fmt: skip
def test_a_variant_that_gives_nothing_has_no_line(setup: Setup | None) -> None:
    """Nor has one of which nothing is known."""
    assert texts(setup=setup, spending=Spending(cases=3)) == []


CACHED = Spending(
    cases=24,
    counted=24,
    prompt_tokens=3200.0,
    cached_tokens=2976.0,
    written_tokens=100.0,
    priced=24,
    usd=0.0035,
    saved_usd=0.0081,
)


@pytest.mark.parametrize(
    ("kind", "spent", "said"),
    [
        (
            "long_context",
            CACHED,
            (
                "93% of its prompt tokens came from the cache, which saved 0.0081 of "
                "0.012 USD a case"
            ),
        ),
        (
            "long_context",
            replace(CACHED, cached_tokens=0.0, saved_usd=-0.0021, usd=0.0111),
            (
                "0% of its prompt tokens came from the cache, which cost 0.0021 more "
                "than the 0.009 USD a case without it"
            ),
        ),
        (
            "long_context",
            replace(CACHED, usd=None, saved_usd=None),
            "93% of its prompt tokens came from the cache",
        ),
        (
            "long_context",
            replace(CACHED, cached_tokens=0.0, written_tokens=0.0),
            "none of its prompt tokens came from a cache",
        ),
        (
            "weights",
            replace(CACHED, usd=2.5, saved_usd=0.0000012),
            (
                "93% of its prompt tokens came from the cache, which saved 0.0000012 "
                "of 2.5 USD a case"
            ),
        ),
    ],
)
def test_what_a_cache_gives(kind: Any, spent: Spending, said: str) -> None:
    """The share of the prompt that was read from it, and what that saved or cost."""
    assert texts(setup=Setup(kind=kind), spending=spent) == [f"base: {said}"]


@pytest.mark.parametrize(
    "spent",
    [None, Spending(cases=3), replace(CACHED, cached_tokens=0.0, written_tokens=0.0)],
)
def test_no_cache_is_no_news_of_a_short_prompt(spent: Spending | None) -> None:
    """Only of a long one is it worth a word that nothing was cached."""
    assert texts(setup=Setup(kind="weights"), spending=spent) == []


# -- whether the corpus fits -----------------------------------------------

HAS = "The corpus has 3,120 tokens"
TAKES = "(openai/gpt-4o takes 128,000)"


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (corpus(), f"{HAS} and fits {TAKES}: long context, with prompt caching."),
        (
            corpus(210_431),
            f"The corpus has 210,431 tokens and does not fit {TAKES}: retrieval.",
        ),
        (
            corpus(130_000, counted_by="estimate"),
            (
                f"The corpus has about 130,000 tokens and may not fit {TAKES}: long "
                "context with prompt caching if it fits, else retrieval."
            ),
        ),
        (
            corpus(window=None),
            (
                f"{HAS}; how many openai/gpt-4o takes is unknown (write window: N): "
                "long context with prompt caching if it fits, else retrieval."
            ),
        ),
        (
            corpus(access="restricted"),
            (
                f"{HAS} and fits {TAKES}, and not everybody may read it: retrieval, by "
                "who asks."
            ),
        ),
        (
            corpus(access="restricted", changes="daily"),
            (
                f"{HAS} and fits {TAKES}, and not everybody may read it: retrieval, by "
                "who asks."
            ),
        ),
        (
            corpus(changes="daily"),
            (
                f"{HAS} and fits {TAKES}, and it changes daily: retrieval, always up "
                "to date."
            ),
        ),
        (
            corpus(changes="hourly"),
            (
                f"{HAS} and fits {TAKES}, and it changes hourly: retrieval, always up "
                "to date."
            ),
        ),
        (
            corpus(changes="weekly"),
            f"{HAS} and fits {TAKES}: long context, with prompt caching.",
        ),
    ],
)
def test_whether_the_corpus_fits_and_what_to_build(found: Corpus, said: str) -> None:
    """Long context below the window; retrieval above, or for fresh or closed ones."""
    told = variant(setup=Setup(kind="prompt", corpus=found))
    assert corpus_text(told) == said
    assert next_text(told, Diagnosis(seed=7)) == (
        f"put the source in context; it fixed 13 of 13. {said} Fine-tuning is not "
        "indicated."
    )


def test_where_the_corpus_is_in_the_prompt_already_less_of_it_is_advised() -> None:
    """Else the advice would be what was tried."""
    told = variant(setup=Setup(kind="long_context", corpus=corpus()))
    assert corpus_text(told) == (
        "The whole corpus is in its prompt already: show less of it, by retrieval."
    )


@pytest.mark.parametrize("setup", [None, Setup(kind="prompt")])
def test_without_documents_nothing_is_said_of_them(setup: Setup | None) -> None:
    """The advice is what it was."""
    told = variant(setup=setup)
    assert corpus_text(told) == ""
    assert next_text(told, Diagnosis(seed=7)) == (
        "put the source in context; it fixed 13 of 13. Fine-tuning is not indicated."
    )


def test_both_sides_are_told_of_the_corpus_too() -> None:
    """Knowledge is half of what fails there."""
    results = suite(30, knowledge=12, instruction=11)
    setups = {"base": Setup(kind="prompt", corpus=corpus())}
    found = diagnose(results, seed=7, probing=True, setups=setups)
    (one,) = found.variants
    assert one.verdict.kind == "both"
    assert next_text(one, found) == (
        "the cheaper one first (instruction: 11 cases), then context (12 cases). "
        f"{HAS} and fits {TAKES}: long context, with prompt caching."
    )


# -- reports ---------------------------------------------------------------


def costed(variant: str, prompt: int, cached: int) -> list[CaseResult]:
    """Return a variant's results, whose answers tell their tokens."""
    answer = Answer(text="t", tokens=Tokens(prompt=prompt, completion=2, cached=cached))
    return [
        replace(
            result(f"c-{n}", variant=variant),
            trials=(replace(result().trials[0], answer=answer),),
        )
        for n in range(4)
    ]


SETUPS = {
    "base": Setup(kind="prompt", corpus=corpus()),
    "long": Setup(kind="long_context", plain="base", given=3000, seen=1),
}


def view(results: list[CaseResult], run: RunFacts | None = None) -> View:
    """Return a finished run of these results."""
    facts = run or RunFacts(seed=7, started="2026-01-01T00:00:00+00:00", calls=8)
    diagnosis = diagnose(results, seed=7, setups=SETUPS)
    return View(run=facts, results=tuple(results), diagnosis=diagnosis)


SAID = (
    "long: the corpus adds 3,000 prompt tokens a case (measured against base, 4 "
    "cases); 50% of its prompt tokens came from the cache"
)


def test_a_saved_report_says_the_same(tmp_path: Any) -> None:
    """And so does what is merged of several."""
    whole = view([*costed("base", 100, 0), *costed("long", 3100, 1550)])
    write_json(tmp_path / "r.json", whole)
    read = read_json(tmp_path / "r.json")
    assert read.diagnosis == whole.diagnosis
    assert list(giving_texts(read.diagnosis)) == [SAID]
    merged = merge([Part(tmp_path / "r.json", read)])
    assert merged.diagnosis.variants == whole.diagnosis.variants
    assert [one.setup for one in merged.diagnosis.variants] == list(SETUPS.values())


def test_the_line_stands_in_the_terminal_and_in_markdown() -> None:
    """Wrapped at 80 columns in the one, a list in the other."""
    whole = view([*costed("base", 100, 0), *costed("long", 3100, 1550)])
    lines = [line.text for line in summary_lines(whole)]
    start = next(n for n, line in enumerate(lines) if line.startswith("long: "))
    assert lines[start - 1] == ""
    assert f"{lines[start]} {lines[start + 1].strip()}" == SAID
    assert max(map(len, lines)) <= 80
    assert f"What it costs:\n\n- {SAID}\n" in markdown_text(whole)


def test_a_report_of_an_earlier_release_says_nothing_of_costs() -> None:
    """It has neither setups nor sums; what it has is read as ever."""
    (found,) = view(costed("base", 100, 0)).diagnosis.variants
    data = found.to_dict()
    for name in ("setup", "spending", "extra"):
        del data[name]
    old = VariantDiagnosis.from_dict(data)
    assert old == replace(found, setup=None, spending=None, extra=None)
    assert list(giving_texts(Diagnosis(seed=7, variants=(old,)))) == []


def test_the_process_that_heard_the_server_knows_best() -> None:
    """Workers and shards come in any order."""
    unheard = Setup(kind="prompt", corpus=corpus(window=None))
    heard = Setup(kind="prompt", corpus=corpus(window=4096, window_from="server"))
    for order in ((unheard, heard), (heard, unheard)):
        assert best_known([("base", one) for one in order]) == {"base": heard}


def test_shards_see_different_cases_of_the_same_variants() -> None:
    """What each case is given adds up; what all are given does not."""
    few = Setup(kind="examples", examples=3, given=900, seen=9, short=1)
    more = Setup(kind="examples", examples=3, given=100, seen=1, short=1)
    long = Setup(kind="long_context", given=3000, seen=1)
    told = [("few", few), ("long", long), ("few", more), ("long", long)]
    assert joined_setups(told) == {
        "few": Setup(kind="examples", examples=3, given=1000, seen=10, short=2),
        "long": long,
    }
    assert joined_setups(told)["few"].tokens == 100


def test_an_error_costs_nothing_that_is_known() -> None:
    """A variant without an answer has no sums."""
    lost = replace(result("a", "error"), trials=(Trial(error="no"),))
    (found,) = diagnose([lost], seed=7).variants
    assert (found.spending, found.extra) == (None, None)
