"""What every retrieving variant finds for every question of a run."""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias, cast

from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.engine import Engine, Urgency
from pytest_llm_diagnosis.errors import (
    DiagnosisError,
    InputError,
    NotAskedError,
    ReplayMissError,
    valid_choices,
)
from pytest_llm_diagnosis.records import (
    Answer,
    Chunk,
    Context,
    JsonObject,
    Passage,
    Request,
    Retrieve,
    Variant,
    VariantKey,
)
from pytest_llm_diagnosis.redaction import Redactor
from pytest_llm_diagnosis.retrieval import (
    Corpus,
    Embedded,
    Retriever,
    corpus_digest,
    depth,
    fused,
    open_corpus,
)
from pytest_llm_diagnosis.store import KeptVectors

from .asking import Asking, recorded_as, retrieval_request
from .embedding import LEASE, LOOK_AGAIN, Embedding, EmbeddingPlan, Vector, identity
from .shelves import Shelves

OpenRetriever: TypeAlias = Callable[[Sequence[Passage], JsonObject], Retriever]
"""Gives a registered retriever for passages, with the settings of its variant."""

Found: TypeAlias = "tuple[Context, ...] | DiagnosisError"
_Question: TypeAlias = tuple[VariantKey, str]


class Surroundings(NamedTuple):
    """Where retrieval works: documents, a folder to keep indexes in, hooks' names.

    `vectors` opens what is kept of embeddings; where `folder` gives None nothing is.
    """

    documents: Documents
    folder: Callable[[], Path | None]
    vectors: Callable[[], KeptVectors]
    retrievers: Callable[[], Mapping[str, OpenRetriever]]
    owner: str
    redactor: Redactor


