"""polars over all files at once, as a polars user writes it: lazy, collected when written."""

from datetime import date
from pathlib import Path

import polars as pl

from benchmarks.names import (
    DIMENSIONS,
    INACTIVE,
    MAU_DAYS,
    OUTPUTS,
    RETENTION_PERIODS,
    SESSION_DIMENSIONS,
    SESSION_GAP_MINUTES,
    SESSION_MAX_HOURS,
    WAU_DAYS,
)

_EVERY = {"day": "1d", "week": "1w", "month": "1mo"}
_SEGMENT = ["dimension", "segment"]


def stored(events: Path, out: Path, through: date) -> None:
    """The tables from stored events."""
    active = pl.scan_parquet(events / "*.parquet").filter(
        ~pl.col("event_name").is_in(list(INACTIVE)), pl.col("event_date") <= through
    )
    first_day = active.select(pl.col("event_date").min()).collect().item()
    days = pl.LazyFrame({"date": pl.date_range(first_day, through, eager=True)})
    sessions = _sessions(active)
    tables = {
        "user_days": active.group_by("event_date", user_id="person").agg(active_events=pl.len()),
        "active_users_daily": _daily(active, days),
        "cohort_retention": pl.concat(
            _retention(active, grain, last, through) for grain, last in RETENTION_PERIODS.items()
        ),
        "sessions": sessions.lazy(),
        "sessions_daily": _sessions_daily(sessions.lazy(), days),
        "feature_usage": pl.concat(_features(active, grain, days) for grain in _EVERY),
    }
    for name, table in tables.items():
        table.select(OUTPUTS[name]).sink_parquet(out / f"{name}.parquet")


def _by_dimension(rows: pl.LazyFrame, dimensions: tuple[str, ...]) -> pl.LazyFrame:
    labels = [("all", pl.lit("all"))]
    labels += [(name, pl.col(name).fill_null("unknown")) for name in dimensions]
    return pl.concat(
        rows.with_columns(dimension=pl.lit(name), segment=value) for name, value in labels
    )


