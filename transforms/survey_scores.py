"""Scores of surveys by period: NPS, CSAT and CES, each on its own scale."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from schemas.base import ALL, UNKNOWN
from transforms.calendar import DAY, MONTH, QUARTER, WEEK, every_period, period_end, period_start
from transforms.division import ratio
from transforms.fates import counted
from transforms.intervals import Interval, bounded_mean, share_difference, wilson
from transforms.plans import plans_on
from transforms.recurring import NO_PLAN

_GRAINS = (DAY, WEEK, MONTH, QUARTER)
_SURVEY = ["survey", "kind", "scale_min", "scale_max", "direction"]
_SEGMENT = ["dimension", "segment"]
_OF_NPS = ["promoters", "passives", "detractors"]
_OF_CSAT = ["satisfied"]
_COUNTS = ["responses", *_OF_NPS, *_OF_CSAT, "asked", "asked_answered", "superseded"]
_SCORE = ["score", "standard_error", "ci_low", "ci_high"]
_COLUMNS = [
    *_SURVEY,
    "grain",
    "period_start",
    *_SEGMENT,
    "responses",
    *_OF_NPS,
    *_OF_CSAT,
    *_SCORE,
    "asked",
    "asked_answered",
    "response_rate",
    "superseded",
    "is_complete",
]
# Scores are added as whole ten-thousandths, above the lower end of the scale.
_SUMS = ["above", "squares"]
_PARTS = 10_000
_CUSTOMER_DIMENSIONS = ("country", "segment", "plan")
_DIMENSIONS = frozenset({"channel", *_CUSTOMER_DIMENSIONS})
_N = pl.col("responses")
_IS_CSAT = pl.col("kind") == "csat"
# Promoters are answers on a scale that ends at ten; on another there is no NPS.
_IS_NPS = (pl.col("kind") == "nps") & (pl.col("scale_max") == 10)
# Squares of larger scores could not be added exactly.
_IS_MEAN = (pl.col("kind") == "ces") & (
    pl.max_horizontal(pl.col("scale_min").abs(), pl.col("scale_max").abs()) <= 1e6
)


def survey_scores(
    survey_responses: pl.LazyFrame,
    customers: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    *,
    dimensions: Sequence[str],
    week_start: str,
    data_through: date,
) -> pl.LazyFrame:
    """Every period of each survey and segment, from the one of its first day to the running one.

    Shares are of answers, means of answers' exact decimal sum. The intervals are Wilson's for
    CSAT, the square-and-add of Wilson's limits for NPS and Agresti-Coull's for the mean, see
    :mod:`transforms.intervals`; the standard error is the plain one of the sample.
    """
    rows = counted(survey_responses).filter(pl.col("kind") != "review")
    days = pl.concat([_answers(rows, data_through), _invitations(rows, data_through)])
    spread = _by_segment(days, customers, plan_months, dimensions)
    key = [*_SURVEY, *_SEGMENT]
    daily = spread.group_by("day", *key).agg(pl.col(*_COUNTS, *_SUMS).sum())
    firsts = daily.group_by(key).agg(first_date=pl.col("day").min())
    parts = [_of_grain(daily, firsts, grain, week_start, data_through) for grain in _GRAINS]
    return _scored(pl.concat(parts)).select(_COLUMNS)


def _answers(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """One row per answer: what it adds to the period in which it was given."""
    counts = _is_replaced(data_through).not_()
    score, top = pl.col("score"), pl.col("scale_max")
    is_nps = counts & _IS_NPS
    best = pl.when(top - pl.col("scale_min") < 3).then(top).otherwise(top - 1)
    above = ((score - pl.col("scale_min")) * _PARTS).round().cast(pl.Int128, strict=False)
    exact = pl.when(counts & _IS_MEAN).then(above).otherwise(0)
    answers = rows.filter(pl.col("answered_date") <= data_through)
    return answers.select(
        *_added_to("answered_date"),
        responses=_one_if(counts),
        promoters=_one_if(is_nps & (score >= 9)),
        passives=_one_if(is_nps & (score >= 7) & (score < 9)),
        detractors=_one_if(is_nps & (score < 7)),
        satisfied=_one_if(counts & _IS_CSAT & (score >= best)),
        asked=_one_if(pl.lit(False)),
        asked_answered=_one_if(pl.lit(False)),
        superseded=_one_if(~counts),
        above=exact,
        squares=exact * exact,
    )


def _invitations(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """One row per survey that was sent: what it adds to the period in which it was."""
    none = {name: _one_if(pl.lit(False)) for name in _COUNTS}
    sums = {name: pl.lit(0, pl.Int128) for name in _SUMS}
    asked = rows.filter((pl.col("asked_date") <= data_through) & ~_is_replaced(data_through))
    is_answered = (pl.col("answered_date") <= data_through).fill_null(False)
    said = {"asked": _one_if(pl.lit(True)), "asked_answered": _one_if(is_answered)}
    return asked.select(*_added_to("asked_date"), **{**none, **said, **sums})


def _added_to(day: str) -> list[pl.Expr]:
    return [pl.col(day).alias("day"), *map(pl.col, _SURVEY), pl.col("channel", "person_id")]


def _is_replaced(data_through: date) -> pl.Expr:
    return (pl.col("superseded_date") <= data_through).fill_null(False)


def _one_if(condition: pl.Expr) -> pl.Expr:
    return condition.cast(pl.Int64)


def _by_segment(
    days: pl.LazyFrame,
    customers: pl.LazyFrame,
    plan_months: pl.LazyFrame,
    dimensions: Sequence[str],
) -> pl.LazyFrame:
    """Every row once for everybody, and once per dimension that surveys or customers have."""
    names = [name for name in dict.fromkeys(dimensions) if name in _DIMENSIONS]
    if set(names) & set(_CUSTOMER_DIMENSIONS):
        days = days.join(_people(customers), on="person_id", how="left")
        asked = days.select("day", user_id="person_id")
        borne = plans_on(asked, plan_months).rename({"user_id": "person_id", "plan": "borne"})
        days = days.join(borne, on=["person_id", "day"], how="left").with_columns(
            plan=pl.coalesce("borne", "plan", pl.lit(NO_PLAN))
        )
    parts = [(pl.lit(ALL), pl.lit(ALL))]
    parts += [(pl.lit(name), pl.col(name).fill_null(UNKNOWN)) for name in names]
    measures = ["day", *_SURVEY, *_COUNTS, *_SUMS]
    return pl.concat(
        [days.select(*measures, dimension=name, segment=value) for name, value in parts]
    )


def _people(customers: pl.LazyFrame) -> pl.LazyFrame:
    """Each person's dimensions; of several customers of one person, those of the first id."""
    first = pl.col(_CUSTOMER_DIMENSIONS).sort_by("customer_id").first()
    return counted(customers).group_by(person_id="user_id").agg(first)


