"""How many tokens a model takes, how many a text has, and whether it fits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import (
    Corpus,
    CountedBy,
    Endpoint,
    Library,
    Variant,
    WindowFrom,
)

from .model_list import listed_window
from .token_counts import estimated_tokens, openai_tokens


class Window(NamedTuple):
    """The most tokens that a prompt may have, and who says so."""

    tokens: int
    source: WindowFrom


class Counted(NamedTuple):
    """How many tokens a text has, and how that is known."""

    tokens: int
    by: CountedBy


def window_of(variant: Variant, *, ask: bool) -> Window | None:
    """Return the window of a variant's model, None where nobody says.

    What is written counts first, then what a server of one's own says, then
    litellm's list.  With `ask` the server is asked: in a thread of its own.
    """
    if variant.window is not None:
        return Window(variant.window, "written")
    live = variant.live
    if ask and live is not None and live.api_base:
        from .server_words import Server

        told = Server(live).window()
        if told is not None:
            return Window(told, "server")
    endpoint = live or variant.written
    listed = listed_window(endpoint.model) if endpoint else None
    return None if listed is None else Window(listed, "listed")


def corpus_of(
    variant: Variant,
    text: str,
    window: Window | None,
    library: Library | None = None,
    *,
    ask: bool = False,
) -> Corpus:
    """Return a text as a corpus of the variant's model.

    It is counted where an estimate leaves open whether it fits: that takes a
    table of 0.7 s to load or, with `ask`, a request to the model's own server.
    """
    endpoint = variant.live or variant.written
    estimated = Corpus(
        tokens=estimated_tokens(text),
        counted_by="estimate",
        model=endpoint.model if endpoint else variant.name,
        window=window.tokens if window else None,
        window_from=window.source if window else None,
        access=library.access if library else "open",
        changes=library.changes if library else "rarely",
    )
    if window is None or estimated.fits is not None or endpoint is None:
        return estimated
    counted = _counted(text, endpoint, ask=ask)
    if counted is None:
        return estimated
    return replace(estimated, tokens=counted.tokens, counted_by=counted.by)


def refuse_too_large(variant: Variant, corpus: Corpus) -> None:
    """Raise `InputError` at the variant where its corpus certainly does not fit."""
    if corpus.fits is not False:
        return
    about = "about " if corpus.counted_by == "estimate" else ""
    finding = (
        f"variant {variant.name!r}: the corpus has {about}{corpus.tokens:,} tokens "
        f"({_HOW[corpus.counted_by]}); {corpus.model} takes {corpus.window:,}"
    )
    hint = "search it instead: retrieve: {documents: ..., top_k: ...}"
    if corpus.window_from != "written":
        hint += "; if the model takes more, write window: N"
    raise InputError.at(variant.location, finding, hint)


_HOW: Mapping[CountedBy, str] = {
    "estimate": "estimated",
    "tokenizer": "counted with the model's tokenizer",
    "server": "counted by the model's server",
}


def _counted(text: str, endpoint: Endpoint, *, ask: bool) -> Counted | None:
    if ask and endpoint.api_base:
        from .server_words import Server

        told = Server(endpoint).tokens(text)
        if told is not None:
            return Counted(told, "server")
    tokens = openai_tokens(text, endpoint.model)
    return None if tokens is None else Counted(tokens, "tokenizer")
