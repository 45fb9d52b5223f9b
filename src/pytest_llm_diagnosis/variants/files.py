"""Where variants files are, and what is read from one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_llm_diagnosis.records import Library, Variant


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsFile:
    """The variants of one file, in its order; `default` is a selection of them.

    `library` are the documents that it names, None where it names none; `variables`
    the names that stand as `${NAME}` anywhere in the file.
    """

    path: Path
    default: str | None = None
    variants: Mapping[str, Variant] = field(default_factory=dict)
    library: Library | None = None
    variables: frozenset[str] = frozenset()


def find_variants_file(
    eval_path: Path, root: Path, name: str = "llm_variants.yaml"
) -> Path | None:
    """Return the variants file nearest to an eval file, upwards to `root`.

    Outside `root` only the eval file's own folder counts.
    """
    for folder in eval_path.parents:
        candidate = folder / name
        if candidate.is_file():
            return candidate
        if folder == root or not folder.is_relative_to(root):
            return None
    return None
