"""How much of a folder of promptfoo configs is imported, and whether it collects.

    python benchmarks/importing.py --data PATH [--kept] [--name "promptfooconfig*.yaml"]

Each config is imported into a folder of its own, whose files are then loaded as
pytest loads them: cases read, checks bound, self-tested, variants read.
"""

from __future__ import annotations

import argparse
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from pytest_llm_diagnosis.cases import load_cases
from pytest_llm_diagnosis.checks import Registry, default_registry
from pytest_llm_diagnosis.errors import InputError
from pytest_llm_diagnosis.promptfoo import Imported, family, import_config
from pytest_llm_diagnosis.self_test import self_test
from pytest_llm_diagnosis.variants import load_variants


class Totals:
    """What came of all configs."""

    def __init__(self) -> None:
        self.files: Counter[str] = Counter()
        self.cases: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.expressed: Counter[str] = Counter()
        self.kept: Counter[tuple[str, str]] = Counter()

    def add(self, imported: Imported) -> None:
        """Count what became of one config."""
        self.files["imported"] += 1
        self.files["with cases"] += bool(imported.cases)
        self.cases["all"] += imported.cases
        self.cases["skipped"] += imported.skipped
        self.seen += imported.tally.totals()
        self.expressed += imported.tally.expressed()
        self.kept += imported.tally.why()


def main() -> None:
    """Import every config and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--name", default="promptfooconfig*.yaml")
    parser.add_argument("--kept", action="store_true", help="say why, too")
    options = parser.parse_args()
    totals, registry = Totals(), default_registry()
    for path in sorted(options.data.rglob(options.name)):
        totals.files["found"] += 1
        try:
            one(path, registry, totals)
        except InputError as error:
            totals.files["refused"] += 1
            print(f"refused: {error}")
        except Exception:  # noqa: BLE001 - a crash is what is counted
            totals.files["crashed"] += 1
            print(f"crashed: {path}\n{traceback.format_exc()}")
    tell(totals, reasons=options.kept)


def one(path: Path, registry: Registry, totals: Totals) -> None:
    """Import one config, and load what was written."""
    imported = import_config(path, registry)
    totals.add(imported)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in imported.files.items():
            (folder / file).write_text(text, encoding="utf-8")
        try:
            cases = collected(folder, registry)
        except InputError as error:
            totals.files["not collecting"] += 1
            print(f"does not collect: {path}\n{error}")
            return
    if cases != imported.cases:
        raise AssertionError(f"{cases} cases collected, {imported.cases} imported")
    totals.files["collecting"] += 1


def collected(folder: Path, registry: Registry) -> int:
    """Return how many cases load; raises what pytest would show at collection."""
    load_variants(folder / "llm_variants.yaml", folder, {}, live=False)
    count = 0
    for path in sorted(folder.glob("*.eval.yaml")):
        for case in load_cases(path, folder, registry):
            checks = [registry.bind(spec) for spec in case.checks]
            problems = self_test(case, checks).problems
            if problems:
                raise InputError(problems)
            count += 1
    return count


def tell(totals: Totals, *, reasons: bool) -> None:
    """Print the figures."""
    print("files:", ", ".join(f"{n} {what}" for what, n in totals.files.items()))
    print("cases:", ", ".join(f"{n} {what}" for what, n in totals.cases.items()))
    for kinds in ("deterministic", "model", "code"):
        names = [name for name in totals.seen if family(name) == kinds]
        seen = sum(totals.seen[name] for name in names)
        made = sum(totals.expressed[name] for name in names)
        share = f" ({made / seen:.1%})" if seen else ""
        print(f"\n{kinds}: {made} of {seen} expressed{share}")
        for name in sorted(names, key=lambda name: -totals.seen[name]):
            print(f"  {name:32}{totals.expressed[name]:5} of {totals.seen[name]}")
    if reasons:
        print("\nkept as comments")
        for (kind, reason), count in totals.kept.most_common():
            print(f"  {count:4} {kind}: {reason}")


if __name__ == "__main__":
    main()
