"""Answers to surveys, and surveys that were asked and not answered."""

import polars as pl

from schemas.base import Timestamp, column, table, timestamp
from schemas.provenance import Fate


@table(
    grain="one row per accepted row of the source surveys",
    key=["landing_date", "file", "line", "item"],
    rules=[
        (
            "a row that does not count, has no wave or no person cannot be superseded",
            pl.col("superseded_date").is_null()
            | (
                (pl.col("fate") == "counts")
                & pl.col("wave").is_not_null()
                & pl.col("person_id").is_not_null()
                & pl.col("answered_date").is_not_null()
            ),
        ),
    ],
    published=False,
)
class SurveyResponses(Fate):
    """Every row of the source with what became of it; the latest of an identity counts.

    An identity is a response, a survey and a kind. A person who answers the same survey (and kind)
    again in the same wave has given the earlier answers for nothing: they are superseded from the
    day of the next one on. Without a person or a wave an answer is its own.
    """

    response_id: pl.String = column("Identity of the response")
    survey: pl.String = column("Name of the survey")
    kind: pl.String = column("What the score measures", isin=["nps", "csat", "ces", "review"])
    score: pl.Float64 = column(
        "Score given; null where the survey was dismissed or not answered", nullable=True
    )
    scale_min: pl.Float64 = column("Lowest score that can be given")
    scale_max: pl.Float64 = column("Highest score that can be given")
    direction: pl.String = column(
        "ease: high is easy; effort: high is hard", isin=["ease", "effort"]
    )
    respondent_id: pl.String = column(
        "Person who was asked, as the source names them", nullable=True
    )
    person_id: pl.String = column(
        "The same person as in events: by customers where their ids differ", nullable=True
    )
    wave: pl.String = column("Round of the survey", nullable=True)
    channel: pl.String = column("Channel in which it was asked", nullable=True)
    topic: pl.String = column("What it was about", nullable=True)
    comment: pl.String = column("Free text", nullable=True)
    asked_ts: Timestamp = timestamp("When it was asked", nullable=True)
    answered_ts: Timestamp = timestamp("When it was answered, as the source says", nullable=True)
    asked_date: pl.Date = column("Day of asked_ts, in the reporting time zone", nullable=True)
    answered_date: pl.Date = column(
        "Day of answered_ts, in the reporting time zone; null where there is no score",
        nullable=True,
    )
    is_superseded: pl.Boolean = column("The person answered again in the same wave")
    superseded_date: pl.Date = column(
        "Day of the next answer of the same person in the same wave; null where there is none",
        nullable=True,
    )
