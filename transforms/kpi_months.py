"""How the tables behind the scorecard come to rows by month, dimension and segment.

Every shape gives ``month``, ``dimension``, ``segment``, ``is_complete``, ``is_comparable`` and
``suffix``, which ends the metric's name, beside the columns of its table.
"""

from collections.abc import Callable, Mapping
from datetime import date

import polars as pl

from schemas.base import ALL
from transforms.calendar import DAY, MONTH, nth_period, period_end

DAILY = ("active_users_daily", "campaigns_daily", "pages_daily", "social_engagement_daily")
_WITH_DAYS = ("support_tickets", "survey_scores")
_OF_EVENTS = (
    "active_users_periodic",
    "cohort_retention",
    "conversions_periodic",
    "feature_usage",
    "sessions_periodic",
)


def of_month(name: str, tables: Mapping[str, pl.LazyFrame], data_through: date) -> pl.LazyFrame:
    """The rows of the table of that name, in the shape that all metrics are read from."""
    rows = tables[name]
    if name in DAILY:
        rows = _by_month(rows, data_through)
    shaped = _SHAPES[name](rows)
    if name != "survey_scores":
        shaped = shaped.with_columns(suffix=pl.lit(""))
    opens = pl.col("cohort_start" if name == "cohort_retention" else "month")
    is_whole = (opens >= pl.col("first_day")).fill_null(True)
    return shaped.join(_first_day(name, tables), how="cross").with_columns(
        is_comparable=pl.col("is_complete") & is_whole
    )


def _first_day(name: str, tables: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """Where the history of a table begins, one row; null for one that goes by the months' edges."""
    if name in _OF_EVENTS:
        name = "active_users_daily"
    if name in DAILY:
        return tables[name].select(first_day=pl.col("date").min())
    if name in _WITH_DAYS:
        return tables[name].filter(grain=DAY).select(first_day=pl.col("period_start").min())
    return pl.LazyFrame({"first_day": [None]}, schema={"first_day": pl.Date})


def _by_month(rows: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """A table by day is whole up to its last day, and surely up to the scorecard's own horizon."""
    month = pl.col("date").dt.month_start()
    reached = pl.max_horizontal(pl.col("date").max(), pl.lit(data_through))
    return rows.with_columns(month=month, is_complete=period_end(month, MONTH) <= reached)


def _as_it_is(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows


def _periodic(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(grain=MONTH).with_columns(month="period_start")


def _everybody(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.with_columns(dimension=pl.lit(ALL), segment=pl.lit(ALL))


def _named_by(rows: pl.LazyFrame, dimension: str) -> pl.LazyFrame:
    return rows.with_columns(dimension=pl.lit(dimension), segment=pl.col(dimension))


def _goals(rows: pl.LazyFrame) -> pl.LazyFrame:
    return _named_by(_periodic(rows).filter(dimension=ALL), "goal")


def _features(rows: pl.LazyFrame) -> pl.LazyFrame:
    return _named_by(_periodic(rows).filter(dimension=ALL), "feature")


def _campaigns(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Campaigns of which impressions are known in the month: clicks alone make no rate."""
    known = pl.col("impressions").sum().over("month", "channel", "campaign") > 0
    shown = rows.filter(known)
    by = [_named_by(shown, dimension) for dimension in ("channel", "campaign")]
    return pl.concat([_everybody(shown), *by])


def _retention(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Who was new in the month before, in the month in which they returned."""
    index = pl.col("period_index")
    return rows.filter(index == 1, definition="activity", grain=MONTH).with_columns(
        month=nth_period(pl.col("cohort_start"), index, MONTH)
    )


def _surveys(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Two scales or directions are two metrics; only NPS as it is usually asked has a bare name."""
    is_effort = pl.col("direction") == "effort"
    is_usual = (
        (pl.col("kind") == "nps")
        & ~is_effort
        & (pl.col("scale_min") == 0)
        & (pl.col("scale_max") == 10)
    )
    says_direction = (pl.col("kind") == "ces") | is_effort
    direction = pl.when(says_direction).then(pl.concat_str(pl.lit("_"), "direction"))
    suffix = pl.concat_str(
        direction.fill_null(""), pl.lit("_"), _text("scale_min"), pl.lit("_"), _text("scale_max")
    )
    return _named_by(_periodic(rows).filter(dimension=ALL), "survey").with_columns(
        suffix=pl.when(is_usual).then(pl.lit("")).otherwise(suffix)
    )


def _text(number: str) -> pl.Expr:
    whole = pl.col(number).round().cast(pl.Int64)
    is_whole = whole.cast(pl.Float64) == pl.col(number)
    return pl.when(is_whole).then(whole.cast(pl.String)).otherwise(pl.col(number).cast(pl.String))


def _tickets(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Tickets of a channel and tier together are left out: a row has one dimension."""
    any_channel, any_tier = pl.col("channel") == ALL, pl.col("tier") == ALL
    months = _periodic(rows)
    return pl.concat(
        [
            _everybody(months.filter(any_channel & any_tier)),
            _named_by(months.filter(~any_channel & any_tier), "channel"),
            _named_by(months.filter(any_channel & ~any_tier), "tier"),
        ]
    )


def _social(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Days of an account whose engagements are all of posts with known impressions."""
    known = rows.filter(
        pl.col("engagements").is_not_null(),
        pl.col("impressions").is_not_null(),
        posts_without_impressions=0,
    )
    return pl.concat([_everybody(known), _named_by(known, "platform")])


_SHAPES: dict[str, Callable[[pl.LazyFrame], pl.LazyFrame]] = {
    "active_users_daily": _as_it_is,
    "active_users_periodic": _periodic,
    "campaigns_daily": _campaigns,
    "churn_by_inactivity_monthly": _everybody,
    "churn_monthly": _as_it_is,
    "clv_monthly": _as_it_is,
    "cohort_retention": _retention,
    "conversions_periodic": _goals,
    "feature_usage": _features,
    "mrr_movements_monthly": _as_it_is,
    "pages_daily": _everybody,
    "sessions_periodic": _periodic,
    "social_engagement_daily": _social,
    "support_tickets": _tickets,
    "survey_scores": _surveys,
}