def _daily(active: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    columns = active.select("event_date", "person", *DIMENSIONS)
    seen = _by_dimension(columns, DIMENSIONS).select("event_date", "person", *_SEGMENT).unique()
    first = seen.group_by("person", *_SEGMENT).agg(date=pl.col("event_date").min())
    fresh = first.group_by("date", *_SEGMENT).agg(new_users=pl.len())
    begun = first.group_by(_SEGMENT).agg(first_date=pl.col("date").min())
    table = days.join(begun, how="cross").filter(pl.col("date") >= pl.col("first_date"))
    in_order = seen.sort("event_date")
    for name, width in (("dau", 1), ("wau", WAU_DAYS), ("mau", MAU_DAYS)):
        counted = in_order.group_by_dynamic(
            "event_date",
            every="1d",
            period=f"{width}d",
            offset=f"-{width}d",
            closed="right",
            label="right",
            group_by=_SEGMENT,
        ).agg(pl.col("person").n_unique().alias(name))
        counted = counted.rename({"event_date": "date"})
        table = table.join(counted, on=["date", *_SEGMENT], how="left")
    table = table.join(fresh, on=["date", *_SEGMENT], how="left")
    return table.with_columns(pl.col("dau", "wau", "mau", "new_users").fill_null(0))


def _index(grain: str) -> pl.Expr:
    start, later = pl.col("cohort_start"), pl.col("later_start")
    if grain == "month":
        years = later.dt.year() - start.dt.year()
        return (years * 12 + later.dt.month() - start.dt.month()).cast(pl.Int64)
    return (later - start).dt.total_days() // (7 if grain == "week" else 1)


def _retention(active: pl.LazyFrame, grain: str, last: int, through: date) -> pl.LazyFrame:
    key = ["cohort_start", *_SEGMENT]
    start = pl.col("event_date").dt.truncate(_EVERY[grain])
    columns = active.select("event_ts", "event_id", "person", *DIMENSIONS, cohort_start=start)
    entry = columns.sort("event_ts", "event_id").unique("person", keep="first", maintain_order=True)
    entered = _by_dimension(entry, DIMENSIONS).select("person", *key)
    back = active.select("person", later_start=start).unique()
    returned = (
        entered.join(back, on="person")
        .with_columns(later=_index(grain))
        .filter(pl.col("later") > 0, pl.col("later") <= last)
    )
    sizes = entered.group_by(key).agg(cohort_users=pl.len())
    came = returned.group_by(*key, period_index="later").agg(came=pl.col("person").n_unique())
    final = returned.group_by(*key, "person").agg(pl.col("later").max())
    indices = pl.LazyFrame({"period_index": pl.int_range(last + 1, eager=True)})
    unit = _EVERY[grain][1:]

    def shifted(by: pl.Expr) -> pl.Expr:
        return pl.col("cohort_start").dt.offset_by(pl.format("{}" + unit, by))

    cells = sizes.join(indices, how="cross").filter(shifted(pl.col("period_index")) <= through)
    stayed = (
        cells.join(final, on=key)
        .filter(pl.col("later") >= pl.col("period_index"))
        .group_by(*key, "period_index")
        .agg(stayed=pl.len())
    )
    has_ended = shifted(pl.lit(last + 1)) <= pl.lit(through) + pl.duration(days=1)
    is_start = pl.col("period_index") == 0
    of_start = pl.when(is_start).then("cohort_users")
    return (
        cells.join(came, on=[*key, "period_index"], how="left")
        .join(stayed, on=[*key, "period_index"], how="left")
        .with_columns(
            grain=pl.lit(grain),
            active_users=of_start.otherwise(pl.col("came").fill_null(0)),
            rolling_users=pl.when(has_ended).then(
                of_start.otherwise(pl.col("stayed").fill_null(0))
            ),
        )
        .select(OUTPUTS["cohort_retention"])
    )


def _cut(rows: pl.DataFrame) -> pl.DataFrame:
    """Sessions that last too long begin anew at their first event after that, and so on."""
    longest = pl.duration(hours=SESSION_MAX_HOURS)
    rest = rows.select("event_ts", "is_start").with_row_index("row")
    starts = rows["is_start"]
    while True:
        begun = pl.when("is_start").then("event_ts").forward_fill()
        rest = rest.with_columns(is_late=pl.col("event_ts") - begun > longest)
        if not rest["is_late"].any():
            return rows.with_columns(is_start=starts)
        rest = rest.filter(pl.col("is_late").any().over(pl.col("is_start").cum_sum()))
        is_first = pl.col("is_late") & ~pl.col("is_late").shift(1, fill_value=False)
        rest = rest.with_columns(is_start=pl.col("is_start") | is_first)
        starts = starts.scatter(rest.filter("is_start")["row"], True)


def _sessions(active: pl.LazyFrame) -> pl.DataFrame:
    gap = pl.duration(minutes=SESSION_GAP_MINUTES)
    is_view = pl.col("event_name") == "page_view"
    page = pl.col("page_url").filter(is_view)
    return (
        active.sort("person", "event_ts", "event_id")
        .with_columns(is_start=(pl.col("event_ts").diff() > gap).fill_null(True).over("person"))
        .map_batches(_cut)
        .with_columns(session=pl.col("is_start").cum_sum())
        .group_by("session", "person")
        .agg(
            date=pl.col("event_date").min(),
            started_ts=pl.col("event_ts").min(),
            ended_ts=pl.col("event_ts").max(),
            events=pl.len(),
            page_views=is_view.sum(),
            entry_page=page.first(),
            exit_page=page.last(),
            platform=pl.col("platform").drop_nulls().first(),
            country=pl.col("country").drop_nulls().first(),
        )
        .rename({"person": "user_id"})
        .collect()
    )


def _sessions_daily(sessions: pl.LazyFrame, days: pl.LazyFrame) -> pl.LazyFrame:
    key = ["date", *_SEGMENT]
    labelled = _by_dimension(sessions, SESSION_DIMENSIONS)
    first = labelled.group_by("user_id", *_SEGMENT).agg(pl.col("date").min())
    fresh = first.group_by(key).agg(new_visitors=pl.len())
    begun = first.group_by(_SEGMENT).agg(first_date=pl.col("date").min())
    duration = (pl.col("ended_ts") - pl.col("started_ts")).dt.total_microseconds()
    counted = labelled.group_by(key).agg(
        sessions=pl.len(),
        visitors=pl.col("user_id").n_unique(),
        page_views=pl.col("page_views").sum(),
        bounced_sessions=(pl.col("page_views") == 1).sum(),
        median_session_seconds=duration.median() / 1_000_000,
    )
    counts = ("sessions", "visitors", "new_visitors", "page_views", "bounced_sessions")
    return (
        days.join(begun, how="cross")
        .filter(pl.col("date") >= pl.col("first_date"))
        .join(counted, on=key, how="left")
        .join(fresh, on=key, how="left")
        .with_columns(pl.col(counts).fill_null(0))
    )


def _features(active: pl.LazyFrame, grain: str, days: pl.LazyFrame) -> pl.LazyFrame:
    key = ["period_start", *_SEGMENT]
    start = pl.col("event_date").dt.truncate(_EVERY[grain])
    columns = active.select("person", "feature", *DIMENSIONS, period_start=start)
    labelled = _by_dimension(columns, DIMENSIONS)
    used = (
        labelled.filter(pl.col("feature").is_not_null())
        .group_by(*key, "feature")
        .agg(events=pl.len(), feature_users=pl.col("person").n_unique())
    )
    here = labelled.group_by(key).agg(active_users=pl.col("person").n_unique())
    periods = days.select(period_start=pl.col("date").dt.truncate(_EVERY[grain])).unique()
    begun = used.group_by("feature", *_SEGMENT).agg(first=pl.col("period_start").min())
    return (
        begun.join(periods, how="cross")
        .filter(pl.col("period_start") >= pl.col("first"))
        .join(used, on=[*key, "feature"], how="left")
        .join(here, on=key, how="left")
        .with_columns(
            pl.col("events", "feature_users", "active_users").fill_null(0), grain=pl.lit(grain)
        )
        .select(OUTPUTS["feature_usage"])
    )
