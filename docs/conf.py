"""How Sphinx builds these pages: `make docs`."""

from __future__ import annotations

project = "pytest-llm-diagnosis"
author = "the pytest-llm-diagnosis developers"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = "pytest-llm-diagnosis"
exclude_patterns = ["_build"]
myst_heading_anchors = 3
nitpicky = True
suppress_warnings = ["misc.highlighting_failure"]
