"""Fact: every accepted row of subscriptions, with what became of it and when its MRR counts."""

from datetime import UTC, datetime

import polars as pl

from schemas.base import dtypes
from schemas.subscriptions import Subscriptions
from transforms.calendar import local_day
from transforms.fates import (
    ARRIVAL,
    AWAITING_RATE,
    COUNTS,
    DUPLICATE,
    EXCLUDED,
    excluding_staff,
)
from transforms.money import divided, from_units, units, with_rate

_PERIOD = ["subscription_id", "started_ts"]
_STATE = [
    "customer_id",
    "plan",
    "amount",
    "currency",
    "interval",
    "interval_count",
    "quantity",
    "status",
    "ended_ts",
    "trial_end_ts",
    "cancel_at_ts",
]
_NEVER = datetime(9999, 12, 1, tzinfo=UTC)
# Months in one interval, as a fraction: METRICS.md counts 52 weeks and 365 days to a year.
_PER_MONTH = {"year": (1, 12), "month": (1, 1), "week": (52, 12), "day": (365, 12)}


def subscriptions(
    landed_subscriptions: pl.LazyFrame,
    exchange_rates: pl.LazyFrame,
    staff: pl.LazyFrame,
    *,
    currency: str,
    timezone: str,
    ecb_rates: pl.DataFrame,
) -> pl.LazyFrame:
    """Each landed row, the days on which its version bears MRR, and how much.

    Rows of one subscription and start are *versions* of it, in the order of ``version_ts``
    (``updated_ts``, else noon of the landing date). Of one version the row that landed last
    counts; a version that says what the one before said is a duplicate of it, so that a full
    export of every day comes to the same as a file of changes.

    By version, from its time on (the first: from ``started_ts``): customer, plan, price, quantity,
    status, trial_end_ts. Of the last version, for all time: ``ended_ts`` and ``cancel_at_ts``; an
    end that a later version takes back never was. The period ends at the earliest of the two and
    of the subscription's next start, or, where the last version is canceled and has neither, at
    its ``version_ts``. ``paused`` bears nothing from its ``version_ts``, a ``canceled`` version
    nothing from its own end or else its ``version_ts``, ``trialing`` nothing before
    ``trial_end_ts`` (nothing at all without one), nor does any other status. A day counts when its
    last instant in the reporting time zone lies in the stretch.

    MRR is in the reporting currency at the rate of the start day. A version without a rate awaits
    it, and bears nothing meanwhile; the version before it ends all the same. So it is with a
    version of staff, which is excluded.
    """
    versions, restated = _versions(landed_subscriptions, timezone)
    stretches = _stretches(versions, timezone)
    priced = _priced(stretches, exchange_rates, currency, ecb_rates)
    missing = {
        name: pl.lit(None, dtype)
        for name, dtype in dtypes(Subscriptions).items()
        if name in ("mrr_amount", "mrr_from_date", "mrr_until_date")
    }
    duplicates = restated.with_columns(fate=pl.lit(DUPLICATE), **missing)
    columns = list(dtypes(Subscriptions))
    told = pl.concat([priced.select(columns), duplicates.select(columns)])
    bears = pl.when(pl.col("fate") != EXCLUDED).then(pl.col(list(missing)))
    return excluding_staff(told, staff, ["customer_id"]).with_columns(bears).select(columns)


def _versions(rows: pl.LazyFrame, timezone: str) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """The versions, in the order of _PERIOD and version_ts, and the rows that add nothing to them.

    One sort serves everything that follows: no row looks further than to its neighbours.
    """
    known = pl.coalesce("updated_ts", _noon(pl.col("landing_date"), timezone))
    version = [*_PERIOD, "version_ts"]
    ordered = (
        rows.with_columns(version_ts=known)
        .sort(*version, *ARRIVAL)
        .with_columns(is_replaced=_same(version, -1))
        .cache()
    )
    last = (
        ordered.filter(~pl.col("is_replaced"))
        .with_columns(is_echo=_same([*_PERIOD, *_STATE], 1))
        .cache()
    )
    restated = [ordered.filter("is_replaced"), last.filter("is_echo").drop("is_echo")]
    return last.filter(~pl.col("is_echo")), pl.concat(restated)


