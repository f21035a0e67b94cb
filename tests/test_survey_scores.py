from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

import duckdb
import polars as pl
import pytest
from frames import Row, assert_rows, at, collected, day, frame
from homes import LONG
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.compare import assert_equal_tables
from oracle.surveys import survey_scores_oracle
from plan_rows import plan_row
from survey_rows import SCALES, answer, customers, invitation, landed, responses

from schemas.base import empty
from schemas.landed_customers import LandedCustomers
from schemas.plan_months import PlanMonths
from schemas.staff import Staff
from schemas.survey_scores import SurveyScores
from transforms.customers import customers as customers_of
from transforms.survey_responses import survey_responses
from transforms.survey_scores import survey_scores


def scores(
    rows: Iterable[Row],
    people: Sequence[Row] = (),
    plans: Sequence[Row] = (),
    *,
    through: str = "2024-01-31",
    dimensions: Sequence[str] = (),
    timezone: str = "UTC",
) -> pl.DataFrame:
    table = survey_scores(
        responses(rows, people, timezone),
        customers(people),
        frame(PlanMonths, plans),
        dimensions=dimensions,
        week_start="monday",
        data_through=day(through),
    )
    return collected(table, SurveyScores)


def months(
    rows: Iterable[Row], people: Sequence[Row] = (), plans: Sequence[Row] = (), **options: Any
) -> pl.LazyFrame:
    """The rows by month."""
    return scores(rows, people, plans, **options).lazy().filter(pl.col("grain") == "month")


def test_nps_is_the_share_of_promoters_less_the_share_of_detractors() -> None:
    # Half of ten are promoters, a tenth detractors: 100 (5 - 1) / 10 = 40.
    given = [9, 9, 10, 10, 10, 7, 7, 8, 8, 6]
    # sqrt(0.5 + 0.1 - 0.4 ^ 2) / sqrt(10) = 0.20976
    assert_rows(
        months([answer(score) for score in given]),
        SurveyScores,
        [
            {
                "responses": 10,
                "promoters": 5,
                "passives": 4,
                "detractors": 1,
                "satisfied": None,
                "score": 40.0,
                "superseded": 0,
            }
        ],
    )
    row = months([answer(score) for score in given]).collect().row(0, named=True)
    assert row["standard_error"] == pytest.approx(20.976, abs=1e-3)
    assert row["ci_low"] < 40 < row["ci_high"]


def test_csat_is_the_share_of_the_top_two_points() -> None:
    # 40 of 50 answers are 4 or 5: 100 x 40 / 50 = 80. Wilson: 66.96 to 88.76.
    given = [5] * 22 + [4] * 18 + [3] * 5 + [2] * 3 + [1] * 2
    row = months([answer(score, kind="csat") for score in given]).collect().row(0, named=True)
    assert (row["responses"], row["satisfied"], row["score"]) == (50, 40, 80.0)
    assert (row["promoters"], row["passives"], row["detractors"]) == (None, None, None)
    # 100 sqrt(0.8 x 0.2 / 50) = 5.657
    assert row["standard_error"] == pytest.approx(5.657, abs=1e-3)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((66.96, 88.76), abs=5e-3)


def test_of_a_scale_of_under_four_points_only_the_top_one_is_satisfied() -> None:
    def satisfied(top: int) -> int:
        rows = [
            answer(score, kind="csat", scale_min=1.0, scale_max=float(top))
            for score in range(1, top + 1)
        ]
        return int(months(rows).collect()["satisfied"][0])

    # Thumbs 1, 2: the 2. Faces 1, 2, 3: the 3. Four points: 3 and 4. Seven: 6 and 7.
    assert [satisfied(top) for top in (2, 3, 4, 7)] == [1, 1, 2, 2]


def test_ces_is_the_mean_on_its_own_scale() -> None:
    # (1 + 2 + 3 + 6.5) / 4 = 3.125
    row = months([answer(s, kind="ces") for s in (1, 2, 3, 6.5)]).collect().row(0, named=True)
    assert (row["responses"], row["score"], row["satisfied"]) == (4, 3.125, None)
    # Squared deviations 4.515625 + 1.265625 + 0.015625 + 11.390625 = 17.1875; / 3 / 4: 1.1968 ^ 2.
    assert row["standard_error"] == pytest.approx(1.19678, abs=1e-5)


