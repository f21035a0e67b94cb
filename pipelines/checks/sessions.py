"""What must hold between sessions and pages."""

import polars as pl

from pipelines.checks.check import Check, Find, Tables, apart
from schemas.base import ALL


def _differing_sessions(tables: Tables) -> pl.LazyFrame:
    """Sessions that start on a day against those that sessions_daily counts."""
    starts = tables["sessions"].group_by("date").agg(started=pl.len().cast(pl.Int64))
    daily = tables["sessions_daily"].filter(dimension=ALL).select("date", "sessions")
    joined = daily.join(starts, on="date", how="full", coalesce=True)
    return apart(joined, "sessions", "started")


def _differing_periodic_sessions(tables: Tables) -> pl.LazyFrame:
    """Sessions of the days of a month against those of the month."""
    days = tables["sessions_daily"].group_by(
        "dimension", "segment", period_start=pl.col("date").dt.month_start()
    )
    months = tables["sessions_periodic"].filter(grain="month")
    key = ["period_start", "dimension", "segment"]
    joined = months.select(*key, "sessions").join(
        days.agg(of_days=pl.col("sessions").sum()), on=key, how="full", coalesce=True
    )
    return apart(joined, "sessions", "of_days")


def _differing_pages(*pairs: tuple[str, str]) -> Find:
    """Days on which a sum over the pages is not what sessions_daily counts.

    Sessions wait for more sources than pages do: days that only pages tell of yet are left out.
    """

    def find(tables: Tables) -> pl.LazyFrame:
        daily = tables["sessions_daily"].filter(dimension=ALL)
        until = daily.select(until=pl.col("date").max())
        sums = [pl.col(name).sum().alias(f"{name}_of_pages") for name, _ in pairs]
        pages = tables["pages_daily"].group_by("date").agg(sums)
        known = pages.join(until, how="cross").filter(pl.col("date") <= pl.col("until"))
        counts = daily.select("date", *dict.fromkeys(count for _, count in pairs))
        joined = counts.join(known.drop("until"), on="date", how="full", coalesce=True)
        differing = [
            pl.col(f"{name}_of_pages").fill_null(0) != pl.col(count).fill_null(0)
            for name, count in pairs
        ]
        return joined.filter(pl.any_horizontal(differing))

    return find


SESSIONS_CHECKS = (
    Check(
        "sessions_are_counted_once",
        "sessions_daily",
        ("sessions",),
        "The sessions of a day are those that start on it.",
        _differing_sessions,
    ),
    Check(
        "sessions_of_days_are_those_of_the_month",
        "sessions_periodic",
        ("sessions_daily",),
        "The sessions of a month are those of its days.",
        _differing_periodic_sessions,
    ),
    Check(
        "sessions_with_a_view_enter_and_exit_once",
        "pages_daily",
        ("sessions_daily",),
        "The entries of a day, and its exits, are its sessions with a page view.",
        _differing_pages(("entries", "page_view_sessions"), ("exits", "page_view_sessions")),
    ),
    Check(
        "page_views_are_those_of_sessions",
        "pages_daily",
        ("sessions_daily",),
        "The page views of a day's pages are those of its sessions.",
        _differing_pages(("page_views", "page_views")),
    ),
)
