"""Reviews and comments by month, channel and topic."""

import polars as pl

from schemas.base import Table, column, count, share, table

_CHANGE = "; null where either month has none"


@table(
    grain="one row per month, channel, topic and scale",
    key=["month", "channel", "topic", "scale_min", "scale_max"],
    warnings=[
        "Means and shares do not add up: divide the sums of rating_total, negative and rated, and "
        "never over rows of two scales.",
        "An answer that its author replaces later leaves its month for superseded.",
    ],
    rules=[
        (
            "negative is above rated, or rated or comments above reviews",
            (pl.col("negative") <= pl.col("rated"))
            & (pl.max_horizontal("rated", "comments") <= pl.col("reviews")),
        ),
        (
            "mean_rating lies outside the scale",
            pl.col("mean_rating").is_null()
            | pl.col("mean_rating").is_between(
                pl.col("scale_min") - 1e-4, pl.col("scale_max") + 1e-4
            ),
        ),
    ],
)
class FeedbackMonthly(Table):
    """What people wrote and how they rated, in the month in which they answered.

    A piece of feedback is an answer to a survey of kind review, or an answer of another kind with
    a comment that is not blank. Only reviews are ratings; nothing is read out of a text. Scales
    are not mixed: a comment stands in the row of the scale that its own answer was given on, and
    where a channel and topic have one scale they have one row a month.

    An author counts once with the latest answer: in a wave by the rule of survey_scores; without a
    wave a review is replaced by the author's next review without one in the same survey, channel
    and topic. Replaced are those of which the later one was given up to data_through. Without a
    respondent each counts. Every month stands here from the first of the row's key to the running
    one.
    """

    month: pl.Date = column("First day of the month of the answers")
    channel: pl.String = column("Channel in which it was asked or given, or (none)")
    topic: pl.String = column("What it was about, or (none)")
    scale_min: pl.Float64 = column("Lowest score of the scale")
    scale_max: pl.Float64 = column("Highest score of the scale")
    reviews: pl.Int64 = count("Pieces of feedback: reviews, and comments on other surveys")
    comments: pl.Int64 = count("Those of them with a comment that is not blank")
    rated: pl.Int64 = count("Those of them that are ratings: answers of kind review")
    rating_total: pl.Float64 = column("Ratings of these, summed up to four decimals each")
    mean_rating: pl.Float64 = column(
        "Rating of the average review, on its own scale; null without any",
        unit="points",
        formula="rating_total / rated",
        nullable=True,
    )
    negative: pl.Int64 = count(
        "Ratings in the lower two of the scale, 1 and 2 of 5; the lowest alone where the scale has "
        "under four points"
    )
    negative_share: pl.Float64 = share(
        "Share of the ratings that are negative", formula="negative / rated"
    )
    mean_rating_change: pl.Float64 = column(
        f"Change of mean_rating on the month before{_CHANGE}", unit="points", nullable=True
    )
    negative_share_change: pl.Float64 = column(
        f"Change of negative_share on the month before{_CHANGE}",
        unit="fraction",
        nullable=True,
        ge=-1.0,
        le=1.0,
    )
    superseded: pl.Int64 = count("Pieces of feedback that their author replaced later")
    is_complete: pl.Boolean = column("The month's last day is not after data_through")
