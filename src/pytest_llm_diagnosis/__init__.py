"""Find out why language-model evals fail: what the model knows, or how it answers."""

from __future__ import annotations
