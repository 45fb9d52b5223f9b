"""The fix ladder in words: what each fix did, and what it costs a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_llm_diagnosis.diagnosis import Fix, FixKind, VariantDiagnosis

from .layout import WIDTH, Table, table_lines
from .lines import Line, printable

NOT_MEASURED = "not measured"
_NAMES: Mapping[FixKind, str] = {
    "instruction": "instruction",
    "examples": "3 examples",
    "passage": "gold passage",
    "long_context": "long context",
    "retrieval": "retrieval",
    "weights": "fine-tune",
    "model": "another model",
    "app": "application",
}
_EXPECTED: Sequence[FixKind] = (
    "instruction",
    "examples",
    "long_context",
    "retrieval",
    "weights",
)
_PRICES = ("extra tokens", "seconds", "USD")


def ladder_lines(variant: VariantDiagnosis, width: int = WIDTH) -> Iterator[Line]:
    """Yield what was tried, the cheapest to try first; nothing where nothing was."""
    table = ladder_table(variant)
    if table:
        yield Line(f"{ladder_title(variant)}:", "head")
        yield from table_lines(table, width, indent="  ")
        yield from (Line(f"  {text}") for text in missing_texts(variant))


def missing_texts(variant: VariantDiagnosis) -> Iterator[str]:
    """Yield what the ladder does not show: prices, then fixes that nothing tried."""
    if not variant.fixes:
        return
    prices = [_prices(fix) for fix in variant.fixes]
    unmeasured = [
        name
        for name, column in zip(_PRICES, zip(*prices, strict=True), strict=True)
        if set(column) == {NOT_MEASURED}
    ]
    tried = {kind for fix in variant.fixes for kind in fix.kinds}
    untried = [_NAMES[kind] for kind in _EXPECTED if kind not in tried]
    if unmeasured:
        yield f"{', '.join(unmeasured)}: {NOT_MEASURED}"
    if untried:
        yield f"{', '.join(untried)}: not tried"


def ladder_title(variant: VariantDiagnosis) -> str:
    """Return what the ladder shows."""
    return f"fixes tried on {printable(variant.name)}, and what each adds to a case"


def ladder_table(variant: VariantDiagnosis) -> Table:
    """Return the fixes with their counts and what they cost, the head first.

    A price that no case tells is left out as a whole: `missing_texts` names it.
    """
    if not variant.fixes:
        return []
    rows = [
        [
            fix_name(fix),
            fix.variant or "probes",
            f"{fix.fixed} of {fix.tried}",
            *_prices(fix),
        ]
        for fix in variant.fixes
    ]
    columns = list(zip(["fix", "by", "fixed", *_PRICES], *rows, strict=True))
    kept = [column for column in columns if set(column[1:]) != {NOT_MEASURED}]
    return [list(row) for row in zip(*kept, strict=True)]


def fix_name(fix: Fix) -> str:
    """Return what was given, together: `retrieval, fine-tune`."""
    names = (_NAMES[kind] for kind in fix.kinds)
    # How many examples a variant shows is its own choice.
    return ", ".join(n.removeprefix("3 ") if fix.variant else n for n in names)


def _prices(fix: Fix) -> list[str]:
    return [
        _told(fix.tokens, "{:+.0f}"),
        _told(fix.extra.seconds, "{:+.2f}"),
        _told(fix.extra.usd, "{:+.6f}"),
    ]


def _told(amount: float | None, form: str) -> str:
    if amount is None:
        return NOT_MEASURED
    told = form.format(amount)
    # A difference that rounds to nothing has no sign.
    return told if any(digit in told for digit in "123456789") else told[1:]
