from typing import Any

import polars as pl
from frames import assert_rows, collected, day
from survey_rows import answer, invitation, responses

from schemas.feedback_monthly import FeedbackMonthly
from transforms.feedback_monthly import feedback_monthly


def review(score: float, when: str, **columns: Any) -> dict[str, Any]:
    """Stars given at noon of a day, or at the given time."""
    return answer(score, when, kind="review", **columns)


def feedback(rows: list[Any], *, through: str, **options: Any) -> pl.LazyFrame:
    return feedback_monthly(responses(rows, **options), data_through=day(through))


def of(table: pl.LazyFrame, *names: str, **where: Any) -> list[tuple[Any, ...]]:
    """Those columns after the month."""
    rows = collected(table, FeedbackMonthly).filter(**where)
    return rows.select(pl.col("month").cast(pl.String), *names).rows()


def test_ratings_have_their_mean_and_the_share_of_the_lower_two() -> None:
    # 1, 2, 3, 5: 11 / 4 = 2.75; one and two are the lower two of five: 2 / 4.
    rows = [review(score, f"2024-01-0{score}") for score in (1, 2, 3, 5)]
    table = feedback(rows, through="2024-01-31")
    names = ["reviews", "rated", "rating_total", "mean_rating", "negative", "negative_share"]
    assert of(table, *names, "is_complete") == [("2024-01-01", 4, 4, 11.0, 2.75, 2, 0.5, True)]


def test_the_change_is_that_on_the_month_before() -> None:
    # January 4, February (1 + 3) / 2 = 2 with one of two negative, March none, April 5.
    rows = [
        review(4, "2024-01-10"),
        review(1, "2024-02-10"),
        review(3, "2024-02-11"),
        review(5, "2024-04-10"),
    ]
    table = feedback(rows, through="2024-04-15")
    names = ["mean_rating", "mean_rating_change", "negative_share", "negative_share_change"]
    assert of(table, *names, "is_complete") == [
        ("2024-01-01", 4.0, None, 0.0, None, True),
        ("2024-02-01", 2.0, -2.0, 0.5, 0.5, True),
        ("2024-03-01", None, None, None, None, True),
        ("2024-04-01", 5.0, None, 0.0, None, False),
    ]


def test_comments_on_other_surveys_are_feedback_without_a_rating_on_their_own_scale() -> None:
    rows = [
        review(4, "2024-01-10", comment="good"),
        review(5, "2024-01-10"),
        answer(3, "2024-01-10", kind="csat", comment="slow"),
        answer(9, "2024-01-10", comment="more colours"),
    ]
    # The satisfaction is asked on 1 to 5 as reviews are, the recommendation on 0 to 10.
    expected = [
        {"scale_max": 5.0, "reviews": 3, "comments": 2, "rated": 2, "mean_rating": 4.5},
        {"scale_max": 10.0, "reviews": 1, "comments": 1, "rated": 0, "mean_rating": None},
    ]
    assert_rows(feedback(rows, through="2024-01-31"), FeedbackMonthly, expected)


def test_answers_without_a_rating_and_a_comment_are_no_feedback() -> None:
    rows = [
        answer(9, "2024-01-10"),
        answer(9, "2024-01-10", comment=" \n"),
        invitation("2024-01-10", kind="review", comment="dismissed"),
    ]
    assert of(feedback(rows, through="2024-01-31"), "reviews") == []


def test_an_author_counts_once_with_the_latest_review() -> None:
    rows = [
        review(1, "2024-01-10", respondent_id="ann"),
        review(5, "2024-01-11", respondent_id="ann"),
        review(3, "2024-01-12", respondent_id="bob"),
    ]
    # Ann's 5 and bob's 3: 8 / 2.
    assert of(feedback(rows, through="2024-01-31"), "rated", "mean_rating", "superseded") == [
        ("2024-01-01", 2, 4.0, 1)
    ]


