"""Reviews and comments by month, channel and topic."""

from datetime import date

import polars as pl

from schemas.base import dtypes
from schemas.feedback_monthly import FeedbackMonthly
from transforms.calendar import MONTH, every_period, period_end
from transforms.division import ratio
from transforms.fates import ARRIVAL, counted

_CELL = ["channel", "topic", "scale_min", "scale_max"]
_KEY = ["month", *_CELL]
_AUTHOR = ["person_id", "survey", "channel", "topic"]
_COUNTS = ["reviews", "comments", "rated", "negative", "superseded"]
# Ratings are added as whole ten-thousandths.
_PARTS = 10_000
_IS_REVIEW = pl.col("kind") == "review"


def feedback_monthly(survey_responses: pl.LazyFrame, *, data_through: date) -> pl.LazyFrame:
    """Every month of each channel, topic and scale, from its first feedback to the running one."""
    cells = _feedback(survey_responses, data_through).group_by(_KEY).agg(_sums())
    firsts = cells.group_by(_CELL).agg(first_date=pl.col("month").min())
    months = (
        every_period(firsts, MONTH, week_start="monday", data_through=data_through)
        .rename({"period_start": "month"})
        .join(cells, on=_KEY, how="left")
        .with_columns(pl.col(*_COUNTS, "parts").fill_null(0))
        .with_columns(
            rating_total=ratio(pl.col("parts"), pl.lit(_PARTS)),
            mean_rating=ratio(pl.col("parts"), pl.col("rated") * _PARTS),
            negative_share=ratio("negative", "rated"),
            is_complete=period_end(pl.col("month"), MONTH) <= data_through,
        )
    )
    return _with_changes(months).select(*dtypes(FeedbackMonthly))


def _feedback(survey_responses: pl.LazyFrame, data_through: date) -> pl.LazyFrame:
    """Answers that are reviews or bring a comment, each with the day on which it was replaced."""
    has_comment = (pl.col("comment").str.strip_chars() != "").fill_null(False)
    answers = (
        counted(survey_responses)
        .filter(pl.col("answered_date") <= data_through, _IS_REVIEW | has_comment)
        .with_columns(
            pl.col("channel", "topic").fill_null("(none)"),
            month=pl.col("answered_date").dt.month_start(),
            has_comment=has_comment,
        )
    )
    replaced = pl.coalesce("superseded_date", "replaced_date") <= data_through
    return answers.join(_replaced(answers), on=ARRIVAL, how="left").with_columns(
        holds=~replaced.fill_null(False)
    )


def _replaced(answers: pl.LazyFrame) -> pl.LazyFrame:
    """Reviews without a wave that their author wrote anew, with the day of the next one."""
    alone = answers.filter(_IS_REVIEW, pl.col("wave").is_null(), pl.col("person_id").is_not_null())
    following = pl.col("answered_date").shift(-1).over(_AUTHOR, order_by=["answered_ts", *ARRIVAL])
    return alone.select(*ARRIVAL, replaced_date=following).drop_nulls("replaced_date")


def _sums() -> list[pl.Expr]:
    holds, score, low = pl.col("holds"), pl.col("score"), pl.col("scale_min")
    is_rated = holds & _IS_REVIEW
    worst = pl.when(pl.col("scale_max") - low < 3).then(low).otherwise(low + 1)
    parts = (score * _PARTS).round().cast(pl.Int128)
    conditions = (
        holds,
        holds & pl.col("has_comment"),
        is_rated,
        is_rated & (score <= worst),
        ~holds,
    )
    counts = [
        condition.sum().cast(pl.Int64).alias(name)
        for name, condition in zip(_COUNTS, conditions, strict=True)
    ]
    return [*counts, pl.when(is_rated).then(parts).otherwise(0).sum().alias("parts")]


def _with_changes(months: pl.LazyFrame) -> pl.LazyFrame:
    names = ("mean_rating", "negative_share")
    before = months.select(
        pl.col("month").dt.offset_by("1mo"),
        *_CELL,
        *(pl.col(name).alias(f"{name}_before") for name in names),
    )
    return months.join(before, on=_KEY, how="left").with_columns(
        (pl.col(name) - pl.col(f"{name}_before")).alias(f"{name}_change") for name in names
    )
