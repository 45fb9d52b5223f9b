"""From a variant to the model that answers for it."""

from __future__ import annotations

from pathlib import Path

from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.records import Variant

from .callable_model import CallableModel
from .litellm_model import LitellmModel
from .protocol import Model
from .script_files import load_script


def open_model(variant: Variant, *, timeout: float, root: Path) -> Model:
    """Return the model of a variant: its script, its callable or its endpoint.

    `timeout` is seconds for one call.  Raises `InputError` at the variant when
    there is nothing to ask, at the script's lines when those are wrong.
    """
    if variant.script is not None:
        return load_script(variant.script)
    if variant.call is not None:
        return CallableModel(variant.call, variant.location, root, timeout)
    if variant.live is not None:
        return LitellmModel(
            variant.live,
            timeout,
            written=variant.written,
            cache_prompt=variant.context is not None,
        )
    finding = f"variant {variant.name!r} has nothing to ask"
    raise InputError.at(variant.location, finding, "give it model, call or script")
