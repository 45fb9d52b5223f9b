"""The keys below `retrieve:`: what they mean, and which do not fit together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from eval_files import shown, write
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Chunk, Embeddings, Endpoint, Retrieve
from pytest_llm_diagnosis.variants import load_variants


def load(
    folder: Path, retrieve: str, environment: Mapping[str, str] | None = None
) -> Retrieve:
    """Return what a variant retrieves; without an environment as for a replay."""
    path = folder / "llm_variants.yaml"
    lines = ["variants:", "  v:", "    model: m", "    retrieve:"]
    lines += [f"      {line}" for line in retrieve.split("; ")]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    loaded = load_variants(
        path, folder, environment or {}, live=environment is not None
    )
    found = loaded.variants["v"].retrieve
    assert found is not None
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one document."""
    write(tmp_path, docs__a_md="# A\n\nText.\n")
    return tmp_path


DOCUMENTS = "documents: docs/*.md"


@pytest.mark.parametrize(
    ("retrieve", "search", "recorded"),
    [
        (DOCUMENTS, "text", False),
        (f"{DOCUMENTS}; search: text", "text", False),
        (f"{DOCUMENTS}; embeddings: {{local: wordllama}}", "hybrid", True),
        (
            f"{DOCUMENTS}; embeddings: {{model: e}}; search: vectors",
            "vectors",
            True,
        ),
        ("store: {qdrant: {}}; embeddings: {model: e}", "vectors", True),
        ("call: my.search:find", "text", True),
        (f"{DOCUMENTS}; retriever: house", "text", True),
    ],
)
def test_how_it_is_searched(
    folder: Path, retrieve: str, search: str, *, recorded: bool
) -> None:
    """By words without embeddings, by both with them, by meaning in a given store."""
    found = load(folder, retrieve)
    assert (found.search, found.is_recorded) == (search, recorded)


def test_all_keys(folder: Path) -> None:
    """Each ends in its field; a number may be missing."""
    found = load(
        folder,
        f"{DOCUMENTS}; top_k: 5; chunk: {{words: 200, overlap: 40}}; search: vectors; "
        "embeddings: {model: e, api_base: '${URL}', api_key: '${KEY}', "
        "params: {dimensions: 8}, batch: 16}; store: {qdrant: {url: '${URL}'}}",
        {"URL": "http://127.0.0.1:1", "KEY": "secret"},
    )
    params = {"dimensions": 8}
    live = Endpoint(
        model="e", api_base="http://127.0.0.1:1", api_key="secret", params=params
    )
    written = Endpoint(model="e", api_base="${URL}", api_key="${KEY}", params=params)
    assert found == Retrieve(
        documents=((folder / "docs" / "a.md").resolve(),),
        top_k=5,
        chunk=Chunk(words=200, overlap=40),
        search="vectors",
        embeddings=Embeddings(written=written, live=live, batch=16),
        store={"qdrant": {"url": "${URL}"}},
        live_store={"qdrant": {"url": "http://127.0.0.1:1"}},
    )
    assert found.location is not None
    assert found.location.line == 5
    assert "secret" not in repr(found)


def test_a_replay_fills_nothing_in(folder: Path) -> None:
    """No variable needs to be set."""
    found = load(folder, f"{DOCUMENTS}; embeddings: {{model: e, api_key: '${{KEY}}'}}")
    assert found.embeddings is not None
    assert found.embeddings.live is None


