"""What the variants of a run are, told to those who diagnose it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_llm_diagnosis.diagnosis import provider_of
from pytest_llm_diagnosis.records import Given, Variant
from pytest_llm_diagnosis.variants import differences

_GIVES = ("system", "examples", "context", "retrieve")


def given(variants: Iterable[Variant]) -> list[Given]:
    """Return what each variant is, by name; of namesakes the last one."""
    named = {one.name: one for one in variants}
    return [_given(one, list(named.values())) for one in named.values()]


def _given(variant: Variant, others: Sequence[Variant]) -> Given:
    written = variant.written
    model = written.model if written else ""
    return Given(
        name=variant.name,
        kind=variant.kind,
        model=model,
        provider=provider_of(model, written.api_base) if written else "",
        gives=tuple(name for name in _GIVES if getattr(variant, name)),
        changes={
            other.name: differences(variant, other)
            for other in others
            if other.name != variant.name
        },
    )