def test_an_exact_mean_has_no_dust() -> None:
    # Ten times 0.1 is 1 on the scale's own points: the mean of 1.1 is 1.1.
    row = months([answer(1.1, kind="ces")] * 10).collect().row(0, named=True)
    assert (row["score"], row["standard_error"]) == (1.1, 0.0)


def test_scales_directions_and_kinds_are_never_mixed() -> None:
    rows = [
        answer(4, kind="ces"),
        answer(4, kind="ces", scale_max=5.0),
        answer(4, kind="ces", direction="effort"),
        answer(4, kind="csat"),
        answer(4, kind="nps"),
        answer(4, kind="ces", survey="other"),
    ]
    table = months(rows).collect()
    assert table.height == 6
    assert table["responses"].to_list() == [1] * 6


def test_reviews_are_not_scored_here() -> None:
    assert scores([answer(4, kind="review")]).is_empty()


def test_an_nps_question_on_another_scale_has_no_promoters() -> None:
    row = months([answer(5, scale_min=1.0, scale_max=5.0)]).collect().row(0, named=True)
    assert (row["responses"], row["promoters"], row["score"], row["ci_low"]) == (
        1,
        None,
        None,
        None,
    )


def test_a_scale_beyond_reason_has_no_mean_and_spoils_no_other() -> None:
    rows = [answer(1e300, kind="ces", scale_max=1e305), answer(4, kind="ces")]
    found = months(rows).select("scale_max", "responses", "score", "ci_high").collect()
    assert found.row(0)[:3] == (7.0, 1, 4.0)
    assert found.row(1) == (1e305, 1, None, None)


def test_answers_between_the_points_belong_to_the_class_below() -> None:
    row = months([answer(s) for s in (8.9, 6.9, 9.0)]).collect().row(0, named=True)
    assert (row["promoters"], row["passives"], row["detractors"]) == (1, 1, 1)


def test_a_person_counts_once_in_a_wave_with_the_latest_answer() -> None:
    # ada: 2, then 9 in February; the 2 is superseded in January, where it was given.
    who = {"respondent_id": "ada", "wave": "w"}
    rows = [
        answer(2, "2024-01-10", asked_ts=at("2024-01-09 10:00"), **who),
        answer(9, "2024-02-10", asked_ts=at("2024-02-09 10:00"), **who),
    ]
    names = ("period_start", "responses", "promoters", "detractors", "asked", "superseded")

    def said(through: str) -> list[tuple[Any, ...]]:
        return months(rows, through=through).select(names).collect().rows()

    assert said("2024-02-29") == [
        (day("2024-01-01"), 0, 0, 0, 0, 1),
        (day("2024-02-01"), 1, 1, 0, 1, 0),
    ]
    # As of a day before the second answer, the first is the latest.
    assert said("2024-02-09") == [
        (day("2024-01-01"), 1, 0, 1, 1, 0),
        (day("2024-02-01"), 0, 0, 0, 1, 0),
    ]


def test_the_response_rate_is_of_those_asked_in_the_period() -> None:
    # Asked in January: 4, of whom 1 answers in January and 1 in February: 2 / 4.
    rows = [
        answer(9, "2024-01-05", asked_ts=at("2024-01-03 10:00")),
        answer(9, "2024-02-05", asked_ts=at("2024-01-30 10:00")),
        invitation("2024-01-03"),
        # Dismissed: it was opened and closed without a score.
        invitation("2024-01-03", answered_ts=at("2024-01-03 10:00")),
        # Nobody knows when this one was asked: it is an answer, and in no response rate.
        answer(9, "2024-02-06"),
    ]
    names = ("responses", "asked", "asked_answered", "response_rate")
    assert months(rows, through="2024-02-29").select(names).collect().rows() == [
        (1, 4, 2, 0.5),
        (2, 0, 0, None),
    ]
    # By the end of January only one has answered.
    assert months(rows).select(names).collect().rows() == [(1, 4, 1, 0.25)]


