"""Scores of surveys by period: NPS, CSAT and CES, each on its own scale."""

import polars as pl

from schemas.base import Table, column, count, share, table

_MOVING = "Moving: answers that come later still change it; no restatement."


def _of(kind: str) -> str:
    return f"null for other kinds than {kind}"


@table(
    grain="one row per survey, kind, scale, direction, period, dimension and segment",
    key=[
        "survey",
        "kind",
        "scale_min",
        "scale_max",
        "direction",
        "grain",
        "period_start",
        "dimension",
        "segment",
    ],
    warnings=[
        "Never mix two scales or two directions: each row is of one.",
        "Scores do not add up and have no mean: take the counts beside them.",
    ],
    rules=[
        (
            "responses is not promoters + passives + detractors",
            pl.col("promoters").is_null()
            | (pl.col("responses") == pl.sum_horizontal("promoters", "passives", "detractors")),
        ),
        (
            "satisfied exceeds responses, or asked_answered exceeds asked",
            (pl.col("satisfied").fill_null(0) <= pl.col("responses"))
            & (pl.col("asked_answered") <= pl.col("asked")),
        ),
        (
            "score lies outside ci_low to ci_high",
            pl.col("score").is_null()
            | (
                (pl.col("score") >= pl.col("ci_low") - 1e-9)
                & (pl.col("score") <= pl.col("ci_high") + 1e-9)
            ),
        ),
    ],
)
class SurveyScores(Table):
    """Every period of each survey, from the one in which it was first asked or answered.

    A segment begins with its own first day. Answers are counted in the period in which they were
    given, invitations in the one in which they were sent. Kinds are nps, csat and ces; reviews are
    counted with the feedback. The segment is the channel of the survey, or what the customer is
    now: country, segment, plan; unknown where that is not known.

    Of a person's answers to one survey in one wave the latest counts; the others are only in
    ``superseded``, and not in ``asked`` either.
    """

    survey: pl.String = column("Survey that was answered, by the name it came with")
    kind: pl.String = column("What the score measures", isin=["nps", "csat", "ces"])
    scale_min: pl.Float64 = column("Lowest score that can be given")
    scale_max: pl.Float64 = column("Highest score that can be given")
    direction: pl.String = column(
        "ease: high is easy; effort: high is hard", isin=["ease", "effort"]
    )
    grain: pl.String = column("Length of the period", isin=["day", "week", "month", "quarter"])
    period_start: pl.Date = column("First day of the period")
    dimension: pl.String = column("What segment is a value of, by the setting dimensions, or all")
    segment: pl.String = column("Value of the dimension, or all")
    responses: pl.Int64 = count("Answers given in the period, one per person and wave")
    promoters: pl.Int64 = count(
        f"Answers of 9 or more; {_of('nps')}, and where the scale does not end at 10",
        nullable=True,
    )
    passives: pl.Int64 = count("Answers of 7 to below 9; null as promoters", nullable=True)
    detractors: pl.Int64 = count("Answers below 7; null as promoters", nullable=True)
    satisfied: pl.Int64 = count(
        "Answers among the top two points of the scale, or at the top one where it has under four "
        f"points; {_of('csat')}",
        nullable=True,
    )
    score: pl.Float64 = column(
        "NPS from -100 to 100, CSAT from 0 to 100, CES as the mean on its own scale; null without "
        "answers, and of NPS where the scale does not end at 10",
        unit="points",
        formula="nps: 100 (promoters - detractors) / responses; csat: 100 satisfied / responses; "
        "ces: mean score",
        nullable=True,
    )
    standard_error: pl.Float64 = column(
        "Standard error of the score, as the sample has it: 0 where all answers are alike; of a "
        "mean, null below two answers. Tell scores apart by the interval",
        unit="points",
        formula="nps: 100 sqrt((p + d - (p - d)^2) / n) with shares p, d; csat: "
        "100 sqrt(s (1 - s) / n); ces: sample standard deviation / sqrt(n)",
        nullable=True,
        ge=0.0,
    )
    ci_low: pl.Float64 = column(
        "Lower end of the score's 95 % interval; null without answers",
        unit="points",
        formula="csat: Wilson; nps: Newcombe's square-and-add of Wilson limits, correlated; ces: "
        "Agresti-Coull, carried to the scale",
        nullable=True,
    )
    ci_high: pl.Float64 = column(
        "Upper end of the score's 95 % interval; null without answers",
        unit="points",
        formula="as ci_low",
        nullable=True,
    )
    asked: pl.Int64 = count(
        "Surveys sent in the period, answered or not; those without asked_ts are in no period"
    )
    asked_answered: pl.Int64 = count(
        "Those of them that were answered by data_through", warning=_MOVING
    )
    response_rate: pl.Float64 = share(
        "Share of the asked that answered by data_through",
        formula="asked_answered / asked",
        warning=_MOVING,
    )
    superseded: pl.Int64 = count(
        "Answers given in the period that the person replaced by a later one in the same wave",
        warning=_MOVING,
    )
    is_complete: pl.Boolean = column("The period's last day is not after data_through")
