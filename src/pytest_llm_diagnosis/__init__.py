"""Find out why language-model evals fail: what the model knows, or how it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .records import Answer, Context, Request, Tokens, ToolCall

__all__ = ["Answer", "Context", "Request", "Tokens", "ToolCall"]


def __getattr__(name: str) -> object:
    """Return what an application is given and may return; loaded when wanted."""
    if name in __all__:
        from . import records

        found: object = getattr(records, name)
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