def test_every_period_has_its_row_from_the_first_day_to_the_horizon() -> None:
    # 30 January (a Tuesday) to 2 February: 4 days, 1 week, 2 months, 1 quarter.
    table = scores([answer(9, "2024-01-30")], through="2024-02-02")
    found = table.select("grain", "period_start", "responses", "score", "is_complete").rows()
    assert found == [
        ("day", day("2024-01-30"), 1, 100.0, True),
        ("day", day("2024-01-31"), 0, None, True),
        ("day", day("2024-02-01"), 0, None, True),
        ("day", day("2024-02-02"), 0, None, True),
        ("month", day("2024-01-01"), 1, 100.0, True),
        ("month", day("2024-02-01"), 0, None, False),
        ("quarter", day("2024-01-01"), 1, 100.0, False),
        ("week", day("2024-01-29"), 1, 100.0, False),
    ]
    empty = table.filter(pl.col("responses") == 0).row(0, named=True)
    assert [empty[name] for name in ("promoters", "asked", "superseded")] == [0, 0, 0]
    assert [empty[name] for name in ("ci_low", "ci_high", "standard_error")] == [None] * 3


def test_a_quarter_is_complete_with_its_last_day() -> None:
    def quarter(through: str) -> bool:
        table = scores([answer(9, "2024-02-10")], through=through)
        return bool(table.filter(grain="quarter")["is_complete"][0])

    assert [quarter("2024-03-30"), quarter("2024-03-31")] == [False, True]


def test_segments_are_the_survey_s_channel_and_what_the_customer_is() -> None:
    people = [
        {"customer_id": "c1", "user_id": "u1", "country": "DE", "plan": "pro"},
        {"customer_id": "c2", "country": "FR"},
    ]
    rows = [
        answer(9, respondent_id="u1", channel="web"),
        answer(3, respondent_id="c2", channel="mail"),
        answer(5),
    ]
    table = months(rows, people, dimensions=["platform", "plan", "channel", "country"])
    assert_rows(
        table,
        SurveyScores,
        [
            {"dimension": "all", "segment": "all", "responses": 3, "promoters": 1},
            {"dimension": "channel", "segment": "mail", "responses": 1, "promoters": 0},
            {"dimension": "channel", "segment": "unknown", "responses": 1, "promoters": 0},
            {"dimension": "channel", "segment": "web", "responses": 1, "promoters": 1},
            {"dimension": "country", "segment": "DE", "responses": 1, "promoters": 1},
            {"dimension": "country", "segment": "FR", "responses": 1, "promoters": 0},
            {"dimension": "country", "segment": "unknown", "responses": 1, "promoters": 0},
            {"dimension": "plan", "segment": "pro", "responses": 1, "promoters": 1},
            {"dimension": "plan", "segment": "none", "responses": 2, "promoters": 0},
        ],
    )


def test_the_plan_is_the_one_that_bears_the_person_s_mrr_on_that_day() -> None:
    # u1 pays for pro on days 1 to 9 of January, and for nothing from the 10th on.
    plan = {"month": day("2024-01-01"), "user_id": "u1", "country": "unknown"}
    plans = [
        {**plan, "plan": "pro", "plan_days": 0b111111111},
        {**plan, "plan": "none", "plan_days": 0b1111111111 << 9},
    ]
    people = [{"customer_id": "u1", "plan": "gold"}]
    rows = [
        answer(9, "2024-01-09", respondent_id="u1"),
        answer(8, "2024-01-10", respondent_id="u1"),
    ]
    table = months(rows, people, plans, dimensions=["plan"])
    assert_rows(
        table,
        SurveyScores,
        [
            {"dimension": "all", "segment": "all", "promoters": 1, "passives": 1},
            {"dimension": "plan", "segment": "pro", "promoters": 1, "passives": 0},
            {"dimension": "plan", "segment": "none", "promoters": 0, "passives": 1},
        ],
    )


def test_two_customers_of_one_person_count_a_person_s_answer_once() -> None:
    people = [
        {"customer_id": "c2", "user_id": "u", "country": "FR"},
        {"customer_id": "c1", "user_id": "u", "country": "DE"},
    ]
    table = months([answer(9, respondent_id="c2")], people, dimensions=["country"]).collect()
    assert table.select("segment", "responses").rows() == [("all", 1), ("DE", 1)]


def test_intervals_hold_at_the_edges() -> None:
    ends = {"nps": (10, 0), "csat": (5, 1), "ces": (7, 1)}
    rows = [
        answer(score, kind=kind, survey=f"{count} of {score}")
        for kind, scores_of in ends.items()
        for score in scores_of
        for count in (1, 3, 400)
        for _ in range(count)
    ]
    table = months(rows).collect()
    assert table.height == 18
    assert (table["ci_low"] <= table["score"]).all()
    assert (table["score"] <= table["ci_high"]).all()
    assert (table["ci_high"] - table["ci_low"]).min() > 0.01


