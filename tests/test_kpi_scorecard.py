from typing import Any

import polars as pl
import pytest
from frames import Row, collected, day, frame

from pipelines import registry
from pipelines.setting_models import BENCHMARKS
from schemas.base import empty
from schemas.kpi_scorecard import KpiScorecard
from transforms.kpi_scorecard import kpi_scorecard
from transforms.kpis import BENCHMARK_NAMES, KPIS, SCORECARD_READS

JANUARY, FEBRUARY, MARCH = "2025-01-01", "2025-02-01", "2025-03-01"
EVERYBODY = {"dimension": "all", "segment": "all"}
NONE = {"low": None, "high": None, "levels": {}, "direction": "higher", "source": ""}
DEFAULTS = {name: each.model_dump() for name, each in BENCHMARKS.items()}


def scorecard(
    *, through: str = "2025-03-15", benchmarks: Any = DEFAULTS, **tables: list[Row]
) -> pl.DataFrame:
    """The scorecard of these rows of its tables; the other tables are empty."""
    models = {name: registry.FILINGS[name].model for name in SCORECARD_READS}
    given = {name: frame(models[name], rows) for name, rows in tables.items()}
    none = {name: empty(model) for name, model in models.items()}
    table = kpi_scorecard(benchmarks=benchmarks, data_through=day(through), **{**none, **given})
    return collected(table, KpiScorecard)


def churn(month: str, lost: int, start: int, **columns: Any) -> Row:
    counts = {"lost_customers": lost, "customers_start": start}
    return {"month": day(month), **EVERYBODY, **counts, "is_complete": True, **columns}


def period(start: str, **columns: Any) -> Row:
    usual = {"grain": "month", "period_start": day(start), **EVERYBODY, "is_complete": True}
    return {**usual, **columns}


def answers(survey: str, kind: str, scale: tuple[float, float], **columns: Any) -> Row:
    low, high = scale
    said = {"survey": survey, "kind": kind, "scale_min": low, "scale_max": high}
    return period(JANUARY, **said, **{"direction": "ease", **columns})


def tickets(month: str, channel: str, tier: str, **columns: Any) -> Row:
    place = {"channel": channel, "tier": tier}
    return {"grain": "month", "period_start": day(month), **place, "is_complete": True, **columns}


def of(table: pl.DataFrame, metric: str, *names: str) -> list[tuple[Any, ...]]:
    """Those columns of a metric, after the month where that is named."""
    rows = table.filter(metric=metric)
    return rows.select(pl.col("month").cast(pl.String), *names).rows()


def test_a_hundred_customers_of_whom_ten_are_lost_are_a_churn_of_a_tenth() -> None:
    # 10 / 100 = 0.1, above the usual 0.02 to 0.08.
    table = scorecard(churn_monthly=[churn(JANUARY, 10, 100)])
    names = ("value", "numerator", "denominator", "unit", "verdict")
    assert of(table, "churn_rate", *names) == [(JANUARY, 0.1, 10.0, 100.0, "fraction", "above")]


def test_half_promoters_and_a_tenth_detractors_are_a_great_nps_of_40() -> None:
    # 100 (5 - 1) / 10 = 40, above 20 and not above 50.
    row = answers("yearly", "nps", (0, 10), responses=10, promoters=5, detractors=1)
    table = scorecard(survey_scores=[row])
    names = ("dimension", "segment", "value", "numerator", "denominator")
    assert of(table, "nps", *names) == [(JANUARY, "survey", "yearly", 40.0, 4.0, 10.0)]
    levels = ("benchmark_levels", "benchmark_level", "verdict")
    assert of(table, "nps", *levels) == [
        (JANUARY, "good 0; great 20; excellent 50", "great", "great")
    ]


