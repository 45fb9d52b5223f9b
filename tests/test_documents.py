"""Markdown to headings, sections and passages."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval_files import UNTIMED
from pytest_llm_diagnosis.documents import (
    Documents,
    headings,
    section,
    sections,
    slug,
    split,
)
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import Passage

HERE = Location(path=Path("a.eval.yaml"), line=7)

RETURNS = dedent("""\
    ---
    title: Returns
    ---
    All about returns.

    # Returns

    ## Unworn goods

    45 days from delivery.

    ```bash
    # not a heading
    ```

    ### Boots

    In their box.

    ## Worn goods
    """)


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Unworn goods", "unworn-goods"),
        ("What's new, in 2.0?", "whats-new-in-20"),
        ("`max_tokens` and _style_", "max_tokens-and-style"),
        ("snake_case_name", "snake_case_name"),
        ("**Bold** *and* [a link](https://x.example)", "bold-and-a-link"),
        ("An ![icon](i.png) here", "an--here"),
        ("Rückgabe & Größe", "rückgabe--größe"),
        ("返品について", "返品について"),
        ("a - b", "a---b"),
        ("C#", "c"),
        ('<a name="x"></a>Anchor', "anchor"),
        ("", ""),
    ],
)
def test_slugs_are_those_of_github(heading: str, expected: str) -> None:
    """Marks and markup go, spaces become hyphens one by one."""
    assert slug(heading) == expected


@pytest.mark.parametrize(
    ("text", "slugs"),
    [
        ("# A\n## B\n", ["a", "b"]),
        ("# A\n# A\n# A\n", ["a", "a-1", "a-2"]),
        ("# A\n# A 1\n# A\n", ["a", "a-1", "a-2"]),
        ("A\n===\n\nB\n---\n", ["a", "b"]),
        ("A\r\n===\r\n\r\n# B\r\n", ["a", "b"]),
        ("# A ##\n## C#\n", ["a", "c"]),
        ("   # A\n", ["a"]),
        ("    # code\n", []),
        ("#no-space\n", []),
        ("####### seven\n", []),
        ("text\n# A\n", ["a"]),
        ("```\n# no\n```\n# yes\n", ["yes"]),
        ("~~~\n# no\n```\n# no\n~~~\n# yes\n", ["yes"]),
        ("````\n```\n# no\n````\n# yes\n", ["yes"]),
        ("```py\n# no\n``` py\n# no\n```\n# yes\n", ["yes"]),
        ("- ```\n  # no\n  ```\n# yes\n", ["yes"]),
        ("```inline``` code\n# yes\n", ["yes"]),
        ("<!-- a\n# no\n-->\n# yes\n", ["yes"]),
        ("<!-- one line -->\n# yes\n", ["yes"]),
        ("---\n# no\n---\n# yes\n", ["yes"]),
        ("text\n\n---\n\nmore\n", []),
        ("- item\n---\n", []),
        ("| a | b |\n---\n", []),
        ("two\nlines\n---\n", []),
        ("#\n", [""]),
        ("# A\x0c# B\n", ["a-b"]),
    ],
)
def test_what_is_a_heading(text: str, slugs: list[str]) -> None:
    """Only what a reader sees as a heading is one."""
    assert [heading.slug for heading in headings(text)] == slugs


def test_a_document_is_split_at_every_heading() -> None:
    """Passages do not overlap, carry their headings, and skip empty sections."""
    assert split(RETURNS, "docs/returns.md") == (
        Passage(id="docs/returns.md", text="All about returns."),
        Passage(
            id="docs/returns.md#unworn-goods",
            text="# Returns\n## Unworn goods\n\n45 days from delivery.\n\n"
            "```bash\n# not a heading\n```",
        ),
        Passage(
            id="docs/returns.md#boots",
            text="# Returns\n## Unworn goods\n### Boots\n\nIn their box.",
        ),
    )


def test_a_section_holds_its_subsections() -> None:
    """What an author means by a heading is everything below it."""
    found = section(RETURNS, "docs/returns.md", "unworn-goods")
    assert found is not None
    assert found.id == "docs/returns.md#unworn-goods"
    assert found.text.startswith("# Returns\n## Unworn goods\n\n45 days")
    assert found.text.endswith("### Boots\n\nIn their box.")


def test_a_section_without_text_is_its_headings() -> None:
    """A heading at the end of a file is a section all the same."""
    found = section(RETURNS, "r.md", "worn-goods")
    assert found == Passage(id="r.md#worn-goods", text="# Returns\n## Worn goods")
    assert section(RETURNS, "r.md", "missing") is None


def test_a_sibling_is_not_in_the_chain() -> None:
    """The chain climbs to parents only, however levels are skipped."""
    text = "### deep\nx\n# top\n### skipped\ny\n## second\nz\n"
    assert [passage.text.split("\n\n")[0] for passage in split(text, "a.md")] == [
        "### deep",
        "# top\n### skipped",
        "# top\n## second",
    ]


def test_the_passages_of_a_file(tmp_path: Path) -> None:
    """Ids are relative to the root, also through a link."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\nx\n")
    (tmp_path / "link.md").symlink_to(tmp_path / "docs" / "a.md")
    passages = sections(tmp_path / "docs" / "a.md", tmp_path)
    assert [passage.id for passage in passages] == ["docs/a.md#a"]
    assert sections(tmp_path / "link.md", tmp_path) == passages


