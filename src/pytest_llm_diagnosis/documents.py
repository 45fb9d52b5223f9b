"""Markdown documents to passages: whole files, or sections by heading.

A passage is named `docs/returns.md#unworn-goods`: the path relative to the root
folder, then the heading's slug as GitHub derives it.  Its text begins with the
chain of headings it stands under, because a section rarely says by itself what
it is about.

`split` cuts a document into pieces without overlap, each up to the next
heading of any level: what retrieval ranks.  `section` is what an author means
by one heading: everything below it, subsections included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import InputError, Location, valid_choices
from .records import Passage
from .source import inside, read_text

_LINE_END = re.compile(r"\r\n|\n|\r")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"[ \t]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+)*(`{3,}|~{3,})(.*)")
# A line that begins a list, a quote, a table or code is no heading's text.
_BLOCK = re.compile(r"[ \t]*(?:[-*+>|#]|[0-9]{1,9}[.)]|`{3}|~{3})|\t| {4}")

_IMAGE = re.compile(r"!\[[^\[\]]*\]\([^()]*\)")
_LINK = re.compile(r"\[([^\[\]]*)\](?:\([^()]*\)|\[[^\[\]]*\])")
_TAG = re.compile(r"<[/!]?[A-Za-z][^<>]*>")
_CODE = re.compile(r"(`+)(.+?)\1")
_EMPHASIS = re.compile(r"(?<!\w)(_{1,3})(?=\S)([^_]+?)\1(?!\w)")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")

_PROMPT_FILES = (".md", ".txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading of a document.

    `chain` holds the heading lines it stands under and its own.  `line` is its
    index in the document's lines, `body` that of the first line below it.
    """

    level: int
    slug: str
    chain: str
    line: int
    body: int


def slug(heading: str) -> str:
    """Return a heading's anchor as GitHub derives it, without a repeat's number."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", heading))
    parts = _CODE.split(_TAG.sub("", text))
    # The split yields text, backticks, code, text, ...: code keeps underscores.
    shown = [
        part if index % 3 else _EMPHASIS.sub(r"\2", part)
        for index, part in enumerate(parts)
        if index % 3 != 1
    ]
    return _NOT_IN_SLUG.sub("", "".join(shown).strip().lower()).replace(" ", "-")


def headings(text: str) -> tuple[Heading, ...]:
    """Return the headings of a Markdown text in order, each with its own slug.

    Lines that look like headings inside code fences, comments or front matter
    are none.  Repeated slugs are numbered: `notes`, `notes-1`, `notes-2`.
    """
    taken: dict[str, int] = {}
    above: list[tuple[int, str]] = []
    found = []
    for level, title, line, body in _heading_lines(_lines(text)):
        above = [entry for entry in above if entry[0] < level]
        above.append((level, f"{'#' * level} {title}"))
        found.append(
            Heading(
                level=level,
                slug=_numbered(slug(title), taken),
                chain="\n".join(shown for _, shown in above),
                line=line,
                body=body,
            )
        )
    return tuple(found)


def sections(path: Path, root: Path) -> tuple[Passage, ...]:
    """Return a file's passages, named by its path relative to `root`.

    Raises `InputError` when it is not UTF-8.
    """
    return Documents(root).sections(path)


def split(text: str, name: str) -> tuple[Passage, ...]:
    """Return a document cut at every heading; `name` is its path, used in ids.

    Text before the first heading has the file's own id.  A heading with nothing
    of its own below it makes no passage.
    """
    lines = _lines(text)
    found = headings(text)
    ends = [heading.line for heading in found] + [len(lines)]
    passages = []
    if before := _joined(lines[_front_matter(lines) : ends[0]]):
        passages.append(Passage(id=name, text=before))
    for index, heading in enumerate(found):
        if body := _joined(lines[heading.body : ends[index + 1]]):
            passages.append(_passage(name, heading, body))
    return tuple(passages)


def section(text: str, name: str, wanted: str) -> Passage | None:
    """Return all that stands under one heading, given by slug; None if unknown."""
    lines = _lines(text)
    found = headings(text)
    for index, heading in enumerate(found):
        if heading.slug == wanted:
            later = (h.line for h in found[index + 1 :] if h.level <= heading.level)
            body = _joined(lines[heading.body : next(later, len(lines))])
            return _passage(name, heading, body)
    return None


class Documents:
    """The documents below a root folder, each read once."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[Path, str] = {}
        self._passages: dict[tuple[Path, str], Passage] = {}

    def text(self, path: Path) -> str:
        """Return a document's text; raises `InputError` when it is not UTF-8."""
        if path not in self._texts:
            self._texts[path] = read_text(path)
        return self._texts[path]

    def name(self, path: Path) -> str:
        """Return a document's path relative to the root, with forward slashes."""
        resolved, root = path.resolve(), self._root.resolve()
        if resolved.is_relative_to(root):
            return resolved.relative_to(root).as_posix()
        return resolved.as_posix()

    def sections(self, path: Path) -> tuple[Passage, ...]:
        """Return a document cut at every heading."""
        return split(self.text(path), self.name(path))

    def passage(self, written: str, folder: Path, location: Location) -> Passage:
        """Return the file, or the section behind `#`, that an author wrote.

        Raises `InputError` at `location` when there is no such file or section.
        """
        key = (folder, written)
        if key not in self._passages:
            self._passages[key] = self._find(written, folder, location)
        return self._passages[key]

    def prompt(self, written: str, folder: Path, location: Location) -> str:
        """Return a prompt: the text as written, or that of the file it names.

        One line that ends in `.md` or `.txt` names a file.  Raises `InputError`
        at `location` when there is no such file.
        """
        if "\n" in written or not written.endswith(_PROMPT_FILES):
            return written
        path = inside(
            written, folder=folder, root=self._root, location=location, what="system"
        )
        return self.text(path).strip()

    def _find(self, written: str, folder: Path, location: Location) -> Passage:
        file, hash_sign, wanted = written.partition("#")
        path = inside(
            file, folder=folder, root=self._root, location=location, what="evidence"
        )
        text, name = self.text(path), self.name(path)
        if not text.strip():
            raise InputError.at(location, f"evidence file {file!r} is empty")
        if not hash_sign:
            return Passage(id=name, text=text)
        passage = section(text, name, wanted)
        if passage is None:
            slugs = [heading.slug for heading in headings(text)]
            finding = f"{file!r} has no section {wanted!r}"
            hint = valid_choices(wanted, slugs, "sections")
            raise InputError.at(location, finding, hint)
        return passage


