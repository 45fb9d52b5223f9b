"""A variants file to its variants, or to everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pytest_llm_diagnosis.errors import InputError, Location, Problem
from pytest_llm_diagnosis.records import SUB_NAMES, Library, Variant
from pytest_llm_diagnosis.redaction import variables_in
from pytest_llm_diagnosis.source import MapNode, read_text

from .environment import Environment
from .extending import Chains
from .files import VariantsFile
from .making import Maker
from .outlining import Outline, read_outline
from .selection import ALL, names


def load_variants(
    path: Path,
    root: Path,
    environment: Mapping[str, str],
    *,
    live: bool,
    selection: str | None = ALL,
) -> VariantsFile:
    """Return the variants of a file.

    With `live`, the variants that `selection` means get their endpoint filled
    in from `environment`; without, none does and no variable needs to be set.
    Raises `InputError` with all problems of the file.
    """
    outline = read_outline(path)
    wanted = outline.default if selection is None else selection
    filled = _chosen(wanted, outline, path) if live else frozenset()
    loader = _Loader(outline, path, root, environment)
    variants = loader.variants(filled)
    library = loader.library(outline.documents)
    if loader.problems:
        raise InputError(dict.fromkeys(loader.problems))
    return VariantsFile(
        path=path,
        default=outline.default,
        variants=variants,
        library=library,
        variables=variables_in(read_text(path)),
    )


def _chosen(wanted: str | None, outline: Outline, path: Path) -> frozenset[str]:
    """Return the variants that will be asked; a wrong selection is told later."""
    try:
        chosen = names(wanted or "", list(outline.layers), Location(path=path))
    except InputError:
        return frozenset()
    return frozenset(chosen)


class _Loader:
    """Makes the variants of one file and collects its problems."""

    def __init__(
        self, outline: Outline, path: Path, root: Path, environment: Mapping[str, str]
    ) -> None:
        self.problems: list[Problem] = list(outline.problems)
        self._layers = outline.layers
        self._chains = Chains(outline.layers, path)
        self._environment = Environment(environment, path)
        self._maker = Maker(path, root)

    def variants(self, filled: frozenset[str]) -> dict[str, Variant]:
        """Return the variants by name; those in `filled` with a live endpoint."""
        made = {}
        for name in self._layers:
            try:
                variant = self._variant(name, live=name in filled)
            except InputError as error:
                self.problems += error.problems
            else:
                made[name] = variant
        self.problems += _shadowed(made)
        return made

    def library(self, node: MapNode | None) -> Library | None:
        """Return the documents, once the variants are made."""
        try:
            return self._maker.library(node)
        except InputError as error:
            self.problems += error.problems
            return None

    def _variant(self, name: str, *, live: bool) -> Variant:
        merged = self._chains.merged(name)
        problems: list[Problem] = []
        filled = None
        if live:
            found = self._environment.filled(merged.node, problems)
            # With a variable missing, what it would make up is not looked at.
            filled = None if problems else found
        try:
            variant = self._maker.variant(self._layers[name], merged, filled)
        except InputError as error:
            problems += error.problems
        if problems:
            raise InputError(problems)
        return variant


def _shadowed(variants: Mapping[str, Variant]) -> Iterator[Problem]:
    """Yield the variants that bear the name under which others are recorded."""
    for name, variant in variants.items():
        for ending in SUB_NAMES:
            if variant.retrieve and (other := variants.get(f"{name}{ending}")):
                finding = (
                    f"what variant {name!r} retrieves is recorded as {other.name!r}"
                )
                hint = "give this variant another name"
                yield Problem(location=other.location, finding=finding, hint=hint)
