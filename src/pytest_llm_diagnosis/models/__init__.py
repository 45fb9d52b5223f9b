"""Whatever answers a request, behind one protocol.

`open_model` picks it: a plain HTTP request where the endpoint speaks OpenAI's
chat completions, any other provider through litellm, the user's own callable, or
a script for tests.  A model makes a call once; retries belong to the engine.
"""

from __future__ import annotations

from .callable_model import CallableModel
from .direct_model import DirectModel
from .embedding_model import EmbeddingModel, vectors_of
from .http_model import HttpModel
from .litellm_library import warm
from .litellm_model import LitellmModel
from .opening import lane_of, open_model
from .protocol import Model
from .script_files import load_script
from .scripted import Rule, ScriptedError, ScriptedModel
from .token_counts import estimated_tokens
from .windows import Window, corpus_of, refuse_too_large, window_of

__all__ = [
    "CallableModel",
    "DirectModel",
    "EmbeddingModel",
    "HttpModel",
    "LitellmModel",
    "Model",
    "Rule",
    "ScriptedError",
    "ScriptedModel",
    "Window",
    "corpus_of",
    "estimated_tokens",
    "lane_of",
    "load_script",
    "open_model",
    "refuse_too_large",
    "vectors_of",
    "warm",
    "window_of",
]
