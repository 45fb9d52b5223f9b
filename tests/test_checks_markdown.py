"""Markdown and other marks: blocks, their checks, no_markdown, title, and so on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checking import graded, outcome, refusal
from pytest_llm_diagnosis.checks.markdown_blocks import blocks
from pytest_llm_diagnosis.checks.markup import highlights
from pytest_llm_diagnosis.records import Json


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("plain\ntext", "paragraph"),
        ("one\n\ntwo", "paragraph paragraph"),
        ("# A\n## B ##\n###### C", "heading heading heading"),
        ("#A\n\n####### B\n\n\\# C", "paragraph paragraph paragraph"),
        ("Title\n=====\nSub\n---\ntext", "heading heading paragraph"),
        ("---\n***\n_ _ _", "rule rule rule"),
        ("- a\n* b\n+ c", "bullet bullet bullet"),
        ("-a\n*b*\n+c", "paragraph"),
        ("- a\n  - b\n    - c\n      - d", "bullet bullet bullet bullet"),
        ("- a\n\n  more of a\n- b", "bullet bullet"),
        ("- a\nlazy\n- b", "bullet bullet"),
        ("1. a\n2) b\n10. c", "numbered numbered numbered"),
        ("1.a\n1)b", "paragraph"),
        ("    a\n\n    b\n\nc", "code paragraph"),
        ("In\n1986. A year", "paragraph"),
        ("The list:\n1. a\n2. b", "paragraph numbered numbered"),
        ("The list:\n- a", "paragraph bullet"),
        ("1. a\n   - b\n2. c", "numbered bullet numbered"),
        ("```py\n# no heading\n- no bullet\n```\nafter", "code paragraph"),
        ("~~~\n```\n~~~", "code"),
        ("````\n```\n````", "code"),
        ("```\nnever closed\n- a", "code"),
        ("1. Run:\n   ```sh\n   make\n   ```\n2. Go", "numbered code numbered"),
        ("`` ```code``` ``", "paragraph"),
        ("    four\n    spaces", "code"),
        ("text\n    goes on", "paragraph"),
        ("- a\n\ntext\n\n    code", "bullet paragraph code"),
        ("> a\n> b", "quote quote"),
        ("| a | b |\n|---|:-:|\n| 1 | 2 |\n\nend", "table paragraph"),
        ("a | b\n-|-\n1 | 2", "table"),
        ("| a |\n|---|", "table"),
        ("| a | b |\n|---|\n| 1 | 2 |", "paragraph"),
        ("a | b\nc | d", "paragraph"),
        ("* * *\n- - -", "rule rule"),
        ("**bold** start", "paragraph"),
        ("-\n- a", "bullet bullet"),
        ("text\n-", "heading"),
        ("text\n*", "paragraph"),
        ("# a\r\n- b\r\n", "heading bullet"),
        ("", ""),
    ],
)
def test_blocks(text: str, kinds: str) -> None:
    """The common cases of CommonMark 0.31 and of GFM tables."""
    assert " ".join(block.kind for block in blocks(text)) == kinds


@given(st.text(alphabet="-*+#>|`~=_1.) ab\n\t", max_size=60))
def test_any_text_has_blocks(text: str) -> None:
    """Reading neither raises nor loses a letter outside of signs."""
    found = "".join(block.text for block in blocks(text))
    fences = sum(text.count(sign) for sign in "`~")
    assert fences or found.count("a") == text.count("a")


def test_what_blocks_say() -> None:
    """Titles, levels, contents and languages are told."""
    heading, item, code = blocks("## Wide  boots #\n\n- a\n  goes on\n\n```SQL\nx\n```")
    assert (heading.level, heading.text) == (2, "Wide  boots")
    assert item.text == "a\ngoes on"
    assert (code.info, code.text) == ("SQL", "x")


SAMPLE = "# A\n\n- b\n- c\n\n1. d\n\n```sh\ne\n```\n\n|f|g|\n|-|-|\n"


@pytest.mark.parametrize(
    ("name", "params", "text", "code"),
    [
        ("headings", 1, SAMPLE, None),
        ("headings", {"level": 2}, SAMPLE, "headings:under"),
        ("headings", {"level": 1}, SAMPLE, None),
        ("bullets", 2, SAMPLE, None),
        ("bullets", {"at_most": 1}, SAMPLE, "bullets:over"),
        ("bullets", 0, "*(Verse 1)*\n---\n-5 degrees", None),
        ("numbered", 1, SAMPLE, None),
        ("tables", 1, SAMPLE, None),
        ("tables", 1, "|f|g|", "tables:under"),
        ("code_blocks", 1, SAMPLE, None),
        ("code_blocks", {"language": "SH"}, SAMPLE, None),
        ("code_blocks", {"language": "py"}, SAMPLE, "code_blocks:under"),
        ("no_markdown", None, "Plain, 2 * 3 * 4, snake_case_name, a [note].", None),
        ("no_markdown", None, "5 - 3 = 2\n\nand so on", None),
        ("no_markdown", None, SAMPLE, "no_markdown:heading"),
        ("no_markdown", None, "- a", "no_markdown:bullet"),
        ("no_markdown", {"allow": ["bullet"]}, "- a\n- b", None),
        ("no_markdown", {"allow": ["bullet"]}, "- *a*", "no_markdown:emphasis"),
        ("no_markdown", None, "an _odd_ word", "no_markdown:emphasis"),
        ("no_markdown", None, "a **bold** word", "no_markdown:emphasis"),
        ("no_markdown", None, "run `make`", "no_markdown:inline_code"),
        ("no_markdown", None, "see [it](http://a.b)", "no_markdown:link"),
        ("no_markdown", None, "> said", "no_markdown:quote"),
        ("no_markdown", None, "a\n\n---\n\nb", "no_markdown:rule"),
        ("no_markdown", None, "|f|g|\n|-|-|", "no_markdown:table"),
    ],
)
def test_markdown_checks(name: str, params: Json, text: str, code: str | None) -> None:
    """Each finds its structure, and only that."""
    assert outcome(name, params, text, "form") == code


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("plain", 0),
        ("*a* and **b** and ***c***", 3),
        ("* a\n* b", 0),
        ("** **", 0),
        ("*a\nb*", 0),
        ("2 * 3", 0),
        ("**a** b **c**", 2),
        ("* item with *stars*", 1),
        ("**II. *Boots***", 2),
        ("***", 0),
        ("a*b", 0),
    ],
)
def test_highlights(text: str, count: int) -> None:
    """Stars count in pairs on one line, with something between them."""
    assert highlights(text) == count


@pytest.mark.parametrize(
    ("name", "params", "text", "code"),
    [
        ("quoted", None, ' "All of it." ', None),
        ("quoted", None, "\u201cAll of it.\u201d", None),
        ("quoted", None, '"', "quoted:bare"),
        ("quoted", None, '"A" b', "quoted:bare"),
        ("title", None, "x\n<<The Title>>\ny", None),
        ("title", None, "<<>>", "title:empty"),
        ("title", None, "<<The\nTitle>>", "title:missing"),
        ("title", {"open": "[[", "close": "]]"}, "[[T]]", None),
        ("postscript", "P.S.", "Bye.\n\np. s. More.", None),
        ("postscript", "P.P.S", "Bye.\nP.P.S. More.", None),
        ("postscript", "P.P.S", "Bye.\nP.S. More.", "postscript:missing"),
        ("postscript", "Note:", "NOTE: more", None),
        ("placeholders", 2, "[a] and [b c]", None),
        ("placeholders", {"at_most": 0}, "a[\n]", None),
        ("sections", {"exactly": 2, "marker": "PART"}, "PART 1 a PART 2 b", None),
        ("sections", {"exactly": 2}, "Section one", "sections:under"),
    ],
)
def test_marks(name: str, params: Json, text: str, code: str | None) -> None:
    """Each mark is found as a reader would find it."""
    assert outcome(name, params, text, "form") == code


@pytest.mark.parametrize(
    ("name", "params", "finding"),
    [
        ("no_markdown", {"allow": ["bold"]}, "unknown kind of Markdown 'bold'"),
        ("title", {"open": ""}, "open must be text"),
        ("postscript", " ", "more than spaces"),
        ("code_blocks", {"language": 3}, "language must be text"),
        ("headings", {"level": "two"}, "level must be a whole number"),
    ],
)
def test_parameters_that_cannot_work(name: str, params: Json, finding: str) -> None:
    """Each is an input error where the check stands."""
    assert finding in refusal(name, params, "form").finding


def test_the_rule_is_shown() -> None:
    """The reason shows the dashes that were found."""
    verdict = graded("no_markdown", None, "a\n\n---\n\nb", "form")
    assert verdict.reason == "expected no rules, found '---'"