def test_13_of_100_people_on_the_average_day_are_a_stickiness_of_0_13() -> None:
    # 13 / 100 is not above 0.13, 14 / 100 is.
    rows = [
        period(JANUARY, active_users=100, mean_dau=13.0),
        period(FEBRUARY, active_users=100, mean_dau=14.0),
        period(JANUARY, grain="week", active_users=50, mean_dau=25.0),
    ]
    table = scorecard(active_users_periodic=rows)
    assert of(table, "stickiness", "value", "benchmark_level", "verdict") == [
        (JANUARY, 0.13, None, "below"),
        (FEBRUARY, 0.14, "good", "good"),
    ]
    assert of(table, "active_users", "value", "numerator", "denominator", "unit") == [
        (JANUARY, 100.0, None, None, "people"),
        (FEBRUARY, 100.0, None, None, "people"),
    ]


def test_a_month_is_compared_with_the_one_before_and_with_its_own_of_the_year_before() -> None:
    # 0.5 in January 2024, 0.25 in December 2024 and 0.125 in January 2025.
    rows = [
        churn("2024-01-01", 4, 8),
        churn("2024-12-01", 2, 8),
        churn("2025-01-01", 1, 8),
    ]
    table = scorecard(churn_monthly=rows)
    names = ("previous_value", "change", "year_before_value", "change_on_year")
    assert of(table, "churn_rate", *names) == [
        ("2024-01-01", None, None, None, None),
        ("2024-12-01", None, None, None, None),
        ("2025-01-01", 0.25, -0.125, 0.5, -0.375),
    ]


def test_a_month_that_is_not_complete_has_no_change_and_no_verdict() -> None:
    rows = [churn(JANUARY, 1, 4), churn(FEBRUARY, 1, 8, is_complete=False), churn(MARCH, 1, 2)]
    table = scorecard(churn_monthly=rows)
    names = ("value", "previous_value", "change", "verdict", "is_complete")
    # March has nothing to be compared with: February is not known to its end.
    assert of(table, "churn_rate", *names) == [
        (JANUARY, 0.25, None, None, "above", True),
        (FEBRUARY, 0.125, 0.25, None, None, False),
        (MARCH, 0.5, None, None, "above", True),
    ]


def test_a_level_is_passed_when_the_month_is_over() -> None:
    rows = [
        period(JANUARY, page_views=1_000, sessions=1),
        period(FEBRUARY, page_views=1_001, sessions=1),
        period(MARCH, page_views=20_000, sessions=1, is_complete=False),
    ]
    table = scorecard(sessions_periodic=rows)
    assert of(table, "page_views", "benchmark_level", "verdict") == [
        (JANUARY, None, "below"),
        (FEBRUARY, "small business", "small business"),
        (MARCH, None, None),
    ]


def test_where_lower_is_better_a_level_is_passed_from_above() -> None:
    # 0.40 is not under 0.40; 0.20 and 0.55 belong to the range; 0.6 is above it, 0.1 below.
    shares = {JANUARY: 40, FEBRUARY: 20, MARCH: 55, "2025-04-01": 60, "2025-05-01": 10}
    rows = [
        period(month, bounced_sessions=bounced, page_view_sessions=100)
        for month, bounced in shares.items()
    ]
    table = scorecard(sessions_periodic=rows)
    assert of(table, "bounce_rate", "benchmark_level", "verdict") == [
        (JANUARY, None, "within"),
        (FEBRUARY, "under 0.40", "within"),
        (MARCH, None, "within"),
        ("2025-04-01", None, "above"),
        ("2025-05-01", "under 0.40", "below"),
    ]


def test_of_levels_alone_where_lower_is_better_a_value_that_passes_none_is_above() -> None:
    levels = {"fast": 60.0, "instant": 5.0}
    benchmark = {**NONE, "levels": levels, "direction": "lower"}
    rows = [
        tickets(month, "all", "all", first_reply_seconds=seconds, replied=1)
        for month, seconds in {JANUARY: 90.0, FEBRUARY: 30.0, MARCH: 1.0}.items()
    ]
    table = scorecard(support_tickets=rows, benchmarks={"mean_first_reply_seconds": benchmark})
    assert of(table, "mean_first_reply_seconds", "benchmark_levels", "verdict") == [
        (JANUARY, "fast 60; instant 5", "above"),
        (FEBRUARY, "fast 60; instant 5", "fast"),
        (MARCH, "fast 60; instant 5", "instant"),
    ]


