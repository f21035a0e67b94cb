"""Which user an anonymous id stands for, on a day, from when on."""

import polars as pl

_ID_OF_DAY = ["event_date", "anonymous_id"]
_USER = ("user_id", "is_staff")


def stitches(events: pl.LazyFrame, links: pl.LazyFrame, *, stitch_days: int) -> pl.LazyFrame:
    """The user of each anonymous id's events without one, as changes over the day.

    ``links`` reach ``stitch_days + 1`` days beyond ``events`` on either side. A stitch day is 24
    hours, and a link counts at exactly ``stitch_days`` of them. A run of links that spans an event
    is at no distance from it. Sorts the events of linked anonymous ids that lack a user.
    """
    unknown = (
        events.filter(pl.col("user_id").is_null())
        .group_by(*_ID_OF_DAY, "event_ts")
        .agg(events=pl.len().cast(pl.Int64))
        .join(links, on="anonymous_id", how="semi")
        .sort("event_ts")
        # Cached, as below: the plan would make them once for each place where they are used.
        .cache()
    )
    reach = pl.duration(hours=24 * stitch_days)
    ahead = pl.col("next_first_ts") - pl.col("event_ts")
    behind = pl.col("event_ts") - pl.col("previous_last_ts")
    told = [
        pl.when(ahead <= reach)
        .then(f"next_{name}")
        .when(behind <= reach)
        .then(f"previous_{name}")
        .alias(name)
        for name in _USER
    ]
    resolved = _with_neighbours(unknown, links).select(*_ID_OF_DAY, "event_ts", "events", *told)
    return _changes(resolved)


def _with_neighbours(unknown: pl.LazyFrame, links: pl.LazyFrame) -> pl.LazyFrame:
    """The link at or after each event and the last one before it, each null where there is none."""
    id_and_end = ["anonymous_id", "last_ts"]
    # The links of two months, of which a day's unknown visitors need few.
    of_unknown = links.join(unknown.select("anonymous_id"), on="anonymous_id", how="semi")
    ordered = of_unknown.sort("last_ts", "first_ts", "user_id").cache()
    following = ordered.unique(id_and_end, keep="first", maintain_order=True).select(
        *id_and_end, next_first_ts="first_ts", **{f"next_{name}": name for name in _USER}
    )
    preceding = ordered.unique(id_and_end, keep="last", maintain_order=True).select(
        *id_and_end, previous_last_ts="last_ts", **{f"previous_{name}": name for name in _USER}
    )
    return unknown.join_asof(
        following,
        left_on="event_ts",
        right_on="last_ts",
        by="anonymous_id",
        strategy="forward",
        check_sortedness=False,
    ).join_asof(
        preceding,
        left_on="event_ts",
        right_on="last_ts",
        by="anonymous_id",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )


def _changes(resolved: pl.LazyFrame) -> pl.LazyFrame:
    """The first instant of each run of equal outcome, of ids that are linked at any instant."""
    resolved = resolved.cache()
    linked = resolved.filter(pl.col("user_id").is_not_null())
    return (
        resolved.join(linked, on=_ID_OF_DAY, how="semi")
        .sort(*_ID_OF_DAY, "event_ts")
        .with_columns(run=pl.struct(*_ID_OF_DAY, "user_id").rle_id())
        .group_by("run", *_ID_OF_DAY, "user_id")
        .agg(
            from_ts=pl.col("event_ts").min(),
            is_staff=pl.col("is_staff").any(),
            events=pl.col("events").sum(),
        )
        .sort("run")
        .with_columns(until_ts=pl.when(_is_followed()).then(pl.col("from_ts").shift(-1)))
        .select(*_ID_OF_DAY, "from_ts", "until_ts", *_USER, "events")
    )


def _is_followed() -> pl.Expr:
    """Whether the next row is of the same id and day."""
    return pl.all_horizontal(pl.col(name) == pl.col(name).shift(-1) for name in _ID_OF_DAY)