LINES = st.lists(
    st.sampled_from(["# A", "## B", "A", "===", "---", "```", "~~~", "", "<!--", "-->"])
    | st.text(max_size=8)
)


@UNTIMED
@given(LINES)
def test_every_passage_has_its_own_id(lines: list[str]) -> None:
    """Ids are unique, and every heading can be asked for by its slug."""
    text = "\n".join(lines)
    ids = [passage.id for passage in split(text, "a.md")]
    assert len(ids) == len(set(ids))
    for heading in headings(text):
        found = section(text, "a.md", heading.slug)
        assert found is not None
        assert found.text.startswith(heading.chain)


@UNTIMED
@given(LINES)
def test_no_text_is_lost(lines: list[str]) -> None:
    """Every line that is not a heading or front matter is in some passage."""
    text = "\n".join(["x", *lines])
    passages = split(text, "a.md")
    told = "\n".join(passage.text for passage in passages)
    for line in lines:
        word = line.strip().strip("=-# \t\r\x0b\x0c").strip()
        if word.isalnum():
            assert word in told or word in {h.chain.split()[-1] for h in headings(text)}


# -- documents as evidence --------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a root with a document and an empty one."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "returns.md").write_text(RETURNS)
    (tmp_path / "docs" / "short.md").write_text("# Boots\n# Coats\n")
    (tmp_path / "docs" / "empty.md").write_text("\n")
    (tmp_path / "docs" / "latin.md").write_bytes(b"# A\ncaf\xe9\n")
    return tmp_path


def test_a_whole_file_is_a_passage(root: Path) -> None:
    """Without a hash sign the text is as written."""
    found = Documents(root).passage("docs/returns.md", root, HERE)
    assert found == Passage(id="docs/returns.md", text=RETURNS)


def test_a_document_is_read_once(root: Path) -> None:
    """Later passages of the same file do not touch the disk."""
    documents = Documents(root)
    first = documents.passage("docs/returns.md#boots", root, HERE)
    (root / "docs" / "returns.md").unlink()
    assert documents.passage("docs/returns.md#boots", root, HERE) is first


@pytest.mark.parametrize(
    ("written", "lines"),
    [
        (
            "docs/short.md#buts",
            [
                "a.eval.yaml:7: 'docs/short.md' has no section 'buts'",
                "  did you mean 'boots'? sections: boots, coats",
            ],
        ),
        (
            "docs/retruns.md#boots",
            [
                "a.eval.yaml:7: evidence file 'docs/retruns.md' does not exist",
                "  did you mean 'docs/returns.md'?",
            ],
        ),
        ("docs/empty.md", ["a.eval.yaml:7: evidence file 'docs/empty.md' is empty"]),
        ("#boots", ["a.eval.yaml:7: evidence file '' does not exist"]),
    ],
)
def test_evidence_that_cannot_be_had(
    root: Path, written: str, lines: list[str]
) -> None:
    """The author's line is named, with what there is instead."""
    with pytest.raises(InputError) as caught:
        Documents(root).passage(written, root, HERE)
    assert caught.value.show(root).splitlines()[: len(lines)] == lines


def test_a_document_that_is_not_utf_8(root: Path) -> None:
    """The document's own line is named."""
    with pytest.raises(InputError) as caught:
        Documents(root).passage("docs/latin.md", root, HERE)
    assert caught.value.show(root).startswith("docs/latin.md:2: not UTF-8: byte 0xe9")


def test_a_prompt_is_text_or_a_file(root: Path) -> None:
    """One line that ends like a file name is a file; anything else is text."""
    (root / "house.md").write_text("Be brief.\n")
    documents = Documents(root)
    assert documents.prompt("house.md", root, HERE) == "Be brief."
    assert documents.prompt("Be brief.", root, HERE) == "Be brief."
    assert documents.prompt("Read\nhouse.md", root, HERE) == "Read\nhouse.md"
    with pytest.raises(InputError, match=r"system file 'hose\.md' does not exist"):
        documents.prompt("hose.md", root, HERE)
