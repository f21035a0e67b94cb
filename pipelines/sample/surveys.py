"""Surveys: quarterly recommendations, satisfaction after support, effort, ratings in stores."""

from typing import Any

import polars as pl

from pipelines.sample.clock import DAY, HOUR, Clock, day_of, month_of
from pipelines.sample.columns import derived
from pipelines.sample.dice import Dice
from pipelines.sample.exports import Export, Flaw
from pipelines.sample.tickets import settled

_Scores = dict[str | int | None, int]
_NPS: _Scores = {10: 24, 9: 20, 8: 18, 7: 13, 6: 8, 5: 6, 4: 3, 3: 3, 2: 2, 1: 1, 0: 2}
_CSAT: _Scores = {5: 46, 4: 30, 3: 11, 2: 6, 1: 7}
_EASE: _Scores = {7: 24, 6: 28, 5: 20, 4: 12, 3: 8, 2: 5, 1: 3}
_EFFORT: _Scores = {1: 34, 2: 31, 3: 18, 4: 10, 5: 7}
_STARS: _Scores = {5: 48, 4: 22, 3: 10, 2: 7, 1: 13}
_TOPICS: dict[str | None, int] = {"price": 20, "speed": 25, "support": 20, "features": 35}
_STORES: dict[str | None, int] = {"App Store": 55, "Google Play": 45}
_WAVE_EVERY_DAYS, _MOST_WAVES = 91, 4_096
_OUTSIDE = pl.when(pl.col("score") > 0).then(11.0).otherwise(-1.0)
_FLAWS: dict[str, Flaw] = {
    "survey_missing": {"survey": None},
    "kind_bad": {"kind": pl.lit("mood")},
    "score_outside": {"score": _OUTSIDE, "answered_ts": pl.col("at")},
}


def survey_rows(
    everybody: pl.DataFrame, made_tickets: pl.DataFrame, clock: Clock, dice: Dice
) -> Export:
    """Rows as they are sent: when a survey is asked, and when it is answered."""
    responses = pl.concat(
        [
            _recommendation(everybody, clock, dice),
            _after_support(made_tickets, clock, dice),
            _effort(everybody, dice),
            _ratings(everybody, clock, dice),
        ]
    ).filter(pl.coalesce("asked_ts", "answered_ts") < clock.end)
    responses = responses.with_columns(
        pl.when(pl.col("answered_ts") < clock.end).then(name).alias(name)
        for name in ("score", "comment", "answered_ts")
    )
    return Export(
        "surveys",
        _as_sent(responses, clock),
        identity=("response_id", "survey", "kind"),
        arrival_decides=True,
        flaws=_FLAWS,
        truths=_truths(responses),
    )


def _response(letter: str, rows: pl.DataFrame, *said: pl.Expr) -> pl.DataFrame:
    """Responses in the columns that all surveys share; the key is that of the column ``number``."""
    number = pl.col("number").cast(pl.String).str.zfill(8)
    texts = ("survey", "kind", "direction", "wave", "channel", "topic", "comment")
    blank = [pl.lit(None, dtype=pl.String).alias(name) for name in texts]
    numbers = ("scale_min", "scale_max")
    blank += [pl.lit(None, dtype=pl.Float64).alias(name) for name in numbers]
    rows = rows.with_columns(blank).with_columns(*said)
    return rows.with_columns(
        pl.concat_str(pl.lit(letter), number).alias("response_id"),
        (pl.col("number") * 4 + "nscr".index(letter)).alias("response"),
    ).select(
        "response_id",
        *texts[:2],
        pl.col("score").cast(pl.Float64),
        *numbers,
        "direction",
        pl.col("respondent_id"),
        *texts[3:],
        pl.col("asked_ts").cast(pl.Int64),
        pl.col("answered_ts").cast(pl.Int64),
        "response",
    )