def test_one_end_of_a_range_is_enough() -> None:
    rows = [churn(JANUARY, 1, 10), churn(FEBRUARY, 9, 10)]
    table = scorecard(churn_monthly=rows, benchmarks={"churn_rate": {**NONE, "high": 0.5}})
    names = ("benchmark_low", "benchmark_high", "verdict")
    assert of(table, "churn_rate", *names) == [
        (JANUARY, None, 0.5, "within"),
        (FEBRUARY, None, 0.5, "above"),
    ]


def test_without_a_benchmark_there_is_no_verdict() -> None:
    table = scorecard(churn_monthly=[churn(JANUARY, 1, 10)], benchmarks={"churn_rate": NONE})
    names = ("benchmark_levels", "benchmark_direction", "benchmark_source", "verdict")
    assert of(table, "churn_rate", *names) == [(JANUARY, None, None, None, None)]


def test_a_zero_denominator_is_null_and_has_no_verdict() -> None:
    table = scorecard(churn_monthly=[churn(JANUARY, 0, 0)])
    names = ("value", "numerator", "denominator", "verdict")
    assert of(table, "churn_rate", *names) == [(JANUARY, None, 0.0, 0.0, None)]


def test_segments_have_rows_and_counts_are_measured_by_the_whole_alone() -> None:
    web = {"dimension": "platform", "segment": "web"}
    counts = {"page_views": 8_000, "sessions": 4_000}
    rows = [period(JANUARY, **counts), period(JANUARY, **counts, **web)]
    table = scorecard(sessions_periodic=rows)
    assert of(table, "page_views", "segment", "verdict") == [
        (JANUARY, "all", "small business"),
        (JANUARY, "web", None),
    ]
    assert of(table, "pages_per_session", "segment", "value", "verdict") == [
        (JANUARY, "all", 2.0, "within"),
        (JANUARY, "web", 2.0, "within"),
    ]


def test_two_scales_or_directions_are_two_metrics() -> None:
    rows = [
        answers("visit", "csat", (1, 5), responses=50, satisfied=40),
        answers("visit", "csat", (1, 7), responses=4, satisfied=1),
        answers("visit", "csat", (0, 2.5), responses=4, satisfied=4),
        answers("setup", "ces", (1, 7), responses=3, score=5.5),
        answers("setup", "ces", (1, 7), responses=2, score=2.5, direction="effort"),
        answers("setup", "ces", (1, 5), responses=2, score=2.5, direction="effort"),
        answers("setup", "nps", (0, 10), responses=2, promoters=1, detractors=1),
        answers("setup", "nps", (1, 10), responses=2, promoters=2, detractors=0),
    ]
    table = scorecard(survey_scores=rows)
    # CSAT 100 x 40 / 50 = 80. Every scale of CSAT and NPS has the family's benchmark.
    assert table.select("metric", "segment", "value", "denominator", "verdict").rows() == [
        ("ces_ease_1_7", "setup", 5.5, 3.0, None),
        ("ces_effort_1_5", "setup", 2.5, 2.0, "above"),
        ("ces_effort_1_7", "setup", 2.5, 2.0, "within"),
        ("csat_0_2.5", "visit", 100.0, 4.0, "above"),
        ("csat_1_5", "visit", 80.0, 50.0, "within"),
        ("csat_1_7", "visit", 25.0, 4.0, "below"),
        ("nps", "setup", 0.0, 2.0, "below"),
        ("nps_1_10", "setup", 100.0, 2.0, "excellent"),
    ]


def test_a_metric_s_own_benchmark_goes_before_that_of_its_family() -> None:
    rows = [
        answers("visit", "csat", (1, 5), responses=50, satisfied=40),
        answers("visit", "csat", (1, 7), responses=50, satisfied=40),
    ]
    own = {"csat_1_7": {**NONE, "low": 90.0}, "csat": {**NONE, "high": 70.0}}
    table = scorecard(survey_scores=rows, benchmarks=own)
    assert table.select("metric", "verdict").rows() == [
        ("csat_1_5", "above"),
        ("csat_1_7", "below"),
    ]


