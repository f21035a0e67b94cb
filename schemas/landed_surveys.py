"""The contract of ``surveys``, and its rows as they were received."""

import polars as pl

from schemas.base import Table, Timestamp, column, promise_of, table, timestamp
from schemas.provenance import Landed

_SCORED = pl.col("score").is_not_null()
SURVEY_RULES = (
    (
        "score lies outside scale_min to scale_max",
        (pl.col("score") >= pl.col("scale_min")).fill_null(True)
        & (pl.col("score") <= pl.col("scale_max")).fill_null(True),
    ),
    ("scale_min is not below scale_max", pl.col("scale_min") < pl.col("scale_max")),
    (
        "answered_ts is missing though there is a score",
        ~_SCORED | pl.col("answered_ts").is_not_null(),
    ),
    ("asked_ts is missing though there is no score", _SCORED | pl.col("asked_ts").is_not_null()),
)


@table(
    grain="one row per answer, or per survey that was asked and not answered",
    key=["response_id", "survey", "kind"],
    rules=SURVEY_RULES,
    published=False,
)
class SurveyContract(Table):
    """What a row of the source ``surveys`` brings, after its mapping."""

    response_id: pl.String = column("Identity of the response")
    survey: pl.String = column("Name of the survey")
    kind: pl.String = column("What the score measures", isin=["nps", "csat", "ces", "review"])
    score: pl.Float64 = column("Score given; null where the survey was not answered", nullable=True)
    scale_min: pl.Float64 = column("Lowest score that can be given", ge=-1e6)
    scale_max: pl.Float64 = column("Highest score that can be given", le=1e6)
    direction: pl.String = column(
        "ease: high is easy; effort: high is hard", isin=["ease", "effort"]
    )
    respondent_id: pl.String = column("Person who was asked", nullable=True)
    wave: pl.String = column(
        "Round of the survey; one answer per person counts in it", nullable=True
    )
    channel: pl.String = column("Channel in which it was asked", nullable=True)
    topic: pl.String = column("What it was about", nullable=True)
    comment: pl.String = column("Free text", nullable=True)
    asked_ts: Timestamp = timestamp("When it was asked", nullable=True)
    answered_ts: Timestamp = timestamp("When it was answered", nullable=True)


@table(
    grain="one row per accepted row of a landed file",
    key=["landing_date", "file", "line", "item"],
    slice_by="event_date",
    order=["landing_date", "event_date", "file", "line", "item"],
    rules=promise_of(SurveyContract).rules,
    published=False,
)
class LandedSurveys(Landed, SurveyContract):
    """Accepted rows of the source ``surveys``, as received."""
