"""How a variant is set up, as far as what it costs and what to advise depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, cast

from .flat import Flat
from .terms import Access, Changes, Json, JsonObject, Kind

CountedBy: TypeAlias = Literal["estimate", "tokenizer", "server"]
WindowFrom: TypeAlias = Literal["written", "listed", "server"]
SAME_FOR_ALL: frozenset[Kind] = frozenset({"prompt", "long_context"})
"""Kinds that give every case the same."""
ESTIMATE_FACTOR = 1.5
"""By how much an estimate of tokens may be wrong, either way.

Measured: 0.72 to 1.25 of what o200k, cl100k, Claude 2's and SmolLM2's tokenizers
count in English, German, French, code and data; worse in other scripts, where they
differ among each other by more than twice.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus(Flat):
    """The documents that could be put before a model, against its window.

    `window` is the most tokens that a prompt to `model` may have: as the variants
    file, litellm's list or the server itself says; None where none of them does.
    """

    tokens: int
    counted_by: CountedBy
    model: str
    window: int | None = None
    window_from: WindowFrom | None = None
    access: Access = "open"
    changes: Changes = "rarely"

    @property
    def fits(self) -> bool | None:
        """Whether a prompt can hold it; None where that is not certain."""
        if self.window is None:
            return None
        factor = ESTIMATE_FACTOR if self.counted_by == "estimate" else 1.0
        if self.tokens * factor <= self.window:
            return True
        return False if self.tokens / factor > self.window else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a variant gives, and which one gives all but that.

    `plain` is the name of that variant, empty where none was asked.  `given`
    estimates the tokens of what is given to those cases that were `seen`; what is
    the same for all is seen once.  So many
    `examples` are shown to each, but to `short` of them fewer, since others would
    give the answer away.  `corpus` is what
    is shown in full, else what could be.
    """

    kind: Kind
    plain: str = ""
    given: int = 0
    seen: int = 0
    examples: int = 0
    short: int = 0
    corpus: Corpus | None = None

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "kind": self.kind,
            "plain": self.plain,
            "given": self.given,
            "seen": self.seen,
            "examples": self.examples,
            "short": self.short,
            "corpus": None if self.corpus is None else self.corpus.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Setup:
        """Return the record that `to_dict` described."""
        corpus = cast("JsonObject | None", data.get("corpus"))
        return cls(
            kind=cast("Kind", data["kind"]),
            plain=str(data.get("plain", "")),
            given=cast("int", data.get("given", 0)),
            seen=cast("int", data.get("seen", 0)),
            examples=cast("int", data.get("examples", 0)),
            short=cast("int", data.get("short", 0)),
            corpus=None if corpus is None else Corpus.from_dict(corpus),
        )

    @property
    def tokens(self) -> int:
        """What is given to a case, on average; 0 where nothing is."""
        return round(self.given / self.seen) if self.seen else 0

    @property
    def heard_the_server(self) -> bool:
        """Whether the window is what the model's own server says."""
        return self.corpus is not None and self.corpus.window_from == "server"


def best_known(told: Iterable[tuple[str, Setup]]) -> dict[str, Setup]:
    """Return each variant's setup, of the process that knows most of it.

    Only the one that made its first call has heard its server.
    """
    known: dict[str, Setup] = {}
    for name, setup in told:
        if name not in known or setup.heard_the_server:
            known[name] = setup
    return known


def joined_setups(told: Sequence[tuple[str, Setup]]) -> dict[str, Setup]:
    """Return each variant's setup, of runs that saw different cases."""
    known = best_known(told)
    for name, setup in known.items():
        if setup.kind not in SAME_FOR_ALL:
            parts = [one for its, one in told if its == name]
            known[name] = replace(
                setup,
                given=sum(one.given for one in parts),
                seen=sum(one.seen for one in parts),
                short=sum(one.short for one in parts),
            )
    return known
