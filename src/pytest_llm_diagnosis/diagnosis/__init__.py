"""From results and causes to a diagnosis: what fails, why, what to try next.

It needs nothing but saved results and a seed, so a report can be diagnosed
again without a call.
"""

from __future__ import annotations

from .choosing import chosen
from .compared import Confound, Flip
from .counted import Costumes, FailedPart, Rate, Spotted, Spread
from .diagnose import diagnose
from .fix import advised_arm
from .flips import Change, Confirmation, compare
from .posterior import Posterior, Shares, posterior
from .recall import Recall
from .records import Diagnosis, VariantDiagnosis
from .regression import (
    MARGIN,
    Comparison,
    Earlier,
    Regression,
    VariantComparison,
    compare_variants,
)
from .spending import Spending, extra_spending, spending
from .suite_verdict import SuiteVerdict, VerdictKind
from .tried import Changed, Fix, FixKind, MarkEffect, SideEffects
from .tuning import TUNING, Hosted, Tuning, provider_of, tuning_of
from .verdict import FEW, FINE_TUNE, enough_probed

__all__ = [
    "FEW",
    "FINE_TUNE",
    "MARGIN",
    "TUNING",
    "Change",
    "Changed",
    "Comparison",
    "Confirmation",
    "Confound",
    "Costumes",
    "Diagnosis",
    "Earlier",
    "FailedPart",
    "Fix",
    "FixKind",
    "Flip",
    "Hosted",
    "MarkEffect",
    "Posterior",
    "Rate",
    "Recall",
    "Regression",
    "Shares",
    "SideEffects",
    "Spending",
    "Spotted",
    "Spread",
    "SuiteVerdict",
    "Tuning",
    "VariantComparison",
    "VariantDiagnosis",
    "VerdictKind",
    "advised_arm",
    "chosen",
    "compare",
    "compare_variants",
    "diagnose",
    "enough_probed",
    "extra_spending",
    "posterior",
    "provider_of",
    "spending",
    "tuning_of",
]
