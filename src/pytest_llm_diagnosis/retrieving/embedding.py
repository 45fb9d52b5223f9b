"""Texts to vectors: in batches, never twice, whoever else embeds them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
from array import array
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from typing import NamedTuple, TypeAlias

from pytest_llm_diagnosis.engine import Engine
from pytest_llm_diagnosis.errors import DiagnosisError, StoreError
from pytest_llm_diagnosis.models import vectors_of
from pytest_llm_diagnosis.records import (
    EMBEDDED,
    Embeddings,
    Json,
    Request,
    Variant,
)
from pytest_llm_diagnosis.retrieval.local_models import (
    LocalModel,
    local_version,
    open_local,
)
from pytest_llm_diagnosis.store import KeptVectors

from .asking import stated_embeddings

LANES = 8
"""Most batches that one process has under way."""
LEASE = 30.0
"""Seconds that a claim on a text outlives its process."""
LOOK_AGAIN = 0.05
"""Seconds before asking once more whether another process has made a vector."""
_FORMAT = 1

Vector: TypeAlias = "array[float]"
Maker: TypeAlias = Callable[[Sequence[str]], Awaitable[Sequence[Vector]]]
"""Makes the vectors of one batch."""


class EmbeddingPlan(NamedTuple):
    """How many texts are to be embedded for a variant, and in how many calls."""

    variant: str
    texts: int
    stored: int
    calls: int


class Embedding:
    """Makes and keeps vectors; belongs to the engine's loop.

    `owner` names this process among those that share `vectors`; `use` lets the
    engine know a model before its first call.
    """

    def __init__(
        self,
        engine: Engine,
        vectors: KeptVectors,
        *,
        owner: str,
        use: Callable[[Variant], None],
        show: Callable[[EmbeddingPlan], None],
    ) -> None:
        self.vectors = vectors
        self.owner = owner
        self._engine = engine
        self._use = use
        self._show = show
        self._local: dict[str, asyncio.Task[LocalModel]] = {}

    async def embed(self, texts: Iterable[str], variant: Variant) -> dict[str, Vector]:
        """Return the vectors of texts, as the embeddings of a variant make them.

        Raises `DiagnosisError` where they cannot be had, `StoreError` where they
        cannot be kept.
        """
        embeddings = _embeddings_of(variant)
        name = identity(embeddings, variant)
        keys = {_key(name, text): text for text in texts}
        known = await asyncio.to_thread(self.vectors.known, keys)
        missing = {key: text for key, text in keys.items() if key not in known}
        batches = -(-len(missing) // embeddings.batch)
        calls = 0 if embeddings.local else batches
        self._show(EmbeddingPlan(variant.name, len(keys), len(known), calls))
        if missing:
            maker = await self._maker(embeddings, variant)
            await self._make(missing, maker, embeddings.batch, min(LANES, batches))
        kept = await asyncio.to_thread(self.vectors.get_many, keys)
        return {keys[key]: vector for key, vector in kept.items()}

    @contextlib.asynccontextmanager
    async def renewed_claims(self) -> AsyncIterator[None]:
        """Keep this process's claims alive meanwhile."""
        renewing = asyncio.ensure_future(self._renew())
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            # A file that is busy now may be free at the next turn.
            with contextlib.suppress(StoreError):
                await asyncio.to_thread(self.vectors.renew, self.owner, LEASE)

    async def _make(
        self, missing: Mapping[str, str], maker: Maker, batch: int, lanes: int
    ) -> None:
        work = _Work(dict(missing), maker, batch)
        async with self.renewed_claims():
            # All end before an error is raised: what they paid for is kept.
            ended = await asyncio.gather(
                *(self._lane(work) for _ in range(lanes)), return_exceptions=True
            )
        for error in ended:
            if error is not None:
                raise error

    async def _lane(self, work: _Work) -> None:
        """Make one batch after the other until all are made, here or elsewhere."""
        while work.left and not work.failed:
            claimed = await asyncio.to_thread(
                self.vectors.claim, list(work.left), self.owner, LEASE, work.batch
            )
            texts = {key: work.left.pop(key) for key in claimed if key in work.left}
            if not texts:
                await asyncio.sleep(LOOK_AGAIN)
                for key in await asyncio.to_thread(self.vectors.known, list(work.left)):
                    work.left.pop(key, None)
                continue
            try:
                made = await work.maker(list(texts.values()))
                kept = dict(zip(texts, made, strict=True))
                await asyncio.to_thread(self.vectors.put, kept)
            except BaseException:
                work.failed = True
                with contextlib.suppress(StoreError):
                    self.vectors.release(self.owner, texts)
                raise

    async def _maker(self, embeddings: Embeddings, variant: Variant) -> Maker:
        if embeddings.local is not None:
            return self._made_here(await self._opened(embeddings.local))
        model = _as_variant(embeddings, variant)
        self._use(model)

        async def made(texts: Sequence[str]) -> Sequence[Vector]:
            answer = await self._engine.pay(_batch_request(texts, model))
            return vectors_of(answer.text)

        return made

    async def _opened(self, name: str) -> LocalModel:
        if name not in self._local:
            opening = asyncio.to_thread(open_local, name)
            self._local[name] = asyncio.ensure_future(opening)
        return await asyncio.shield(self._local[name])

    def _made_here(self, model: LocalModel) -> Maker:
        async def made(texts: Sequence[str]) -> Sequence[Vector]:
            found = await asyncio.to_thread(model, texts)
            return [array("f", vector) for vector in found]

        return made


class _Work:
    """The texts that are still to be embedded; `failed` once a batch was."""

    def __init__(self, left: dict[str, str], maker: Maker, batch: int) -> None:
        self.left = left
        self.maker = maker
        self.batch = batch
        self.failed = False


def identity(embeddings: Embeddings, variant: Variant) -> str:
    """Return what decides a vector besides its text.

    A model inside a package goes by that package's version, one of the user's own
    by the variant's `revision`.  Raises `DiagnosisError` for a missing package.
    """
    stated: dict[str, Json] = {"format": _FORMAT, **stated_embeddings(embeddings)}
    if embeddings.local is not None:
        stated["version"] = local_version(embeddings.local)
    if embeddings.call is not None:
        stated |= {"revision": variant.revision, "at": str(variant.location.path)}
    return json.dumps(stated, sort_keys=True)


def _key(name: str, text: str) -> str:
    identified = f"{name}\n{text}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(identified).hexdigest()[:40]


def _embeddings_of(variant: Variant) -> Embeddings:
    embeddings = variant.retrieve.embeddings if variant.retrieve else None
    if embeddings is None:
        raise DiagnosisError(f"variant {variant.name!r} has no embeddings")
    return embeddings


def _as_variant(embeddings: Embeddings, variant: Variant) -> Variant:
    """Return the embedding model as a variant of its own, for the engine."""
    retrieve = variant.retrieve
    location = retrieve.location if retrieve and retrieve.location else variant.location
    return Variant(
        name=f"{variant.name}{EMBEDDED}",
        location=location,
        kind="retrieval",
        written=embeddings.written,
        live=embeddings.live,
        call=embeddings.call,
        max_concurrency=variant.max_concurrency,
        embeds=True,
    )


def _batch_request(texts: Sequence[str], model: Variant) -> Request:
    listed = json.dumps([model.name, *texts])
    return Request(
        key=hashlib.sha256(listed.encode()).hexdigest(),
        case="",
        variant=model.name,
        messages=tuple({"role": "user", "content": text} for text in texts),
        variants_file=str(model.location.path),
        retrieves=True,
    )