def test_segments_of_a_survey_and_answers_that_are_no_score_are_left_out() -> None:
    rows = [
        answers("yearly", "nps", (0, 10), dimension="country", segment="DE", responses=1),
        answers("yearly", "nps", (0, 5), responses=3),
        answers("setup", "ces", (1, 7), responses=0),
    ]
    assert scorecard(survey_scores=rows).is_empty()


def test_days_are_added_up_before_they_are_divided() -> None:
    rows = [
        {"date": day("2025-01-01"), **EVERYBODY, "dau": 10, "paying_users": None},
        {"date": day("2025-01-30"), **EVERYBODY, "segment": "-", "dau": 7, "paying_users": None},
        {"date": day("2025-01-31"), **EVERYBODY, "dau": 30, "paying_users": 100},
        {"date": day("2025-02-01"), **EVERYBODY, "dau": 50, "paying_users": 100},
        {"date": day("2025-02-02"), **EVERYBODY, "dau": 0, "paying_users": 300},
    ]
    table = scorecard(active_users_daily=rows, through="2025-01-31")
    # 30 / 100, since nobody knows who paid on the 1st; 50 / (100 + 300).
    names = ("value", "numerator", "denominator", "verdict", "is_complete")
    assert of(table, "active_to_paying", *names) == [
        (JANUARY, 0.3, 30.0, 100.0, "good", True),
        (FEBRUARY, 0.125, 50.0, 400.0, None, False),
    ]


@pytest.mark.parametrize(("through", "is_complete"), [("2025-01-30", False), ("2025-01-31", True)])
def test_a_table_by_day_without_its_last_day_is_complete_by_the_horizon(
    through: str, is_complete: bool
) -> None:
    row = {"date": day("2025-01-05"), "channel": "Display", "campaign": "sale"}
    table = scorecard(campaigns_daily=[{**row, "impressions": 50, "clicks": 3}], through=through)
    assert table["is_complete"].to_list() == [is_complete] * 3


def test_a_first_month_whose_history_begins_within_it_is_on_no_equal_footing() -> None:
    first_week = {"date": day("2025-01-25"), **EVERYBODY, "dau": 5, "paying_users": 10}
    rows = [period(month, active_users=20, mean_dau=2.0) for month in (JANUARY, FEBRUARY, MARCH)]
    table = scorecard(active_users_daily=[first_week], active_users_periodic=rows)
    names = ("value", "previous_value", "change", "verdict", "is_complete", "is_comparable")
    # Nobody knows the first 24 days of January: February has nothing to be compared with.
    assert of(table, "stickiness", *names) == [
        (JANUARY, 0.1, None, None, None, True, False),
        (FEBRUARY, 0.1, None, None, "below", True, True),
        (MARCH, 0.1, 0.1, 0.0, "below", True, True),
    ]


def test_the_return_of_a_cohort_whose_month_was_half_recorded_is_not_compared() -> None:
    first_day = {"date": day("2025-01-02"), **EVERYBODY, "dau": 5, "paying_users": 10}
    usual = {"definition": "activity", "grain": "month", "period_index": 1, **EVERYBODY}
    rows: list[Row] = [
        {**usual, "cohort_start": day(month), "cohort_users": 4, "active_users": 2}
        for month in (JANUARY, FEBRUARY)
    ]
    whole = [{**row, "is_complete": True} for row in rows]
    table = scorecard(active_users_daily=[first_day], cohort_retention=whole)
    assert of(table, "month_1_retention", "value", "previous_value", "is_comparable") == [
        (FEBRUARY, 0.5, None, False),
        (MARCH, 0.5, None, True),
    ]


