"""The fix that a verdict names, as an arm that can be asked of every case."""

from __future__ import annotations

from pytest_llm_diagnosis.records import Arm

from .records import VariantDiagnosis

_NAMED = frozenset({"knowledge", "behavior", "both", "neither_yet"})


def advised_arm(variant: VariantDiagnosis) -> Arm | None:
    """Return the arm that stands for the advised fix, None where there is none.

    The passage for knowledge; else the cheaper prompt rung that fixed more
    cases.  Weights and constrained decoding are not an arm.
    """
    verdict, causes = variant.verdict, variant.causes
    if verdict.kind not in _NAMED:
        return None
    if verdict.kind == "knowledge":
        return "E"
    by_instruction = causes.get("instruction", 0)
    by_examples = causes.get("examples", 0)
    if by_examples > by_instruction:
        return "X"
    return "S" if by_instruction else None
