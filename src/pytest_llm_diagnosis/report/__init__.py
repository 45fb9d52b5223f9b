"""All wording: terminal lines, JSON, Markdown and HTML."""

from __future__ import annotations