def test_surveys_and_tickets_begin_with_their_first_day() -> None:
    scores = {"survey": "s", "kind": "csat", "scale_min": 1.0, "scale_max": 5.0}
    scores |= {"direction": "ease", "responses": 4, "satisfied": 3}
    asked = [
        {**period(first, grain=grain), **scores}
        for grain, first in (("day", "2025-01-02"), ("month", JANUARY), ("month", FEBRUARY))
    ]
    opened = [
        {**tickets(first, "all", "all", timed_resolved=1, resolution_seconds=60.0), "grain": grain}
        for grain, first in (("day", JANUARY), ("month", JANUARY), ("month", FEBRUARY))
    ]
    table = scorecard(survey_scores=asked, support_tickets=opened)
    # 3 of 4 on the scale from 1 to 5 are 75; the first ticket is of the month's first day.
    assert of(table, "csat_1_5", "value", "is_comparable") == [
        (JANUARY, 75.0, False),
        (FEBRUARY, 75.0, True),
    ]
    assert of(table, "mean_resolution_seconds", "value", "change") == [
        (JANUARY, 60.0, None),
        (FEBRUARY, 60.0, 0.0),
    ]


def test_a_horizon_that_one_source_holds_back_takes_nothing_from_the_others() -> None:
    rows = [churn(JANUARY, 1, 4), churn(FEBRUARY, 1, 2)]
    held_back = scorecard(churn_monthly=rows, through="2024-06-30")
    assert held_back.equals(scorecard(churn_monthly=rows, through="2025-03-15"))


def test_clicks_of_campaigns_whose_impressions_are_not_known_make_no_rate() -> None:
    ads: dict[str, Any] = {"date": day("2025-01-05"), "channel": "Display", "campaign": "sale"}
    rows = [
        {**ads, "impressions": 0, "clicks": 1},
        {**ads, "date": day("2025-01-06"), "impressions": 40, "clicks": 1},
        {**ads, "channel": "Search", "impressions": 10, "clicks": 3},
        {**ads, "channel": "Direct", "impressions": 0, "clicks": 9},
    ]
    table = scorecard(campaigns_daily=rows)
    # 5 / 50 of all, which is one campaign; Display 2 / 40, Search 3 / 10.
    assert of(table, "click_through_rate", "dimension", "segment", "value") == [
        (JANUARY, "all", "all", 0.1),
        (JANUARY, "campaign", "sale", 0.1),
        (JANUARY, "channel", "Display", 0.05),
        (JANUARY, "channel", "Search", 0.3),
    ]


def test_engagements_without_known_impressions_are_left_out() -> None:
    post: dict[str, Any] = {"date": day("2025-01-05"), "platform": "x", "account": "a"}
    rows = [
        {**post, "posts_without_impressions": 0, "engagements": 3, "impressions": 100},
        {
            **post,
            "account": "b",
            "posts_without_impressions": 1,
            "engagements": 9,
            "impressions": 5,
        },
        {**post, "account": "c", "posts_without_impressions": 0, "engagements": 9},
        {
            **post,
            "platform": "y",
            "posts_without_impressions": 0,
            "engagements": -1,
            "impressions": 0,
        },
    ]
    table = scorecard(social_engagement_daily=rows)
    # All: (3 - 1) / 100. On y nothing was shown.
    assert of(table, "social_engagement_rate", "segment", "value", "numerator") == [
        (JANUARY, "all", 0.02, 2.0),
        (JANUARY, "x", 0.03, 3.0),
        (JANUARY, "y", None, -1.0),
    ]


def test_times_and_depths_of_pages_are_those_of_the_average_view() -> None:
    page = {"date": day("2025-01-01"), "timed_views": 1, "scroll_views": 1}
    rows: list[Row] = [
        {**page, "page": "/", "time_on_page_seconds": 30.5, "scroll_depth": 0.2},
        {**page, "page": "/a", "time_on_page_seconds": 49.5, "scroll_depth": 0.7},
    ]
    table = scorecard(pages_daily=rows)
    # (30.5 + 49.5) / 2 = 40 s, below 52; (0.2 + 0.7) / 2 = 0.45, below 0.5.
    names = ("value", "numerator", "denominator", "verdict")
    assert of(table, "mean_time_on_page_seconds", *names) == [(JANUARY, 40.0, 80.0, 2.0, "below")]
    assert of(table, "mean_scroll_depth", *names) == [(JANUARY, 0.45, 0.9, 2.0, "below")]


