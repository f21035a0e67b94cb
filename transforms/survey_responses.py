"""Answers to surveys, and surveys that were asked and not answered."""

import polars as pl

from transforms.calendar import local_day
from transforms.fates import ARRIVAL, counted, excluding_staff, latest

_COLUMNS = [
    "response_id",
    "survey",
    "kind",
    "score",
    "scale_min",
    "scale_max",
    "direction",
    "respondent_id",
    "person_id",
    "wave",
    "channel",
    "topic",
    "comment",
    "asked_ts",
    "answered_ts",
    "asked_date",
    "answered_date",
]
_IDENTITY = ["response_id", "survey", "kind"]
_ROUND = ["person_id", "survey", "kind", "wave"]


def survey_responses(
    landed_surveys: pl.LazyFrame, customers: pl.LazyFrame, staff: pl.LazyFrame, *, timezone: str
) -> pl.LazyFrame:
    """Every landed row with its fate, its person and its days; the latest of an identity counts.

    A row of staff is excluded instead.

    There is no time of update: the row that landed last is the latest. ``superseded_date`` is the
    day of the person's next answer to the same survey and kind in the same wave, so that a table
    can take an answer for superseded from that day on and not before.
    """
    rows = excluding_staff(latest(landed_surveys, _IDENTITY, None), staff, ["respondent_id"])
    ids = counted(customers).select(respondent_id="customer_id", named="user_id")
    known = rows.join(ids, on="respondent_id", how="left").with_columns(
        # Zero has two signs, which compare as equal and are stored as different bytes.
        pl.col("score", "scale_min", "scale_max") + 0.0,
        person_id=pl.coalesce("named", "respondent_id"),
        asked_date=local_day(pl.col("asked_ts"), timezone),
        answered_date=pl.when(pl.col("score").is_not_null()).then(
            local_day(pl.col("answered_ts"), timezone)
        ),
    )
    return known.join(_superseded(known), on=ARRIVAL, how="left").select(
        *ARRIVAL,
        "fate",
        *_COLUMNS,
        is_superseded=pl.col("superseded_date").is_not_null(),
        superseded_date="superseded_date",
    )


def _superseded(rows: pl.LazyFrame) -> pl.LazyFrame:
    answers = counted(rows).filter(
        pl.all_horizontal(pl.col("score", "person_id", "wave").is_not_null())
    )
    following = pl.col("answered_date").shift(-1).over(_ROUND, order_by=["answered_ts", *ARRIVAL])
    return answers.select(*ARRIVAL, superseded_date=following).drop_nulls("superseded_date")