def _of_grain(
    daily: pl.LazyFrame, firsts: pl.LazyFrame, grain: str, week_start: str, data_through: date
) -> pl.LazyFrame:
    key = [*_SURVEY, *_SEGMENT, "period_start"]
    start = period_start(pl.col("day"), grain, week_start).alias("period_start")
    sums = daily.with_columns(start).group_by(key).agg(pl.col(*_COUNTS, *_SUMS).sum())
    periods = every_period(firsts, grain, week_start=week_start, data_through=data_through)
    return periods.join(sums, on=key, how="left").with_columns(
        pl.col(*_COUNTS, *_SUMS).fill_null(0),
        grain=pl.lit(grain),
        is_complete=period_end(pl.col("period_start"), grain) <= data_through,
    )


def _scored(rows: pl.LazyFrame) -> pl.LazyFrame:
    """The score of each row by its kind, its standard error and interval."""
    kinds = [(_IS_NPS, _nps()), (_IS_CSAT, _csat()), (_IS_MEAN, _mean())]
    made = [
        pl.coalesce(pl.when(holds).then(values[place]) for holds, values in kinds).alias(name)
        for place, name in enumerate(_SCORE)
    ]
    return rows.with_columns(
        *made,
        ratio("asked_answered", "asked").alias("response_rate"),
        pl.when(_IS_NPS).then(pl.col(_OF_NPS)).name.keep(),
        pl.when(_IS_CSAT).then(pl.col(_OF_CSAT)).name.keep(),
    )


def _nps() -> tuple[pl.Expr, ...]:
    up, down = pl.col("promoters"), pl.col("detractors")
    variance = ratio(_N * (up + down) - (up - down) ** 2, _N * _N)
    limits = share_difference(up, down, _N)
    return _of_hundred(ratio(100 * (up - down), _N), variance, limits)


def _csat() -> tuple[pl.Expr, ...]:
    some = pl.col("satisfied")
    variance = ratio(some * (_N - some), _N * _N)
    return _of_hundred(ratio(100 * some, _N), variance, wilson(some, _N))


def _of_hundred(score: pl.Expr, variance: pl.Expr, limits: Interval) -> tuple[pl.Expr, ...]:
    return score, 100 * ratio(variance, _N).sqrt(), 100 * limits[0], 100 * limits[1]


def _mean() -> tuple[pl.Expr, ...]:
    count, total, squares = _N.cast(pl.Int128), pl.col("above"), pl.col("squares")
    base = pl.col("scale_min")
    whole = total + (base * _PARTS).round().cast(pl.Int128, strict=False) * count
    variance = ratio(count * squares - total * total, count * (count - 1))
    top = (pl.col("scale_max") - base) * _PARTS
    low, high = bounded_mean(total.cast(pl.Float64), squares.cast(pl.Float64), _N, top)
    return (
        ratio(whole, count * _PARTS),
        ratio(ratio(variance, _N).sqrt(), pl.lit(_PARTS)),
        base + ratio(low, pl.lit(_PARTS)),
        base + ratio(high, pl.lit(_PARTS)),
    )
