"""What variants give a model, in words: what it costs, and whether it fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from pytest_llm_diagnosis.diagnosis import Diagnosis, Spending, VariantDiagnosis
from pytest_llm_diagnosis.records import Corpus, Kind

_GIVEN: Mapping[Kind, str] = {
    "prompt": "its prompt adds",
    "retrieval": "its passages add",
    "long_context": "the corpus adds",
}
_FRESH = frozenset({"daily", "hourly"})


def giving_texts(diagnosis: Diagnosis) -> Iterator[str]:
    """Yield one line for each variant that gives something or reads a cache."""
    for one in diagnosis.variants:
        parts = [*_added(one), *_takes(one), *_cached(one)]
        if parts:
            yield f"{one.name}: {'; '.join(parts)}"


def _added(variant: VariantDiagnosis) -> Iterator[str]:
    setup, extra = variant.setup, variant.extra
    if setup is None or (setup.kind not in _GIVEN and setup.kind != "examples"):
        return
    examples = "example adds" if setup.examples == 1 else "examples add"
    adds = _GIVEN.get(setup.kind, f"{setup.examples} {examples}")
    if extra is not None and extra.prompt_tokens is not None:
        cases = "1 case" if extra.counted == 1 else f"{extra.counted} cases"
        amount = _tokens(round(extra.prompt_tokens))
        yield f"{adds} {amount} a case (measured against {setup.plain}, {cases})"
    elif setup.tokens:
        yield f"{adds} about {_tokens(setup.tokens)} a case (estimated)"
    if setup.short:
        fewer = f"{setup.short} of {setup.seen} cases got fewer"
        yield f"{fewer}: other examples would give the answer away"


def _takes(variant: VariantDiagnosis) -> Iterator[str]:
    setup = variant.setup
    if setup is not None and setup.kind == "long_context" and setup.corpus is not None:
        yield _window(setup.corpus)


def _window(corpus: Corpus) -> str:
    if corpus.window is None:
        return f"how many {corpus.model} takes is unknown (write window: N)"
    return f"{corpus.model} takes {corpus.window:,}"


def _tokens(count: int) -> str:
    return "1 prompt token" if count == 1 else f"{count:,} prompt tokens"


def _cached(variant: VariantDiagnosis) -> Iterator[str]:
    spent = variant.spending
    if spent is None or spent.cached_share is None:
        return
    if spent.cached_tokens or spent.written_tokens:
        share = f"{100 * spent.cached_share:.0f}%"
        yield f"{share} of its prompt tokens came from the cache{_saved(spent)}"
    elif variant.setup is not None and variant.setup.kind == "long_context":
        yield "none of its prompt tokens came from a cache"


def _saved(spent: Spending) -> str:
    """Return what the cache saved of what a case would have cost without it."""
    saved, usd = spent.saved_usd, spent.usd
    if saved is None or usd is None:
        return ""
    whole = f"{_usd(usd + saved)} USD a case"
    if saved >= 0:
        return f", which saved {_usd(saved)} of {whole}"
    return f", which cost {_usd(-saved)} more than the {whole} without it"


def _usd(amount: float) -> str:
    """Return an amount with two digits that count: prices of a case are small."""
    return f"{Decimal(f'{amount:.2g}'):f}"


# -- whether the corpus fits -----------------------------------------------


def corpus_text(variant: VariantDiagnosis) -> str:
    """Return how to put the source before a model; empty where none is named."""
    setup = variant.setup
    if setup is None or setup.corpus is None:
        return ""
    if setup.kind == "long_context":
        return (
            "The whole corpus is in its prompt already: show less of it, by retrieval."
        )
    return f"{_size(setup.corpus)}{_way(setup.corpus)}."


def _size(corpus: Corpus) -> str:
    about = "about " if corpus.counted_by == "estimate" else ""
    has = f"The corpus has {about}{corpus.tokens:,} tokens"
    takes = _window(corpus)
    if corpus.window is None:
        return f"{has}; {takes}"
    match corpus.fits:
        case True:
            return f"{has} and fits ({takes})"
        case False:
            return f"{has} and does not fit ({takes})"
        case _:
            return f"{has} and may not fit ({takes})"


def _way(corpus: Corpus) -> str:
    if corpus.access == "restricted":
        return ", and not everybody may read it: retrieval, by who asks"
    if corpus.changes in _FRESH:
        return f", and it changes {corpus.changes}: retrieval, always up to date"
    match corpus.fits:
        case True:
            return ": long context, with prompt caching"
        case False:
            return ": retrieval"
        case _:
            return ": long context with prompt caching if it fits, else retrieval"