@pytest.mark.parametrize(
    ("retrieve", "lines"),
    [
        (
            "top_k: 2",
            [
                "llm_variants.yaml:5: 'retrieve' names nothing to search",
                "  give it 'documents', a 'store' that has its own, or your own 'call'",
            ],
        ),
        (
            f"{DOCUMENTS}; call: a:b",
            [
                "llm_variants.yaml:5: 'call' and 'documents' are both given",
                "  'call' searches in its own way",
            ],
        ),
        (
            "call: nonsense",
            [
                "llm_variants.yaml:5: 'call' must be module:attribute, got 'nonsense'",
                "  like northwind.search:passages",
            ],
        ),
        (
            f"{DOCUMENTS}; search: hybrid",
            [
                "llm_variants.yaml:6: search: hybrid needs 'embeddings'",
                "  give it, like embeddings: {local: wordllama}",
            ],
        ),
        (
            f"{DOCUMENTS}; search: fuzzy",
            [
                (
                    "llm_variants.yaml:6: 'search' in 'retrieve' must be 'text', "
                    "'vectors' or 'hybrid', got 'fuzzy'"
                ),
            ],
        ),
        (
            f"{DOCUMENTS}; serach: text",
            [
                "llm_variants.yaml:6: unknown key 'serach' in 'retrieve'",
                (
                    "  did you mean 'search'? valid: documents, top_k, chunk, search, "
                    "embeddings, store, call, retriever, settings"
                ),
            ],
        ),
        (
            f"{DOCUMENTS}; search: text; embeddings: {{model: e}}",
            [
                (
                    "llm_variants.yaml:7: 'embeddings' is given, and search: text uses "
                    "none"
                ),
                "  write search: vectors, or hybrid",
            ],
        ),
        (
            f"{DOCUMENTS}; store: {{qdrant: {{}}}}",
            [
                (
                    "llm_variants.yaml:6: 'store' keeps vectors, and there are no "
                    "'embeddings'"
                ),
                "  give it, like {local: wordllama}",
            ],
        ),
        (
            "store: {qdrant: {}}; embeddings: {model: e}; search: hybrid",
            [
                "llm_variants.yaml:7: search: hybrid needs 'documents'",
                "  give 'documents' too, or write search: vectors",
            ],
        ),
        (
            f"{DOCUMENTS}; chunk: {{words: 5, overlap: 5}}",
            [
                (
                    "llm_variants.yaml:6: an overlap of 5 leaves nothing new in "
                    "pieces of 5 words"
                ),
                "  at most 4",
            ],
        ),
        (
            f"{DOCUMENTS}; chunk: {{overlap: 5}}",
            ["llm_variants.yaml:6: 'chunk' in 'retrieve' has no 'words'"],
        ),
        (
            f"{DOCUMENTS}; embeddings: {{batch: 5}}",
            [
                "llm_variants.yaml:6: 'embeddings' names nothing that makes them",
                "  give one of: model, call, local",
            ],
        ),
        (
            f"{DOCUMENTS}; embeddings: {{local: wordlama}}",
            [
                (
                    "llm_variants.yaml:6: 'local' in 'embeddings' must be 'wordllama', "
                    "got 'wordlama'"
                ),
                "  did you mean 'wordllama'?",
            ],
        ),
        (
            f"{DOCUMENTS}; embeddings: {{model: e, call: a:b}}",
            [
                "llm_variants.yaml:6: 'model' and 'call' are both given",
                "  one of: model, call, local",
            ],
        ),
        (
            f"{DOCUMENTS}; embeddings: {{local: wordllama, api_key: x}}",
            [
                (
                    "llm_variants.yaml:6: 'api_key' is of an endpoint, and 'local' has "
                    "none"
                ),
                "  leave it out, or give 'model'",
            ],
        ),
        (
            f"{DOCUMENTS}; settings: {{a: 1}}",
            [
                (
                    "llm_variants.yaml:6: 'settings' are given, and no 'retriever' "
                    "that takes them"
                ),
            ],
        ),
        (
            f"{DOCUMENTS}; retriever: house; embeddings: {{model: e}}",
            [
                "llm_variants.yaml:7: 'retriever' and 'embeddings' are both given",
                "  'retriever' searches in its own way",
            ],
        ),
    ],
)
def test_what_does_not_fit(folder: Path, retrieve: str, lines: list[str]) -> None:
    """Each mistake is told at its line, with what would be right."""
    with pytest.raises(InputError) as caught:
        load(folder, retrieve)
    assert shown(folder, caught.value) == lines


def test_an_unset_variable_of_a_store_is_told(folder: Path) -> None:
    """At its own line, when the variant is to be asked."""
    store = "{qdrant: {url: '${U}'}}"
    with pytest.raises(InputError) as caught:
        load(folder, f"{DOCUMENTS}; embeddings: {{model: e}}; store: {store}", {})
    assert shown(folder, caught.value)[0] == (
        "llm_variants.yaml:7: the variable 'U' is not set"
    )


def test_a_variant_may_not_bear_the_name_of_a_recording(folder: Path) -> None:
    """What `v` retrieves is recorded as `v.retrieved`."""
    path = folder / "llm_variants.yaml"
    path.write_text(
        "variants:\n  v: {model: m, retrieve: {documents: docs/*.md}}\n"
        "  v.retrieved: {model: m}\n"
    )
    with pytest.raises(InputError) as caught:
        load_variants(path, folder, {}, live=False)
    assert shown(folder, caught.value) == [
        "llm_variants.yaml:3: what variant 'v' retrieves is recorded as 'v.retrieved'",
        "  give this variant another name",
    ]
