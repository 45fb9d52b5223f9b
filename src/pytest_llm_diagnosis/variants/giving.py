"""What a variant gives the model: prompts, examples and documents from files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from pytest_llm_diagnosis.documents import Documents
from pytest_llm_diagnosis.errors import InputError, Location
from pytest_llm_diagnosis.records import (
    Access,
    Changes,
    Examples,
    JsonObject,
    Library,
    Message,
    Retrieve,
)
from pytest_llm_diagnosis.schema import validate
from pytest_llm_diagnosis.source import (
    ListNode,
    MapNode,
    Node,
    Spot,
    inside,
    place,
    read,
)

from .retrieving import read_retrieve

_TEXT: JsonObject = {"type": "string", "minLength": 1}
_EXAMPLES: JsonObject = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "properties": {"prompt": _TEXT, "ideal": _TEXT},
        "required": ["prompt", "ideal"],
        "additionalProperties": False,
    },
}


def corpus_text(documents: Documents, paths: Sequence[Path]) -> str:
    """Return whole documents as one text, each below its path as a heading."""
    return "\n\n".join(
        f"# {documents.name(path)}\n\n{documents.text(path).strip()}" for path in paths
    )


class Giver:
    """Reads the files that the variants of one file name."""

    def __init__(self, path: Path, root: Path) -> None:
        self._path = path
        self._folder = path.parent
        self._root = root
        self._documents = Documents(root)
        self._named: set[Path] = set()
        self._names_some = False

    def system(self, node: MapNode) -> str | None:
        """Return the system prompt, from its file when it names one."""
        written = node.get("system")
        if not written:
            return None
        location = self._location(node, "system")
        return self._documents.prompt(str(written), self._folder, location)

    def examples(self, node: MapNode) -> Examples | None:
        """Return how many examples are shown, or the turns of a file of them."""
        written = node.get("examples")
        if not isinstance(written, str):
            return Examples(count=int(cast("float", written))) if written else None
        pairs = self._pairs(written, self._location(node, "examples"))
        turns: list[Message] = []
        for pair in pairs:
            turns.append({"role": "user", "content": str(pair["prompt"])})
            turns.append({"role": "assistant", "content": str(pair["ideal"])})
        return Examples(count=len(pairs), messages=tuple(turns))

    def retrieve(self, node: MapNode, filled: MapNode | None) -> Retrieve | None:
        """Return what is searched; `filled` is the variant as it is called."""
        retrieve = node.get("retrieve")
        if not isinstance(retrieve, MapNode):
            return None
        live = filled.get("retrieve") if filled is not None else None
        return read_retrieve(
            retrieve,
            live if isinstance(live, MapNode) else None,
            self._path,
            self._matching,
        )

    def context(self, node: MapNode) -> str | None:
        """Return the whole corpus, each file below its path as a heading."""
        if "context" not in node:
            return None
        paths = self._matching(node["context"], node.spots["context"][1])
        return corpus_text(self._documents, paths)

    def library(self, node: MapNode | None) -> Library | None:
        """Return the documents that the file names: apart, else in its variants.

        To be called when those were read.  Raises `InputError` where `node` says
        something of documents that nothing names.
        """
        if node is None:
            named = tuple(sorted(self._named))
            return Library(files=named) if named else None
        if "files" in node:
            files = self._matching(node["files"], node.spots["files"][1])
        else:
            files = tuple(sorted(self._named))
        if not files and not self._names_some:
            location = place(node.start, self._path)
            finding = "'documents' names no files, and no variant does"
            raise InputError.at(location, finding, 'like files: "docs/**/*.md"')
        return Library(
            files=files,
            access=cast("Access", node.get("access", "open")),
            changes=cast("Changes", node.get("changes", "rarely")),
        )

    def script(self, node: MapNode) -> Path | None:
        """Return the file of scripted answers."""
        if "script" not in node:
            return None
        return self._file(str(node["script"]), self._location(node, "script"), "script")

    def _pairs(self, written: str, location: Location) -> list[MapNode]:
        path = self._file(written, location, "examples")
        pairs = read(path)
        problems = validate(pairs, _EXAMPLES, path)
        if problems:
            raise InputError(problems)
        return cast("list[MapNode]", pairs)

    def _file(self, written: str, location: Location, what: str) -> Path:
        return inside(
            written, folder=self._folder, root=self._root, location=location, what=what
        )

    def _matching(self, patterns: Node, spot: Spot) -> tuple[Path, ...]:
        """Return the files that one pattern or a list of them matches, sorted."""
        self._names_some = True
        if isinstance(patterns, ListNode):
            pairs = list(zip(patterns, patterns.spots, strict=True))
        else:
            pairs = [(patterns, spot)]
        paths = {
            path
            for pattern, pattern_spot in pairs
            for path in self._glob(str(pattern), place(pattern_spot, self._path))
        }
        self._named |= paths
        return tuple(sorted(paths))

    def _glob(self, pattern: str, location: Location) -> set[Path]:
        try:
            self._refuse_climbing(pattern, location)
            found = {path for path in self._folder.glob(pattern) if path.is_file()}
            paths = {path.resolve() for path in found}
        # What a pattern may not be differs between the versions of Python.
        except (ValueError, NotImplementedError, IndexError, OSError, RuntimeError):
            raise InputError.at(
                location, f"{pattern!r} is not a pattern of files", "like docs/**/*.md"
            ) from None
        root = self._root.resolve()
        if any(not path.is_relative_to(root) for path in paths):
            raise InputError.at(location, f"{pattern!r} leads out of the root folder")
        if not paths:
            hint = "patterns are relative to the folder of this file"
            raise InputError.at(location, f"no file matches {pattern!r}", hint)
        return paths

    def _refuse_climbing(self, pattern: str, location: Location) -> None:
        """Raise `InputError` before a search outside the root folder begins."""
        parts = Path(pattern).parts
        wild = next((n for n, part in enumerate(parts) if set("*?[") & set(part)), None)
        begin = self._folder.joinpath(*parts[:wild]).resolve()
        climbs = wild is not None and ".." in parts[wild:]
        if climbs or not begin.is_relative_to(self._root.resolve()):
            raise InputError.at(location, f"{pattern!r} leads out of the root folder")

    def _location(self, node: MapNode, key: str) -> Location:
        return place(node.spots[key][1], self._path)