def _recommendation(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """A third of the customers each quarter; some answer, some of those twice."""
    days = pl.int_range(clock.history + 30, clock.end // DAY, _WAVE_EVERY_DAYS, dtype=pl.Int64)
    waves = pl.select(days.alias("day")).with_row_index("nth").cast(pl.Int64)
    asked = everybody.join(waves, how="cross").filter(pl.col("since") < pl.col("day") * DAY)
    asked = asked.with_columns((pl.col("person") * _MOST_WAVES + pl.col("nth") * 2).alias("number"))
    key = pl.col("number")
    asked_ts = pl.col("day") * DAY + 9 * HOUR + dice.below(HOUR, key, "wave asked")
    asked = derived(
        asked,
        dice.chance(0.34, key, "in wave").alias("in_wave"),
        asked_ts.alias("asked_ts"),
        dice.chance(0.4, key, "wave answered").alias("answers"),
        (asked_ts + 60 + dice.below(6 * DAY, key, "wave when")).alias("when"),
    ).filter("in_wave")
    asked = derived(
        asked,
        pl.when("answers").then(dice.pick(_NPS, key, "nps")).alias("score"),
        pl.when("answers").then("when").alias("answered_ts"),
    )
    rows = pl.concat([asked, _second_thoughts(asked, dice)])
    return _response(
        "n",
        rows,
        pl.lit("relationship").alias("survey"),
        pl.lit("nps").alias("kind"),
        pl.lit("email").alias("channel"),
        day_of(pl.col("day") * DAY).dt.strftime("%Y-%m").alias("wave"),
    )


def _second_thoughts(asked: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """Another answer in the same wave, sent from the link of the first one: asked but once."""
    key = pl.col("number")
    later = pl.col("answered_ts") + HOUR + dice.below(5 * DAY, key, "second when")
    second = derived(
        asked,
        (pl.col("answers") & dice.chance(0.08, key, "second")).alias("has_second"),
        later.alias("answered_ts"),
        dice.pick(_NPS, key, "second nps").alias("score"),
        pl.lit(None, dtype=pl.Int64).alias("asked_ts"),
        (key + 1).alias("number"),
    )
    return second.filter("has_second").select(asked.columns)


def _after_support(made: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Asked an hour after a ticket is done; without a wave each response is its own."""
    key = pl.col("ticket")
    done = settled(made, clock).drop_nulls("done")
    rows = derived(
        done.with_columns(key.alias("number"), (pl.col("done") + HOUR).alias("asked_ts")),
        dice.chance(0.45, key, "csat answered").alias("answers"),
        dice.pick(_CSAT, key, "csat").alias("stars"),
        dice.below(3 * DAY, key, "csat when").alias("wait"),
    ).drop("channel")
    return _response(
        "s",
        rows.with_columns(
            pl.when("answers").then("stars").alias("score"),
            pl.when("answers").then(pl.col("asked_ts") + 60 + pl.col("wait")).alias("answered_ts"),
        ),
        pl.lit("support").alias("survey"),
        pl.lit("csat").alias("kind"),
        pl.lit("email").alias("channel"),
        pl.lit("support").alias("topic"),
    )


def _effort(everybody: pl.DataFrame, dice: Dice) -> pl.DataFrame:
    """How easy the first week was, of seven; and, of every other, how hard, of five."""
    key = pl.col("person")
    is_hard = key % 2 == 1
    asked_ts = pl.col("since") + 7 * DAY
    rows = derived(
        everybody.with_columns(key.alias("number"), asked_ts.alias("asked_ts")),
        dice.chance(0.3, key, "ces answered").alias("answers"),
        dice.pick(_EASE, key, "ease").alias("ease"),
        dice.pick(_EFFORT, key, "effort").alias("effort"),
        dice.below(2 * DAY, key, "ces when").alias("wait"),
    )
    score = pl.when(is_hard).then("effort").otherwise("ease")
    return _response(
        "c",
        rows.with_columns(
            pl.when("answers").then(score).alias("score"),
            pl.when("answers").then(pl.col("asked_ts") + 60 + pl.col("wait")).alias("answered_ts"),
        ),
        pl.when(is_hard).then(pl.lit("set_up")).otherwise(pl.lit("first_week")).alias("survey"),
        pl.lit("ces").alias("kind"),
        pl.when(is_hard).then(5.0).alias("scale_max"),
        pl.when(is_hard).then(1.0).alias("scale_min"),
        pl.when(is_hard).then(pl.lit("effort")).alias("direction"),
        pl.lit("in-app").alias("channel"),
    )


def _ratings(everybody: pl.DataFrame, clock: Clock, dice: Dice) -> pl.DataFrame:
    """Reviews that nobody asked for."""
    key = pl.col("person")
    share = dice.below(1_000_000, key, "rated when")
    rows = derived(
        everybody.with_columns(key.alias("number"), pl.lit(None).alias("asked_ts")),
        dice.chance(0.12, key, "rates").alias("rates"),
        dice.pick(_STARS, key, "stars").alias("score"),
        dice.pick(_TOPICS, key, "topic").alias("about"),
        dice.pick(_STORES, key, "store").alias("store"),
        (pl.col("since") + (clock.end - pl.col("since")) * share // 1_000_000).alias("answered_ts"),
    ).filter("rates")
    words = pl.concat_str(pl.lit('The "'), "about", pl.lit('", well, '), "score", pl.lit(" of 5"))
    return _response(
        "r",
        rows,
        pl.lit("store_rating").alias("survey"),
        pl.lit("review").alias("kind"),
        pl.col("store").alias("channel"),
        pl.col("about").alias("topic"),
        words.alias("comment"),
    )


def _as_sent(responses: pl.DataFrame, clock: Clock) -> pl.DataFrame:
    """Once when it is asked and once when it is answered; on one day only the answer."""
    asked, answered = pl.col("asked_ts"), pl.col("answered_ts")
    asked_day, answered_day = clock.landing_day(asked), clock.landing_day(answered)
    waits = asked.is_not_null() & (answered.is_null() | (asked_day < answered_day))
    key = pl.col("response")
    asking = responses.filter(waits).with_columns(
        pl.lit(None).cast(responses.schema[name]).alias(name)
        for name in ("score", "comment", "answered_ts")
    )
    return pl.concat(
        [
            asking.with_columns(asked.alias("at"), (key * 2).alias("key")),
            responses.drop_nulls("answered_ts").with_columns(
                answered.alias("at"), (key * 2 + 1).alias("key")
            ),
        ]
    ).drop("response")


def _truths(responses: pl.DataFrame) -> dict[str, Any]:
    """Answers that count, by survey and month: of two of a person in a wave the later one."""
    answers = responses.drop_nulls("score").sort("answered_ts", "response")
    is_last = (pl.int_range(pl.len()) == pl.len() - 1).over("survey", "respondent_id", "wave")
    counting = answers.filter(pl.col("wave").is_null() | is_last)
    score, month = pl.col("score"), month_of(pl.col("answered_ts")).alias("month")
    months = (
        counting.group_by("survey", "kind", month)
        .agg(
            pl.len().alias("responses"),
            score.sum().cast(pl.Int64).alias("score_sum"),
            (score >= 9).sum().alias("promoters"),
            score.is_between(7, 8).sum().alias("passives"),
            (score <= 6).sum().alias("detractors"),
            (score >= 4).sum().alias("satisfied"),
            (score <= 2).sum().alias("negative"),
        )
        .sort("survey", "kind", "month")
    )
    # Of who was asked once and answered twice it can be held that one was asked, or none.
    asked = responses.drop_nulls("asked_ts").filter(pl.col("wave").is_null())
    asked = asked.group_by("survey").len().sort("survey")
    return {
        "asked": dict(asked.iter_rows()),
        "superseded": answers.height - counting.height,
        "monthly": [_told(row) for row in months.iter_rows(named=True)],
    }


_SHARES = {
    "nps": ("promoters", "passives", "detractors"),
    "csat": ("satisfied",),
    "review": ("negative",),
}


def _told(row: dict[str, Any]) -> dict[str, Any]:
    names = ("survey", "kind", "responses", "score_sum", *_SHARES.get(row["kind"], ()))
    return {"month": str(row["month"])} | {name: row[name] for name in names}
