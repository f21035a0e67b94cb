"""Alerts: numbers of a day that their own history did not let expect."""

import math

import polars as pl

from schemas.base import dtypes
from schemas.metric_alerts import MetricAlerts
from transforms.alert_metrics import landed_by_day, watched_values

WEEKS, LEVEL_DAYS, SPREAD_DAYS = 8, 7, 56
_LEAST_WEEKS, _LEAST_LEVEL_DAYS, _LEAST_SPREAD_DAYS = 4, 4, 28
# The standard deviation of what is normal, by the median distance from its middle.
_NORMAL = 1.4826
# Beside it lies rounding alone: a bound must not depend on how a root was taken.
_DECIMALS = 6
_SERIES = ["table", "metric", "series"]


def metric_alerts(
    active_users_daily: pl.LazyFrame,
    sessions_daily: pl.LazyFrame,
    conversions_daily: pl.LazyFrame,
    support_tickets: pl.LazyFrame,
    ingest_ledger: pl.LazyFrame,
    *,
    landing_lag_days: int,
    alert_deviations: float,
    alert_min_change: float,
) -> pl.LazyFrame:
    """One row per watched number of a complete day that lies outside of what was expected of it."""
    judged = judged_values(
        active_users_daily=active_users_daily,
        sessions_daily=sessions_daily,
        conversions_daily=conversions_daily,
        support_tickets=support_tickets,
        ingest_ledger=landed_by_day(ingest_ledger, landing_lag_days),
    )
    bounded = _bounded(judged, alert_deviations, alert_min_change)
    value, low, high = pl.col("value"), pl.col("expected_low"), pl.col("expected_high")
    alerts = bounded.filter((value > high) | (value < low)).with_columns(
        outside=pl.when(value > high).then(value - high).otherwise(value - low),
        deviations=(pl.col("scaled") - pl.col("centre")) / pl.col("spread"),
        direction=pl.when(value > high).then(pl.lit("high")).otherwise(pl.lit("low")),
        is_complete=pl.lit(True),
    )
    return _since(alerts).select(*dtypes(MetricAlerts))


def judged_values(**tables: pl.LazyFrame) -> pl.LazyFrame:
    """Every watched number with enough history: ``scaled``, its ``centre`` and its ``spread``."""
    values = watched_values(tables).with_columns(scaled=_scaled(), chance=_chance())
    weekday = pl.col("date").dt.weekday()
    usual = values.with_columns(
        usual=_median("scaled", 7 * WEEKS, _LEAST_WEEKS).over(*_SERIES, weekday)
    ).filter(pl.col("usual").is_not_null())
    levelled = usual.with_columns(beside=pl.col("scaled") - pl.col("usual")).with_columns(
        level=_median("beside", LEVEL_DAYS, _LEAST_LEVEL_DAYS).over(_SERIES)
    )
    known = levelled.filter(pl.col("level").is_not_null()).with_columns(
        centre=pl.col("usual") + pl.col("level")
    )
    errors = known.with_columns(error=(pl.col("scaled") - pl.col("centre")).abs())
    spread = errors.with_columns(
        median_error=_median("error", SPREAD_DAYS, _LEAST_SPREAD_DAYS).over(_SERIES),
        history_days=_days_before(SPREAD_DAYS).over(_SERIES),
    ).filter(pl.col("median_error").is_not_null())
    return spread.with_columns(spread=pl.max_horizontal(_NORMAL * pl.col("median_error"), "chance"))


def _bounded(judged: pl.LazyFrame, deviations: float, min_change: float) -> pl.LazyFrame:
    centre, reach = pl.col("centre"), deviations * pl.col("spread")
    expected = pl.col("expected_value")
    most = pl.when(_IS_COUNT).then(pl.lit(math.inf)).otherwise(1.0)
    return judged.with_columns(expected_value=_plain(centre).round(_DECIMALS)).with_columns(
        expected_low=pl.min_horizontal(_plain(centre - reach), expected * (1 - min_change))
        .clip(0)
        .round(_DECIMALS),
        expected_high=pl.min_horizontal(
            pl.max_horizontal(_plain(centre + reach), expected * (1 + min_change)), most
        ).round(_DECIMALS),
    )


_IS_COUNT = pl.col("denominator").is_null()


def _scaled() -> pl.Expr:
    """The number on the scale on which chance has one spread."""
    value = pl.col("value")
    count = 2 * (value + 0.375).sqrt()
    return pl.when(_IS_COUNT).then(count).otherwise(2 * value.sqrt().arcsin())


def _chance() -> pl.Expr:
    """The spread that chance alone gives on that scale."""
    return pl.when(_IS_COUNT).then(1.0).otherwise(1 / pl.col("denominator").sqrt())


def _plain(scaled: pl.Expr) -> pl.Expr:
    """The number that has this place on the scale, as near as there is one."""
    half = scaled.clip(0) / 2
    count = (half.pow(2) - 0.375).clip(0)
    return pl.when(_IS_COUNT).then(count).otherwise(half.clip(0, math.pi / 2).sin().pow(2))


def _median(name: str, days: int, least: int) -> pl.Expr:
    """The median of the days before a row's own; null where fewer than the least are known."""
    return pl.col(name).rolling_median_by(
        "date", window_size=f"{days}d", closed="left", min_samples=least
    )


def _days_before(days: int) -> pl.Expr:
    known = pl.col("scaled").is_not_null().cast(pl.Int64)
    return known.rolling_sum_by("date", window_size=f"{days}d", closed="left", min_samples=0)


def _since(alerts: pl.LazyFrame) -> pl.LazyFrame:
    """Beside each alert the first of the unbroken days in the same direction."""
    same = [*_SERIES, "direction"]
    ordered = alerts.sort(*same, "date")
    place = pl.int_range(pl.len(), dtype=pl.Int64).over(same)
    run = pl.col("date").cast(pl.Int32).cast(pl.Int64) - place
    return ordered.with_columns(run=run).with_columns(
        first_date=pl.col("date").min().over(*same, "run")
    )