def _heading_lines(lines: Sequence[str]) -> Iterator[tuple[int, str, int, int]]:
    """Yield level, title, line and first body line of each heading."""
    for index, line in _prose(lines):
        if match := _ATX.match(line):
            yield len(match[1]), _atx_title(line[match.end() :]), index, index + 1
        elif (match := _SETEXT.match(line)) and _is_lone_text(lines, index - 1):
            level = 1 if match[1][0] == "=" else 2
            yield level, lines[index - 1].strip(), index - 1, index + 1


def _prose(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines that stand outside front matter, code fences and comments."""
    fence = ""
    in_comment = False
    start = _front_matter(lines)
    for index, line in enumerate(lines[start:], start):
        opened = _FENCE.match(line)
        if fence:
            closes = opened and opened[1].startswith(fence) and not opened[2].strip()
            fence = "" if closes else fence
        elif in_comment or line.lstrip().startswith("<!--"):
            in_comment = "-->" not in line
        elif opened and not (opened[1][0] == "`" and "`" in opened[2]):
            fence = opened[1]
        else:
            yield index, line


def _front_matter(lines: Sequence[str]) -> int:
    """Return how many lines of settings stand before the document."""
    if lines and lines[0].rstrip() == "---":
        for index, line in enumerate(lines[1:], 1):
            if line.rstrip() in {"---", "..."}:
                return index + 1
    return 0


def _atx_title(rest: str) -> str:
    title = rest.strip()
    bare = title.rstrip("#")
    # Closing signs count only behind a space: "C#" keeps its own.
    return bare.rstrip() if not bare or bare[-1] in " \t" else title


def _is_lone_text(lines: Sequence[str], index: int) -> bool:
    if index < 0 or not lines[index].strip() or _BLOCK.match(lines[index]):
        return False
    return index == 0 or not lines[index - 1].strip()


def _numbered(base: str, taken: dict[str, int]) -> str:
    name = base
    while name in taken:
        taken[base] += 1
        name = f"{base}-{taken[base]}"
    taken[name] = 0
    return name


def _passage(name: str, heading: Heading, body: str) -> Passage:
    text = f"{heading.chain}\n\n{body}" if body else heading.chain
    return Passage(id=f"{name}#{heading.slug}", text=text)


def _lines(text: str) -> list[str]:
    # Not `splitlines`: it also cuts at form feeds and Unicode separators.
    return _LINE_END.split(text)


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).strip("\n")