def _same(names: list[str], step: int) -> pl.Expr:
    """Whether a neighbour is equal: the row before (1), the row after (-1)."""
    columns = [pl.col(name) for name in names]
    return pl.all_horizontal(column.eq_missing(column.shift(step)) for column in columns)


def _priced(
    rows: pl.LazyFrame, exchange_rates: pl.LazyFrame, currency: str, ecb_rates: pl.DataFrame
) -> pl.LazyFrame:
    """``mrr_amount``, rounded once, and ``fate``: without a rate a version awaits it."""
    times, parts = (
        pl.col("interval").replace_strict(
            {name: factor[place] for name, factor in _PER_MONTH.items()}, return_dtype=pl.Int64
        )
        for place in (0, 1)
    )
    numerator = units(pl.col("amount")) * pl.col("quantity") * times * pl.col("rate_base")
    denominator = pl.col("rate_units") * parts * pl.col("interval_count")
    mrr = from_units(divided(numerator, denominator))
    is_rated = mrr.is_not_null()
    days = [pl.col(name) for name in ("mrr_from_date", "mrr_until_date")]
    return with_rate(rows, exchange_rates, ecb_rates, currency=currency).with_columns(
        *(pl.when(is_rated).then(day).alias(day.meta.output_name()) for day in days),
        mrr_amount=mrr,
        fate=pl.when(is_rated).then(pl.lit(COUNTS)).otherwise(pl.lit(AWAITING_RATE)),
    )


def _stretches(versions: pl.LazyFrame, timezone: str) -> pl.LazyFrame:
    """The versions, in their order, with the days on which each bears MRR, null where on none."""
    own_end = pl.min_horizontal("ended_ts", "cancel_at_ts")
    is_canceled = pl.col("status") == "canceled"
    canceled_at = pl.when(is_canceled).then(pl.coalesce(own_end, "version_ts"))
    paused_at = pl.when(pl.col("status") == "paused").then("version_ts")
    is_last = ~_same(_PERIOD, -1)
    holds_from = pl.max_horizontal("version_ts", "started_ts")
    begins = pl.when(_same(_PERIOD, 1)).then(holds_from).otherwise("started_ts")
    next_start = pl.when(_same(["subscription_id"], -1)).then(pl.col("started_ts").shift(-1))
    last_end = pl.when(is_canceled).then(canceled_at).otherwise(own_end)
    period_end = pl.coalesce(pl.min_horizontal(last_end, next_start), pl.lit(_NEVER))
    endless_trial = (pl.col("status") == "trialing") & pl.col("trial_end_ts").is_null()
    first, until = pl.col("mrr_from_date"), pl.col("mrr_until_date")
    bears = (first < until) & ~endless_trial
    return (
        versions.with_columns(
            begins=begins,
            replaced_at=pl.when(~is_last).then(holds_from.shift(-1)),
            # Known of a period's last version, it holds for all of them.
            period_end_ts=pl.when(is_last).then(period_end).backward_fill(),
        )
        .with_columns(
            mrr_from_date=local_day(pl.max_horizontal("begins", "trial_end_ts"), timezone),
            mrr_until_date=local_day(
                pl.min_horizontal("replaced_at", "period_end_ts", paused_at, canceled_at), timezone
            ),
        )
        .with_columns(
            mrr_from_date=pl.when(bears).then(first),
            mrr_until_date=pl.when(bears & (until.dt.year() < _NEVER.year)).then(until),
        )
    )


def _noon(day: pl.Expr, timezone: str) -> pl.Expr:
    """Noon of the reporting time zone; of a day that the zone left out, noon of UTC."""
    noon = day.cast(pl.Datetime("us")) + pl.duration(hours=12)
    there = noon.dt.replace_time_zone(timezone, ambiguous="earliest", non_existent="null")
    return pl.coalesce(there.dt.convert_time_zone("UTC"), noon.dt.replace_time_zone("UTC"))
