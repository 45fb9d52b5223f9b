"""The figures of benchmarks/importing.py, on two configs of our own."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

CONFIG = """\
prompts: ["Where is {{town}}?", "{{town}}?"]
providers: [echo]
tests:
  - vars: {town: Oslo}
    assert:
      - {type: contains, value: Norway}
      - {type: rouge-n, value: Norway}
      - {type: javascript, value: "output.split(1)"}
"""


def test_the_figures_of_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no config is refused, not crashed; an assertion counts once."""
    (tmp_path / "promptfooconfig.yaml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "promptfooconfig.b.yaml").write_text("- a", encoding="utf-8")
    arguments = ["importing.py", "--data", str(tmp_path), "--kept"]
    monkeypatch.setattr("sys.argv", arguments)
    monkeypatch.syspath_prepend(Path(__file__).parent.parent)
    importlib.import_module("benchmarks.importing").main()
    lines = capsys.readouterr().out.splitlines()
    figures = "files: 2 found, 1 refused, 1 imported, 1 with cases, 1 collecting"
    assert figures in lines
    assert "cases: 2 all, 0 skipped" in lines
    assert "deterministic: 1 of 2 expressed (50.0%)" in lines
    assert "code: 0 of 1 expressed (0.0%)" in lines
    assert "     1 rouge-n: no check of ours is a rouge-n" in lines