class Retrieval:
    """Finds passages ahead of the requests that show them.

    `use` lets the engine know whom retrieval asks, `keep` sees what was found
    for recordings, `show` what is about to be embedded.
    """

    def __init__(
        self,
        engine: Engine,
        around: Surroundings,
        *,
        replaying: bool,
        use: Callable[[Variant], None],
        keep: Callable[[Request, Answer], None],
        show: Callable[[EmbeddingPlan], None],
    ) -> None:
        self._engine = engine
        self._around = around
        self._replaying = replaying
        self._use = use
        self._keep = keep
        self._show = show
        self._digests: dict[tuple[tuple[Path, ...], Chunk | None], str] = {}
        self._corpora: dict[str, Corpus] = {}
        self._shelves = Shelves()
        self._found: dict[_Question, Found] = {}
        self._embedding: Embedding | None = None

    def retriever(self, variant: Variant) -> Retriever:
        """Return what a variant searches: its index, or what was prepared.

        Raises `InputError` for documents that are not UTF-8.
        """
        retrieve = _retrieve_of(variant)
        if not retrieve.is_recorded:
            return self._corpus(retrieve).text
        return _Prepared(variant, self._found)

    async def prepare(self, asked: Iterable[Asking]) -> None:
        """Find passages for the questions of variants that do not go by words alone.

        What goes wrong is raised by the retriever of the variant.  Belongs to the
        engine's loop.
        """
        by_variant: dict[VariantKey, list[Asking]] = defaultdict(list)
        for one in asked:
            if _retrieve_of(one.variant).is_recorded:
                by_variant[one.variant.key].append(one)
        for askings in by_variant.values():
            await self._prepare(askings)

    def close(self) -> None:
        """Give back stores and files."""
        self._shelves.close()
        if self._embedding is not None:
            self._embedding.vectors.close()

    # -- one variant -----------------------------------------------------

    async def _prepare(self, askings: Sequence[Asking]) -> None:
        variant = askings[0].variant
        by_question: dict[str, list[Asking]] = defaultdict(list)
        for one in askings:
            by_question[one.question].append(one)
        new = [text for text in by_question if (variant.key, text) not in self._found]
        try:
            digest = self._digest(_retrieve_of(variant))
            requests = {
                text: retrieval_request(by_question[text][0], digest) for text in new
            }
            found = await self._find(variant, requests) if new else {}
        except DiagnosisError as error:
            found = dict.fromkeys(new, self._told(error, variant))
            digest = None
        for text, passages in found.items():
            self._found[variant.key, text] = passages
        self._record(askings, digest)

    def _record(self, askings: Sequence[Asking], digest: str | None) -> None:
        for one in askings:
            passages = self._found[one.variant.key, one.question]
            if not isinstance(passages, DiagnosisError):
                answer = Answer(contexts=passages)
                self._keep(retrieval_request(one, digest), answer)

    async def _find(
        self, variant: Variant, requests: Mapping[str, Request]
    ) -> Mapping[str, Found]:
        self._use(recorded_as(variant))
        retrieve = _retrieve_of(variant)
        if self._replaying or retrieve.call is not None:
            answers = (self._obtain(one, variant) for one in requests.values())
            return dict(zip(requests, await asyncio.gather(*answers), strict=True))
        if retrieve.retriever is not None:
            return await self._by_registered(retrieve, list(requests))
        return await self._by_meaning(variant, list(requests))

    async def _obtain(self, request: Request, variant: Variant) -> Found:
        try:
            answer = await self._engine.obtain(request, Urgency.FIRST)
        except DiagnosisError as error:
            return self._told(error, variant)
        return answer.contexts

    def _told(self, error: DiagnosisError, variant: Variant) -> DiagnosisError:
        told = _located(error, variant)
        # A store or a retriever of the user's may say the key that it was given.
        if isinstance(told, InputError):
            return self._around.redactor.error(told)
        return told

    async def _by_registered(
        self, retrieve: Retrieve, questions: Sequence[str]
    ) -> Mapping[str, Found]:
        name, known = retrieve.retriever or "", self._around.retrievers()
        if name not in known:
            raise DiagnosisError(
                f"no retriever is registered as {name!r}"
                f"\n{valid_choices(name, list(known), 'registered')}"
            )
        passages = self._corpus(retrieve).passages

        def search() -> Mapping[str, Found]:
            retriever = known[name](passages, retrieve.settings)
            return {
                text: _checked(retriever.search(text, retrieve.top_k), name)
                for text in questions
            }

        try:
            return await asyncio.to_thread(search)
        except DiagnosisError:
            raise
        except Exception as error:
            raise DiagnosisError(
                f"the retriever {name!r} raised {type(error).__name__}: {error}"
            ) from error

    # -- by meaning ------------------------------------------------------

    async def _by_meaning(
        self, variant: Variant, questions: Sequence[str]
    ) -> Mapping[str, Found]:
        retrieve = _retrieve_of(variant)
        corpus = self._corpus(retrieve) if retrieve.documents else None
        shelf = await asyncio.to_thread(self._shelves.of, variant)
        wanted = self._revision(variant, corpus)
        there = wanted is None or await asyncio.to_thread(shelf.revision) == wanted
        shown = () if there or corpus is None else corpus.passages
        vectors = await self._embedder().embed(
            [*(passage.text for passage in shown), *questions], variant
        )
        if wanted is not None and not there:
            await self._fill(variant, wanted, shown, vectors)

        def search() -> Mapping[str, Found]:
            return {text: one(text) for text in questions}

        def one(text: str) -> tuple[Context, ...]:
            if retrieve.search != "hybrid" or corpus is None:
                return shelf.nearest(vectors[text], retrieve.top_k)
            deep = depth(retrieve.top_k)
            rankings = (
                corpus.text.search(text, deep),
                shelf.nearest(vectors[text], deep),
            )
            return fused(rankings, retrieve.top_k)

        return await asyncio.to_thread(search)

    def _revision(self, variant: Variant, corpus: Corpus | None) -> str | None:
        """Return what a store is to be filled with; None where it is only read."""
        embeddings = _retrieve_of(variant).embeddings
        if corpus is None or embeddings is None:
            return None
        named = json.dumps([corpus.digest, identity(embeddings, variant)])
        return hashlib.sha256(named.encode()).hexdigest()

    async def _fill(
        self,
        variant: Variant,
        revision: str,
        passages: Sequence[Passage],
        vectors: Mapping[str, Vector],
    ) -> None:
        """Let one process fill a store that others share; each fills its own memory."""
        shelf = self._shelves.of(variant)
        embedded = [Embedded(one, tuple(vectors[one.text])) for one in passages]
        if _retrieve_of(variant).store is None:
            await asyncio.to_thread(shelf.replace, revision, embedded)
            return
        embedding = self._embedder()
        kept, owner, turn = embedding.vectors, embedding.owner, [f"store {revision}"]
        async with embedding.renewed_claims():
            while await asyncio.to_thread(shelf.revision) != revision:
                if not await asyncio.to_thread(kept.claim, turn, owner, LEASE, 1):
                    await asyncio.sleep(LOOK_AGAIN)
                    continue
                try:
                    await asyncio.to_thread(shelf.replace, revision, embedded)
                finally:
                    await asyncio.to_thread(kept.release, owner, turn)

    # -- what is shared --------------------------------------------------

    def _embedder(self) -> Embedding:
        if self._embedding is None:
            self._embedding = Embedding(
                self._engine,
                self._around.vectors(),
                owner=self._around.owner,
                use=self._use,
                show=self._show,
            )
        return self._embedding

    def _digest(self, retrieve: Retrieve) -> str | None:
        if not retrieve.documents:
            return None
        cut = retrieve.documents, retrieve.chunk
        if cut not in self._digests:
            self._digests[cut] = corpus_digest(self._around.documents, *cut)
        return self._digests[cut]

    def _corpus(self, retrieve: Retrieve) -> Corpus:
        """Return the documents of a variant, cut and indexed once."""
        digest = self._digest(retrieve) or ""
        if digest not in self._corpora:
            self._corpora[digest] = open_corpus(
                self._around.documents,
                retrieve.documents,
                retrieve.chunk,
                self._around.folder,
            )
        return self._corpora[digest]