def test_what_lies_after_the_horizon_is_not_there() -> None:
    assert scores([answer(9, "2024-02-01"), invitation("2024-02-01")]).is_empty()


KINDS = ("nps", "csat", "ces", "review")
DAYS = [date(2023, 12, 28) + timedelta(days=5 * n + n % 3) for n in range(11)]


@st.composite
def survey_rows(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(KINDS))
    low, high = SCALES[kind]
    if kind == "csat":
        high = draw(st.sampled_from([3.0, 5.0]))
    points = int((high - low) * 2)
    score = draw(st.none() | st.integers(0, points).map(lambda half: low + half / 2))
    asked, answered = draw(st.sampled_from(DAYS)), draw(st.sampled_from(DAYS))
    hour = draw(st.sampled_from([0, 23]))
    needs_ask = score is None or draw(st.booleans())
    return {
        "response_id": draw(st.sampled_from("pqrstuvw")),
        "survey": draw(st.sampled_from("ST")),
        "kind": kind,
        "score": score,
        "scale_min": low,
        "scale_max": high,
        "direction": draw(st.sampled_from(["ease", "ease", "effort"])),
        "respondent_id": draw(st.sampled_from([None, "a", "b", "c1", "u1"])),
        "wave": draw(st.sampled_from([None, "w", "w"])),
        "channel": draw(st.sampled_from([None, "web", "mail"])),
        "asked_ts": at(f"{asked} {hour:02}:59") if needs_ask else None,
        "answered_ts": at(f"{answered} {hour:02}:30") if score is not None else None,
        "landing_date": draw(st.sampled_from([date(2024, 6, 1), date(2024, 6, 2)])),
    }


customer_rows = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(["a", "c1", "c2"]),
        "user_id": st.sampled_from([None, "u1", "a"]),
        "country": st.sampled_from([None, "DE", "FR"]),
        "segment": st.sampled_from([None, "smb"]),
        "plan": st.sampled_from([None, "pro"]),
    }
)


# Month, person, plan and its last day in the month, from the first on.
plan_rows = st.tuples(
    st.sampled_from([date(2023, 12, 1), date(2024, 1, 1), date(2024, 2, 1)]),
    st.sampled_from(["a", "u1"]),
    st.sampled_from(["pro", "none", "gold"]),
    st.integers(1, 29),
)


@settings(max_examples=150 if LONG else 6, deadline=None)
@given(
    st.lists(survey_rows(), max_size=40),
    st.lists(customer_rows, max_size=4),
    st.lists(plan_rows, max_size=4, unique_by=lambda plan: plan[:2]),
    st.sampled_from(["monday", "sunday"]),
    st.sampled_from([date(2023, 12, 31), date(2024, 1, 31), date(2024, 2, 18)]),
)
def test_scores_are_those_of_sql(
    rows: list[dict[str, Any]],
    people: list[dict[str, Any]],
    plans: list[tuple[date, str, str, int]],
    week_start: str,
    through: date,
) -> None:
    surveys = landed(rows)
    known = frame(
        LandedCustomers,
        [{"line": line, **row} for line, row in enumerate(people, 1)],
        landing_date=day("2024-06-01"),
        event_date=day("2024-06-01"),
        file="c.csv",
        item=1,
    )
    customers_now = customers_of(known, empty(Staff))
    options: dict[str, Any] = {
        "dimensions": ["platform", "channel", "country", "segment", "plan"],
        "week_start": week_start,
        "data_through": through,
    }
    facts = survey_responses(surveys, customers_now, empty(Staff), timezone="UTC")
    months_of_plans = frame(PlanMonths, [plan_row(*plan) for plan in plans])
    table = survey_scores(facts, customers_now, months_of_plans, **options)
    found = collected(table, SurveyScores)
    naive = pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)
    with duckdb.connect() as con:
        con.register("landed_surveys", surveys.with_columns(naive).collect().to_arrow())
        con.execute("CREATE TABLE bearing (month DATE, user_id VARCHAR, plan VARCHAR, until INT)")
        if plans:
            con.executemany("INSERT INTO bearing VALUES (?, ?, ?, ?)", plans)
        con.register("landed_customers", known.with_columns(naive).collect().to_arrow())
        expected = survey_scores_oracle(con, **options)
    assert_equal_tables("survey_scores", found, expected)