def test_tickets_stand_by_channel_and_by_tier_and_not_by_both() -> None:
    places = [("all", "all"), ("mail", "all"), ("all", "gold"), ("mail", "gold")]
    rows = [
        tickets(JANUARY, channel, tier, resolution_seconds=90.0, timed_resolved=3)
        for channel, tier in places
    ]
    table = scorecard(support_tickets=rows)
    assert of(table, "mean_resolution_seconds", "dimension", "segment", "value") == [
        (JANUARY, "all", "all", 30.0),
        (JANUARY, "channel", "mail", 30.0),
        (JANUARY, "tier", "gold", 30.0),
    ]


def test_people_return_in_the_month_after_that_of_their_cohort() -> None:
    cohort: dict[str, Any] = {
        "definition": "activity",
        "grain": "month",
        "cohort_start": day(JANUARY),
        "period_index": 1,
        **EVERYBODY,
        "cohort_users": 8,
        "active_users": 2,
        "is_complete": True,
    }
    others = [{"period_index": 2}, {"grain": "week"}, {"definition": "buyers"}]
    table = scorecard(cohort_retention=[cohort, *({**cohort, **other} for other in others)])
    assert of(table, "month_1_retention", "value", "denominator") == [(FEBRUARY, 0.25, 8.0)]


def test_goals_and_features_are_segments() -> None:
    goal = period(JANUARY, goal="purchase", converting_users=200, visitors=1_000)
    country = {"dimension": "country", "segment": "DE"}
    feature = period(JANUARY, feature="board", feature_users=29, active_users=100)
    table = scorecard(
        conversions_periodic=[goal, {**goal, **country}],
        feature_usage=[feature, {**feature, **country}, {**feature, "grain": "day"}],
    )
    names = ("dimension", "segment", "value", "verdict")
    # 200 of 1,000 visitors buy: 0.2.
    assert of(table, "user_conversion_rate", *names) == [(JANUARY, "goal", "purchase", 0.2, None)]
    assert of(table, "feature_adoption", *names) == [(JANUARY, "feature", "board", 0.29, "average")]


def test_lifetime_value_is_predicted_else_simple_and_needs_a_cost() -> None:
    usual: dict[str, Any] = {
        "month": day(JANUARY),
        "model": "sbg",
        **EVERYBODY,
        "predicted_clv_amount": 120,
        "simple_clv_amount": 80,
        "acquisition_cost_amount": 40,
        "clv_basis": "predicted",
        "is_complete": True,
    }
    simple = {"month": day(FEBRUARY), "clv_basis": "simple", "predicted_clv_amount": None}
    costless = {"dimension": "country", "segment": "DE", "acquisition_cost_amount": None}
    rows = [usual, {**usual, **simple}, {**usual, **costless}, {**usual, "model": "bg_nbd"}]
    table = scorecard(clv_monthly=rows)
    names = ("value", "numerator", "denominator", "verdict")
    assert of(table, "clv_to_cac_sbg", *names) == [
        (JANUARY, 3.0, 120.0, 40.0, "within"),
        (FEBRUARY, 2.0, 80.0, 40.0, "below"),
    ]
    assert of(table, "clv_to_cac_bg_nbd", *names) == [(JANUARY, 3.0, 120.0, 40.0, "within")]


def test_without_any_rows_there_is_no_scorecard() -> None:
    assert scorecard().is_empty()


def test_every_metric_and_benchmark_has_one_name_and_its_source() -> None:
    names = [kpi.metric for kpi in KPIS]
    assert len(set(names)) == len(names)
    scored = {"ces_effort_1_5", "ces_effort_1_7"}
    assert BENCHMARKS.keys() - scored <= set(BENCHMARK_NAMES)
    assert all(each.source for each in BENCHMARKS.values())
