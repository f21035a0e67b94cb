"""Spine: since when mails are delivered."""

import polars as pl


def mail_starts(mail_days: pl.LazyFrame) -> pl.LazyFrame:
    """One row per month in which a mail was delivered, with the first day on which one was."""
    day = pl.col("event_date")
    return (
        mail_days.filter(pl.col("delivered_mails") > 0)
        .group_by(month=day.dt.month_start())
        .agg(first_date=day.min())
    )