class _Prepared:
    """A retriever of what was found before."""

    def __init__(self, variant: Variant, found: Mapping[_Question, Found]) -> None:
        self._variant = variant
        self._found = found

    def search(self, query: str, top_k: int) -> tuple[Context, ...]:
        """Return what was found; raises why nothing was."""
        found = self._found.get((self._variant.key, query))
        if found is None:
            name = self._variant.name
            raise DiagnosisError(f"variant {name!r} was not asked for {query!r} before")
        if isinstance(found, DiagnosisError):
            raise found
        return found[:top_k]


def _retrieve_of(variant: Variant) -> Retrieve:
    if variant.retrieve is None:
        raise ValueError(f"variant {variant.name} retrieves nothing")
    return variant.retrieve


def _checked(found: Iterable[object], name: str) -> tuple[Context, ...]:
    """Return what a registered retriever found; raises `DiagnosisError`."""
    contexts = tuple(found)
    for one in contexts:
        if not isinstance(one, Context):
            kind = type(one).__name__
            raise DiagnosisError(f"the retriever {name!r} gave {kind}, not Context")
        if one.score is not None and not math.isfinite(one.score):
            raise DiagnosisError(f"the retriever {name!r} gave the score {one.score}")
    return cast("tuple[Context, ...]", contexts)


def _located(error: DiagnosisError, variant: Variant) -> DiagnosisError:
    """Return an error at the variant's `retrieve:`, unless it says its own place."""
    if isinstance(error, InputError | NotAskedError | ReplayMissError):
        return error
    location = _retrieve_of(variant).location or variant.location
    first, *rest = str(error).split("\n")
    finding = f"variant {variant.name!r} cannot retrieve: {first}"
    return InputError.at(location, finding, "\n  ".join(row.strip() for row in rest))
