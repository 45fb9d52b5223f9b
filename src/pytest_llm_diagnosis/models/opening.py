"""From a variant to the model that answers for it."""

from __future__ import annotations

from pathlib import Path

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Endpoint, Lane, Variant

from .bodies import checked
from .caching import PrefixFirst
from .callable_model import CallableModel, Called
from .called_retrieval import CalledEmbedder, CalledRetriever
from .calls import without_stream
from .direct_model import DirectModel
from .embedding_model import EmbeddingModel, VectorModel
from .http_model import HttpModel
from .litellm_model import LitellmModel
from .protocol import Model
from .script_files import load_script
from .wires import NotDirectError, Wire, wire_of


def open_model(variant: Variant, *, timeout: float, root: Path) -> Model:
    """Return the model of a variant: its script, its callable or its endpoint.

    `timeout` is seconds for one call.  Raises `InputError` at the variant when
    there is nothing to ask or its lane cannot be taken, at the script's lines
    when those are wrong.
    """
    if variant.script is not None:
        return load_script(variant.script)
    if variant.call is not None and (variant.searches or variant.embeds):
        called = Called(variant.call, variant.location, root, timeout)
        return CalledRetriever(called) if variant.searches else CalledEmbedder(called)
    if variant.call is not None:
        return _application(variant, variant.call, timeout, root)
    if variant.live is not None and variant.compares:
        return EmbeddingModel(variant.live, timeout)
    if variant.live is not None and variant.embeds:
        return VectorModel(variant.live, timeout)
    if variant.live is not None:
        model = _live_model(variant, variant.live, timeout)
        prefix = _prefix(variant)
        return PrefixFirst(model, prefix) if prefix else model
    finding = f"variant {variant.name!r} has nothing to ask"
    raise InputError.at(variant.location, finding, "give it model, call or script")


def _application(variant: Variant, call: str, timeout: float, root: Path) -> Model:
    live = variant.live_app
    if variant.is_remote:
        if live is None:
            finding = f"variant {variant.name!r} is not filled in for a call"
            raise InputError.at(variant.location, finding)
        return HttpModel(live, timeout, written=call, unfilled=variant.params)
    return CallableModel(
        Called(call, variant.location, root, timeout),
        params=live.params if live else variant.params,
        unfilled=variant.params,
    )


def lane_of(variant: Variant) -> Lane | None:
    """Return the lane that a variant's calls take; None if it has no endpoint.

    A single request may still need litellm, for a parameter of its case.
    """
    if variant.live is None:
        return None
    if variant.lane is not None:
        return variant.lane
    try:
        _wire(variant.live)
    except NotDirectError:
        return "litellm"
    return "direct"


def _live_model(variant: Variant, endpoint: Endpoint, timeout: float) -> Model:
    slow = LitellmModel(
        endpoint,
        timeout,
        written=variant.written,
        prefix=_prefix(variant),
    )
    if variant.lane == "litellm":
        return slow
    try:
        wire = _wire(endpoint)
    except NotDirectError as reason:
        if variant.lane is None:
            return slow
        finding = f"variant {variant.name!r} cannot take the direct lane: {reason}"
        hint = "leave 'lane' out, or write lane: litellm"
        raise InputError.at(variant.location, finding, hint) from None
    return DirectModel(
        endpoint,
        wire,
        timeout,
        written=variant.written,
        otherwise=slow if variant.lane is None else None,
    )


def _prefix(variant: Variant) -> str:
    """Return how the system prompts of a variant begin: its corpus, if it has one."""
    return (variant.context or "").strip()


def _wire(endpoint: Endpoint) -> Wire:
    """Return the wire that also carries the endpoint's parameters."""
    wire = wire_of(endpoint)
    checked(without_stream(endpoint.params), wire)
    return wire
