"""How the variants of a run are set up: what they give, and what a model takes.

A server is asked for its window only right before the first call of a variant,
when it is up and paid for; a replay asks nobody.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.models import (
    Window,
    corpus_of,
    estimated_tokens,
    refuse_too_large,
    window_of,
)
from pytest_llm_diagnosis.records import (
    SAME_FOR_ALL,
    Case,
    Corpus,
    Request,
    Setup,
    Variant,
    VariantKey,
    message_text,
)
from pytest_llm_diagnosis.requests import Prepared, RequestPlanner
from pytest_llm_diagnosis.variants import differences

from .options import RunOptions
from .suite import Suite

_SAMPLE = 200
"""Cases of a variant that are looked at for what it gives them."""
_GIVEN = ("system", "examples", "retrieve", "context")


class Setups:
    """What one process knows of its variants; `notes` takes what cannot be told."""

    def __init__(self, suite: Suite, options: RunOptions, notes: list[str]) -> None:
        self._suite = suite
        self._options = options
        self._notes = notes
        self._windows: dict[VariantKey, Window | None] = {}
        self._given: dict[VariantKey, list[int]] = defaultdict(list)
        self._short: Counter[VariantKey] = Counter()

    def plan(
        self,
        variant: Variant,
        prepared: Prepared,
        request: Request,
        planner: RequestPlanner,
    ) -> None:
        """See what a variant gives to a case."""
        given = self._given[variant.key]
        if len(given) < (1 if variant.kind in SAME_FOR_ALL else _SAMPLE):
            given.append(_given_tokens(variant, prepared.case, request))
            self._short[variant.key] += planner.lacks_examples(prepared, variant)

    def check(self, variant: Variant) -> None:
        """Ask how much a variant's model takes; in a thread, before its first call.

        Raises `InputError` where its corpus certainly does not fit.
        """
        if not self._matters(variant):
            return
        window = window_of(variant, ask=True)
        self._windows[variant.key] = window
        if variant.context is not None:
            corpus = corpus_of(variant, variant.context, window, ask=True)
            refuse_too_large(variant, corpus)

    def _matters(self, variant: Variant) -> bool:
        return variant.context is not None or self._is_advised(variant)

    def _is_advised(self, variant: Variant) -> bool:
        """Whether a diagnosis of the variant may speak of its documents."""
        if self._options.probe == "off" or self._suite.library(variant) is None:
            return False
        return any(one.key == variant.key for one in self._suite.probed_variants())

    def of(self, variants: Sequence[Variant]) -> dict[str, Setup]:
        """Return how the variants are set up, by name."""
        return {variant.name: self._setup(variant, variants) for variant in variants}

    def _setup(self, variant: Variant, variants: Iterable[Variant]) -> Setup:
        given = self._given.get(variant.key, [])
        return Setup(
            kind=variant.kind,
            plain=_plain(variant, variants),
            given=sum(given),
            seen=len(given),
            examples=variant.examples.count if variant.examples else 0,
            short=self._short[variant.key],
            corpus=self._corpus(variant),
        )

    def _corpus(self, variant: Variant) -> Corpus | None:
        """Return what a variant shows in full, else what could be shown by one."""
        library = self._suite.library(variant)
        text = variant.context
        if text is None and library is not None and self._is_advised(variant):
            try:
                text = self._suite.library_text(library)
            except InputError as error:
                self._notes.append(str(error))
        if text is None or variant.call is not None:
            return None
        window = self._windows.get(variant.key) or window_of(variant, ask=False)
        return corpus_of(variant, text, window, library)


def _plain(variant: Variant, variants: Iterable[Variant]) -> str:
    """Return the first variant that gives all that this one does but one thing."""
    for one in variants:
        if one.location.path != variant.location.path:
            continue
        apart = differences(one, variant)
        if len(apart) == 1 and apart[0] in _GIVEN and not getattr(one, apart[0]):
            return one.name
    return ""


def _given_tokens(variant: Variant, case: Case, request: Request) -> int:
    """Return about how many tokens a variant adds to a case, by its kind."""
    match variant.kind:
        case "examples":
            before = request.messages[: len(request.messages) - len(case.messages)]
            texts = [message_text(one) for one in before if one["role"] != "system"]
        case "retrieval":
            texts = [context.text for context in request.contexts]
        case "long_context":
            texts = [variant.context or ""]
        case "prompt":
            texts = [variant.system or ""]
        case _:
            texts = []
    return sum(map(estimated_tokens, texts))
