"""The documents of a variants file, and how much a model takes of them."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from eval_files import shown, write
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Library, Variant
from pytest_llm_diagnosis.variants import VariantsFile, load_variants


def load(folder: Path, text: str) -> VariantsFile:
    """Load a variants file as for a replay."""
    path = folder / "llm_variants.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_variants(path, folder, {}, live=False)


def told(folder: Path, text: str) -> list[str]:
    """Return what is wrong with a variants file."""
    with pytest.raises(InputError) as caught:
        load(folder, text)
    return shown(folder, caught.value)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Make three documents."""
    write(tmp_path, docs__returns_md="# a\n", docs__prices_md="# b\n")
    write(tmp_path, hr__leave_md="# c\n")
    return tmp_path


def names(folder: Path, library: Library | None) -> list[str]:
    """Return the documents' paths from the folder."""
    assert library is not None
    return [path.relative_to(folder).as_posix() for path in library.files]


def test_without_a_block_the_library_is_what_the_variants_name(company: Path) -> None:
    """Searched or shown in full: each document once."""
    file = load(
        company,
        """\
        variants:
          base: {model: m}
          rag: {extends: base, retrieve: {documents: docs/*.md}}
          long: {extends: base, context: [docs/returns.md, hr/*.md]}
        """,
    )
    expected = ["docs/prices.md", "docs/returns.md", "hr/leave.md"]
    assert names(company, file.library) == expected
    assert file.library is not None
    assert (file.library.access, file.library.changes) == ("open", "rarely")


def test_a_block_says_which_documents_and_who_may_read_them(company: Path) -> None:
    """Its files stand for all that variants name."""
    file = load(
        company,
        """\
        documents: {files: hr/*.md, access: restricted, changes: daily}
        variants:
          rag: {model: m, retrieve: {documents: docs/*.md}}
        """,
    )
    assert names(company, file.library) == ["hr/leave.md"]
    assert file.library is not None
    assert (file.library.access, file.library.changes) == ("restricted", "daily")


def test_a_block_without_files_speaks_of_those_of_the_variants(company: Path) -> None:
    """`documents: {access: restricted}` is all that need be said."""
    file = load(
        company,
        """\
        documents: {access: restricted}
        variants:
          rag: {model: m, retrieve: {documents: docs/*.md}}
        """,
    )
    assert names(company, file.library) == ["docs/prices.md", "docs/returns.md"]
    assert file.library is not None
    assert file.library.access == "restricted"


def test_a_file_without_documents_has_no_library(tmp_path: Path) -> None:
    """There is nothing to put before the model."""
    assert load(tmp_path, "variants: {base: {model: m}}").library is None


BAD_BLOCKS = {
    "{access: secret}": """\
        'access' in 'documents' must be 'open' or 'restricted', got 'secret'
        """,
    "{changes: dayly}": """\
        'changes' in 'documents' must be 'rarely', 'weekly', 'daily' or 'hourly', \
got 'dayly'
          did you mean 'daily'?
        """,
    "{acess: open}": """\
        unknown key 'acess' in 'documents'
          did you mean 'access'? valid: files, access, changes
        """,
    "{}": """\
        'documents' must not be empty
        """,
    "docs/*.md": """\
        'documents' must be a mapping, got 'docs/*.md'
        """,
    '{files: "none/*.md"}': """\
        no file matches 'none/*.md'
          patterns are relative to the folder of this file
        """,
    '{files: "../*.md"}': """\
        '../*.md' leads out of the root folder
        """,
    "{files: []}": """\
        'files' in 'documents' must not be empty
        """,
    "{access: restricted}": """\
        'documents' names no files, and no variant does
          like files: "docs/**/*.md"
        """,
}


@pytest.mark.parametrize("block", BAD_BLOCKS)
def test_what_is_wrong_with_a_block(company: Path, block: str) -> None:
    """Each mistake at its line."""
    root = company / "suite"
    write(root, docs__a_md="# a\n")
    write(company, x_md="outside")
    text = f"documents: {block}\nvariants: {{base: {{model: m}}}}\n"
    expected = dedent(BAD_BLOCKS[block]).splitlines()
    assert told(root, text) == [f"llm_variants.yaml:1: {expected[0]}", *expected[1:]]


def test_a_variant_s_bad_pattern_is_told_once(tmp_path: Path) -> None:
    """That no document is left is no second mistake."""
    assert told(
        tmp_path,
        """\
        documents: {access: restricted}
        variants:
          long: {model: m, context: none/*.md}
        """,
    ) == [
        "llm_variants.yaml:3: no file matches 'none/*.md'",
        "  patterns are relative to the folder of this file",
    ]


# -- window ----------------------------------------------------------------


def variant(folder: Path, keys: str) -> Variant:
    """Return a variant that extends one with a model and a window."""
    text = f"variants: {{v: {{extends: b, {keys}}}, b: {{model: m, window: 4096}}}}"
    return load(folder, text).variants["v"]


@pytest.mark.parametrize(
    ("keys", "window"),
    [
        ("system: Be brief.", 4096),
        ("window: 8192", 8192),
        ("model: m", None),
        ("model: n, window: 512", 512),
        ("call: 'a:b'", None),
    ],
)
def test_a_window_is_a_model_s(tmp_path: Path, keys: str, window: int | None) -> None:
    """It is taken over with the model, and not with another one."""
    assert variant(tmp_path, keys).window == window


@pytest.mark.parametrize(
    ("window", "finding"),
    [
        ("0", "'window' in 'base' must be at least 1, got 0"),
        ("-5", "'window' in 'base' must be at least 1, got -5"),
        ("4k", "'window' in 'base' must be a whole number, got '4k'"),
        ("1.5", "'window' in 'base' must be a whole number, got 1.5"),
        ("[4096]", "'window' in 'base' must be a whole number, got a list"),
    ],
)
def test_what_is_no_window(tmp_path: Path, window: str, finding: str) -> None:
    """A number of tokens, and nothing else."""
    text = f"variants: {{base: {{model: m, window: {window}}}}}"
    (line,) = told(tmp_path, text)
    assert line.endswith(finding)