def test_a_review_is_replaced_across_months_and_not_before_the_later_one_was_given() -> None:
    rows = [
        review(1, "2024-01-10", respondent_id="ann"),
        review(5, "2024-02-11", respondent_id="ann"),
    ]
    names = ["rated", "mean_rating", "superseded"]
    assert of(feedback(rows, through="2024-02-10"), *names) == [
        ("2024-01-01", 1, 1.0, 0),
        ("2024-02-01", 0, None, 0),
    ]
    assert of(feedback(rows, through="2024-02-11"), *names) == [
        ("2024-01-01", 0, None, 1),
        ("2024-02-01", 1, 5.0, 0),
    ]


def test_another_survey_channel_or_topic_replaces_nothing() -> None:
    said = {"respondent_id": "ann", "channel": "web", "topic": "price"}
    rows = [
        review(1, "2024-01-10", **said),
        review(2, "2024-01-11", **said | {"survey": "other"}),
        review(3, "2024-01-12", **said | {"channel": "app"}),
        review(4, "2024-01-13", **said | {"topic": None}),
    ]
    expected = [
        {"channel": "web", "topic": "price", "rated": 2, "superseded": 0},
        {"channel": "app", "topic": "price", "rated": 1, "superseded": 0},
        {"channel": "web", "topic": "(none)", "rated": 1, "superseded": 0},
    ]
    assert_rows(feedback(rows, through="2024-01-31"), FeedbackMonthly, expected)


def test_in_a_wave_the_rule_of_survey_scores_holds() -> None:
    # The same wave, whatever the topic; another wave counts again.
    said = {"respondent_id": "ann", "wave": "2024"}
    rows = [
        review(1, "2024-01-10", **said, topic="price"),
        review(5, "2024-01-11", **said, topic="speed"),
        review(3, "2024-01-12", respondent_id="ann", wave="2025", topic="price"),
    ]
    expected = [
        {"topic": "price", "rated": 1, "mean_rating": 3.0, "superseded": 1},
        {"topic": "speed", "rated": 1, "mean_rating": 5.0, "superseded": 0},
    ]
    assert_rows(feedback(rows, through="2024-01-31"), FeedbackMonthly, expected)


def test_reviews_without_an_author_each_count() -> None:
    rows = [review(1, "2024-01-10"), review(1, "2024-01-10")]
    assert of(feedback(rows, through="2024-01-31"), "rated") == [("2024-01-01", 2)]


def test_two_ids_of_one_person_are_one_author() -> None:
    rows = [
        review(1, "2024-01-10", respondent_id="c1"),
        review(5, "2024-01-11", respondent_id="ann"),
    ]
    people = [{"customer_id": "c1", "user_id": "ann"}]
    table = feedback(rows, through="2024-01-31", people=people)
    assert of(table, "rated", "superseded") == [("2024-01-01", 1, 1)]


def test_scales_are_never_mixed_and_short_ones_have_one_negative() -> None:
    # 2 of 10 is among the lower two of ten; of three points only the lowest is negative.
    rows = [
        review(2, "2024-01-10", scale_max=10.0),
        review(3, "2024-01-10", scale_max=10.0),
        review(2, "2024-01-10", scale_max=3.0),
        review(1, "2024-01-10", scale_max=3.0),
    ]
    expected = [
        {"scale_min": 1.0, "scale_max": 10.0, "rated": 2, "negative": 1, "mean_rating": 2.5},
        {"scale_min": 1.0, "scale_max": 3.0, "rated": 2, "negative": 1, "mean_rating": 1.5},
    ]
    assert_rows(feedback(rows, through="2024-01-31"), FeedbackMonthly, expected)


def test_months_are_of_the_reporting_time_zone() -> None:
    rows = [review(4, "2024-01-31 23:30")]
    table = feedback(rows, through="2024-02-01", timezone="Europe/Berlin")
    assert of(table, "rated") == [("2024-02-01", 1)]


def test_what_is_answered_after_the_horizon_is_not_published() -> None:
    assert of(feedback([review(4, "2024-02-01")], through="2024-01-31"), "rated") == []


def test_the_row_that_landed_last_stands_for_a_response() -> None:
    rows = [review(1, "2024-01-10", response_id="r"), review(4, "2024-01-10", response_id="r")]
    assert of(feedback(rows, through="2024-01-31"), "rated", "mean_rating", "superseded") == [
        ("2024-01-01", 1, 4.0, 0)
    ]
