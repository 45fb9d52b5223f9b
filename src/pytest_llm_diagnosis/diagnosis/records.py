"""What a diagnosis says, as records with their dict round trip."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar, cast

from pytest_llm_diagnosis.records import (
    Cause,
    Given,
    Json,
    JsonObject,
    Mark,
    Setup,
)

from .compared import Confound, Flip
from .counted import Costumes, FailedPart, Rate, Spotted, Spread
from .recall import Recall, recall_of
from .spending import Spending
from .suite_verdict import SuiteVerdict
from .tried import Fix, SideEffects

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantDiagnosis:
    """What a run shows of one variant.

    `cases` counts passed and failed ones; errors and skips never vote.
    `rates` are failures by mark.  Of `failing` cases `probed` were asked again
    with `calls` calls, and `causes` counts what was found.  `exposure` is how
    many cases could fail for lack of knowledge and for behaviour, `shares` how
    many did.  `spread` says over how many clusters they lie, `detectable` is the
    diagnosis's of these `cases`.  `untested` counts findings that an arm was
    missing for.  `recall` is None where nothing is retrieved.
    `doubtful_marks` contradict their cause, `disguised` ones agree with it, but
    what failed does not; `suspects` have faulty checks.  `fixes` were tried on
    the failing cases, the cheapest to try first.
    `setup` is what is known of the variant, `spending` what a case costs under it,
    `extra` what it costs beyond the variant that lacks only what this one gives.
    """

    name: str
    cases: int
    failing: int
    errors: int
    skipped: int
    rates: Mapping[Mark, Rate]
    failed_part: FailedPart
    verdict: SuiteVerdict
    probed: int = 0
    calls: int = 0
    causes: Mapping[Cause, int] = field(default_factory=dict)
    rungs: Mapping[str, int] = field(default_factory=dict)
    exposure: Mapping[Mark, int] = field(default_factory=dict)
    shares: Mapping[Mark, Rate] = field(default_factory=dict)
    spread: Mapping[Mark, Spread] = field(default_factory=dict)
    detectable: float | None = None
    costumes: Costumes = field(default_factory=Costumes)
    untested: Mapping[str, int] = field(default_factory=dict)
    notes: Mapping[str, int] = field(default_factory=dict)
    recall: Recall | None = None
    doubtful_marks: tuple[Spotted, ...] = ()
    disguised: tuple[Spotted, ...] = ()
    suspects: tuple[Spotted, ...] = ()
    setup: Setup | None = None
    spending: Spending | None = None
    extra: Spending | None = None
    fixes: tuple[Fix, ...] = ()

    @property
    def repeating(self) -> int:
        """How many probed failures did not pass when asked again unchanged."""
        lost: tuple[Cause, ...] = ("unstable", "infrastructure")
        return self.probed - sum(self.causes.get(cause, 0) for cause in lost)

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict; the verdict's wording is the report's."""
        return {
            "name": self.name,
            "cases": self.cases,
            "failing": self.failing,
            "errors": self.errors,
            "skipped": self.skipped,
            "rates": {mark: rate.to_dict() for mark, rate in self.rates.items()},
            "failed_part": self.failed_part.to_dict(),
            "probed": self.probed,
            "calls": self.calls,
            "causes": {str(cause): count for cause, count in self.causes.items()},
            "rungs": dict(self.rungs),
            "exposure": {str(mark): count for mark, count in self.exposure.items()},
            "shares": {mark: rate.to_dict() for mark, rate in self.shares.items()},
            "spread": {mark: one.to_dict() for mark, one in self.spread.items()},
            "detectable": self.detectable,
            "costumes": self.costumes.to_dict(),
            "untested": dict(self.untested),
            "notes": dict(self.notes),
            "recall": self.recall.to_dict() if self.recall else None,
            "doubtful_marks": [case.to_dict() for case in self.doubtful_marks],
            "disguised": [case.to_dict() for case in self.disguised],
            "suspects": [case.to_dict() for case in self.suspects],
            "fixes": [one.to_dict() for one in self.fixes],
            "verdict": self.verdict.to_dict(),
            "setup": None if self.setup is None else self.setup.to_dict(),
            "spending": None if self.spending is None else self.spending.to_dict(),
            "extra": None if self.extra is None else self.extra.to_dict(),
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> VariantDiagnosis:
        """Return the record that `to_dict` described."""
        return cls(
            name=str(data["name"]),
            cases=cast("int", data["cases"]),
            failing=cast("int", data["failing"]),
            errors=cast("int", data["errors"]),
            skipped=cast("int", data["skipped"]),
            rates=_rates(data, "rates"),
            failed_part=FailedPart.from_dict(_object(data, "failed_part")),
            probed=cast("int", data["probed"]),
            calls=cast("int", data["calls"]),
            causes=cast("Mapping[Cause, int]", _object(data, "causes")),
            rungs=cast("Mapping[str, int]", _object(data, "rungs")),
            exposure=cast("Mapping[Mark, int]", _object(data, "exposure")),
            shares=_rates(data, "shares"),
            spread={
                cast("Mark", mark): Spread.from_dict(cast("JsonObject", one))
                for mark, one in _object({"spread": {}, **data}, "spread").items()
            },
            detectable=cast("float | None", data.get("detectable")),
            costumes=Costumes.from_dict(_object(data, "costumes")),
            untested=cast("Mapping[str, int]", _object(data, "untested")),
            notes=cast("Mapping[str, int]", _object(data, "notes")),
            recall=recall_of(data),
            doubtful_marks=_spotted(data, "doubtful_marks"),
            disguised=_spotted({"disguised": [], **data}, "disguised"),
            suspects=_spotted(data, "suspects"),
            fixes=tuple(map(Fix.from_dict, _objects({"fixes": [], **data}, "fixes"))),
            verdict=SuiteVerdict.from_dict(_object(data, "verdict")),
            setup=_optional(data, "setup", Setup.from_dict),
            spending=_optional(data, "spending", Spending.from_dict),
            extra=_optional(data, "extra", Spending.from_dict),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What a run comes to; `seed` is that of its draws.

    `probing` says that failing cases were to be asked again.  `detectable` is
    the smallest net change that a before/after run of these cases shows with 80%
    power, as a share of them, in the variant with most; None when none is.
    `given` says what the variants are, `side_effects` what tuned ones changed.
    """

    seed: int
    variants: tuple[VariantDiagnosis, ...] = ()
    flips: tuple[Flip, ...] = ()
    confounds: tuple[Confound, ...] = ()
    detectable: float | None = None
    probing: bool = False
    given: tuple[Given, ...] = ()
    side_effects: tuple[SideEffects, ...] = ()

    def given_of(self, variant: str) -> Given | None:
        """Return what a variant is, None where it is not known."""
        return next((one for one in self.given if one.name == variant), None)

    @property
    def setups(self) -> dict[str, Setup]:
        """What is known of the variants, by name: results do not tell it."""
        return {one.name: one.setup for one in self.variants if one.setup is not None}

    def to_dict(self) -> dict[str, Json]:
        """Return a JSON-ready dict."""
        return {
            "seed": self.seed,
            "variants": [variant.to_dict() for variant in self.variants],
            "flips": [flip.to_dict() for flip in self.flips],
            "confounds": [confound.to_dict() for confound in self.confounds],
            "detectable": self.detectable,
            "probing": self.probing,
            "given": [one.to_dict() for one in self.given],
            "side_effects": [one.to_dict() for one in self.side_effects],
        }

    @classmethod
    def from_dict(cls, data: JsonObject) -> Diagnosis:
        """Return the record that `to_dict` described."""
        return cls(
            seed=cast("int", data["seed"]),
            variants=tuple(map(VariantDiagnosis.from_dict, _objects(data, "variants"))),
            flips=tuple(map(Flip.from_dict, _objects(data, "flips"))),
            confounds=tuple(map(Confound.from_dict, _objects(data, "confounds"))),
            detectable=cast("float | None", data["detectable"]),
            probing=bool(data.get("probing", False)),
            given=tuple(map(Given.from_dict, _objects({"given": [], **data}, "given"))),
            side_effects=tuple(
                map(
                    SideEffects.from_dict,
                    _objects({"side_effects": [], **data}, "side_effects"),
                )
            ),
        )


def _rates(data: JsonObject, name: str) -> dict[Mark, Rate]:
    rates = cast("Mapping[Mark, JsonObject]", data[name])
    return {mark: Rate.from_dict(rate) for mark, rate in rates.items()}


def _optional(
    data: JsonObject, name: str, read: Callable[[JsonObject], _Record]
) -> _Record | None:
    """Return a record that reports of earlier releases lack."""
    value = data.get(name)
    return None if value is None else read(cast("JsonObject", value))


def _spotted(data: JsonObject, name: str) -> tuple[Spotted, ...]:
    return tuple(map(Spotted.from_dict, _objects(data, name)))


def _object(data: JsonObject, name: str) -> JsonObject:
    return cast("JsonObject", data[name])


def _objects(data: JsonObject, name: str) -> Sequence[JsonObject]:
    return cast("Sequence[JsonObject]", data[name])
