import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pytest
from homes import scratch
from report_rows import (
    ANSWERED,
    FEB,
    LEDGER,
    TABLES,
    kpi,
    publish,
    read_page,
    rows_shown,
    score,
)

from pipelines.report.metrics import Metric
from pipelines.report.report import report_page
from pipelines.report.topics import by_grain


def page_of(folder: Path, **tables: list[dict[str, Any]]) -> str:
    return report_page(publish(folder, tables), timezone="Europe/Berlin", currency="EUR")


@pytest.fixture(scope="module", autouse=True)
def undrawn_charts() -> Iterator[None]:
    """Drawing takes seconds; what is drawn is looked at in a browser."""
    with patch("vl_convert.vegalite_to_svg", return_value="<svg></svg>"):
        yield


@pytest.fixture(scope="module")
def page() -> Iterator[str]:
    with scratch() as folder:
        yield page_of(folder, **TABLES)


def shown(page: str, place: str) -> list[list[str]]:
    return rows_shown(read_page(page), place)


def test_the_scorecard_has_the_last_complete_month_of_each_metric_in_words(page: str):
    assert shown(page, "scorecard") == [
        ["Stickiness: mean day to month", "Feb 2025", "13.8 %", "+0.5 pp", "–",
         "good 13 % (higher is better)", "▲ beyond “good”"],
        ["Bounce rate", "Feb 2025", "14.0 %", "–", "–",
         "usual 20 % to 55 % (lower is better)", "▲ below the usual range, which is better"],
        ["Sessions that convert: sign up", "Feb 2025", "2.5 %", "–", "–", "–", "–"],
        ["Monthly recurring revenue", "Feb 2025", "29,218 EUR", "−1,000 EUR", "–", "–", "–"],
    ]  # fmt: skip


def test_what_matters_most_stands_at_the_head(page: str):
    heads = re.findall(r"<li><span>([^<]*)</span> <strong><data value=\"([^\"]*)\">([^<]*)<", page)
    assert heads == [
        ("Monthly recurring revenue", "29218.1632", "29,218\u00a0EUR"),
        ("Sessions that convert: sign up", "0.025", "2.5\u00a0%"),
    ]
    assert "Feb 2025, −1,000\u00a0EUR since the month before" in page


def test_numbers_stand_in_the_page_to_their_last_digit(page: str):
    assert read_page(page).exact["scorecard"][4][2] == "29218.1632"
    assert read_page(page).exact["mrr-movements"][1][7] == "449.6284"


def test_active_people_are_those_of_the_table_and_a_zero_denominator_is_no_number(page: str):
    assert shown(page, "active-users") == [
        ["12 Mar 2025", "0", "0", "0", "28"],
        ["11 Mar 2025", "13", "40", "100", "28"],
        ["10 Mar 2025", "1", "1", "1", "27"],
    ]
    # 13 of 100 people.
    assert [row[3] for row in shown(page, "stickiness")] == ["–", "13.0 %", "100.0 %"]


def test_periods_that_are_not_over_are_marked(page: str):
    assert shown(page, "active-periods") == [
        ["1 Mar 2025", "50", "1.0", "so far"],
        ["1 Feb 2025", "1,182", "1.0", "complete"],
    ]


def test_the_days_that_people_came_are_those_of_the_last_period_that_is_over(page: str):
    assert shown(page, "active-days") == [["1", "7"], ["3", "2"]]
    # Of 7 + 2 people.
    assert "Of 9 people 7 came on one day only" in read_page(page).alternatives["active-days"]


def test_retention_shows_who_came_back_of_how_many(page: str):
    # 18 of 40 and 5 of 40.
    assert shown(page, "retention-map") == [
        ["1 Feb 2025", "0", "40", "40", "100.0 %", "complete"],
        ["1 Feb 2025", "1", "40", "18", "45.0 %", "complete"],
        ["1 Feb 2025", "2", "40", "5", "12.5 %", "so far"],
        ["1 Mar 2025", "0", "10", "10", "100.0 %", "so far"],
    ]


def test_retention_of_all_cohorts_is_of_the_people_who_could_have_come_back(page: str):
    # 18 of 40 after one week; the second week is not over for anybody.
    assert shown(page, "retention-curve") == [["1", "1", "40", "18", "45.0 %"]]


def test_lifecycle_shows_what_adds_up_to_the_active_people_and_who_stayed_away(page: str):
    # Retained, resurrected, new, dormant, active: 20 + 3 + 5 = 28.
    assert shown(page, "lifecycle-weeks") == [
        ["1 Mar 2025", "10", "0", "1", "18", "11", "so far"],
        ["1 Feb 2025", "20", "3", "5", "4", "28", "complete"],
    ]


def test_revenue_movements_make_the_closing_amount(page: str):
    # 408.8784 + 100 + 50.5 - 10 - 99.75 = 449.6284.
    assert shown(page, "mrr-movements")[0] == [
        "1 Mar 2025", "408.88", "100.00", "0.00", "50.50", "−10.00", "−99.75", "449.63", "so far",
    ]  # fmt: skip
    assert [row[1:4] for row in shown(page, "mrr-closing")] == [
        ["449.63", "90.0 %", "95.0 %"],
        ["408.88", "–", "–"],
    ]


def test_orders_have_their_worth_and_the_customers_that_they_make(page: str):
    # 59.70 / 3 = 19.90.
    assert shown(page, "order-worth") == [
        ["1 Mar 2025", "1", "1,450.44", "1,450.44", "3", "so far"],
        ["1 Feb 2025", "3", "59.70", "19.90", "2", "complete"],
    ]
    # 2 + 1 + 1 - 1 = 3.
    assert shown(page, "order-customers") == [
        ["1 Mar 2025", "2", "1", "1", "1", "3", "50.0 %", "so far"],
        ["1 Feb 2025", "0", "2", "0", "0", "2", "–", "complete"],
    ]
    said = read_page(page).alternatives["order-worth"]
    assert "In Mar 25 so far they brought 1,450; their number was 1." in said


def test_survey_scores_have_their_interval_and_a_month_without_answers_has_none(page: str):
    assert shown(page, "survey-1") == [
        ["1 Feb 2025", "50", "40.0", "21.3", "55.7", "100", "50.0 %", "complete"],
        ["1 Jan 2025", "0", "–", "–", "–", "100", "50.0 %", "complete"],
    ]


def test_channels_are_those_of_the_last_28_days(page: str):
    # Of 15 sessions by e-mail 3 convert.
    channels = [["Email", "15", "3", "20.0 %"], ["Direct", "4", "0", "0.0 %"]]
    assert shown(page, "channel-sessions") == channels
    assert shown(page, "channel-conversion") == channels


def test_data_quality_counts_every_row_once_and_late_rows_by_age(page: str):
    assert shown(page, "row-fates") == [
        ["events", "2", "1", "1,000", "900", "60", "6.0 %", "40", "5"]
    ]
    # 90 a day or more, 30 of them a week or more, 10 of these a month or more.
    assert shown(page, "late-rows") == [["events", "1,000", "60", "20", "10"]]
    assert "Files that could not be read to their end and were refused: 1." in page


def test_restated_numbers_are_counted_by_publication_and_cause(page: str):
    assert shown(page, "restated-numbers") == [
        ["2025-03-12 03:00:00", "late rows", "2", "2", "1 Feb 2025", "1 Feb 2025"],
        ["2025-03-12 03:00:00", "person merged", "1", "1", "1 Feb 2025", "1 Feb 2025"],
        ["2025-03-11 03:00:00", "late rows", "1", "1", "1 Feb 2025", "1 Feb 2025"],
    ]


def test_every_chart_has_an_alternative_text_with_numbers(page: str):
    read = read_page(page)
    assert read.svgs == len(read.alternatives) == 18
    assert all(re.search(r"\d", text) for text in read.alternatives.values())
    assert "40.0, between 21.3 and 55.7, of 50 answers" in read.alternatives["survey-1"]


def test_the_page_loads_nothing(page: str):
    read = read_page(page)
    # A link to the dictionary is followed by people only.
    assert {each.partition("#")[0] for each in read.loads} == {"dictionary.html"}
    assert re.findall(r"url\((?!#)", page) == []
    assert "http" not in page.replace("http-equiv", "")


def test_the_zone_the_currency_and_the_publication_are_named(page: str):
    text = read_page(page).text
    assert "time zone Europe/Berlin" in text
    assert "Money is in EUR" in text
    assert "Publication abcdef" in text
    assert "through 12 Mar 2025" in text


def test_what_is_missing_is_said_with_its_reason(folder: Path):
    there = {name: TABLES[name] for name in ("active_users_daily", "ingest_ledger")}
    surveys = {**LEDGER, "source": "surveys"}
    page = page_of(
        folder,
        active_users_daily=there["active_users_daily"],
        ingest_ledger=[*there["ingest_ledger"], surveys],
        survey_scores=TABLES["survey_scores"][:1],
    )
    read = read_page(page)
    assert set(read.tables) == {"active-users", "stickiness", "row-fates", "late-rows"}
    assert "no files of the source subscriptions have landed." in read.text
    # Events have landed, and the table is not there.
    assert "the table lifecycle has not been built and published yet." in read.text
    # One month, in which nobody answered.
    assert "nobody has answered a survey yet." in read.text
    assert "There is no log of restatements yet." in read.text


def test_tables_without_rows_say_so(folder: Path):
    publish(folder, TABLES)
    for path in folder.glob("*.parquet"):
        if path.stem != "ingest_ledger":
            pl.read_parquet(path).clear().write_parquet(path)
    read = read_page(report_page(folder, timezone="UTC", currency="EUR"))
    assert set(read.tables) == {"row-fates", "late-rows"}
    said = "the table {} is published and has no row that could be shown."
    assert all(said.format(name) in read.text for name in ("active_users_daily", "lifecycle"))
    assert "no month of any metric is complete yet." in read.text


@pytest.mark.parametrize(
    ("months", "weeks", "days", "shown"),
    [
        (7, 30, 210, ["month", "week"]),
        (6, 26, 180, ["week", "day"]),
        (1, 2, 9, ["day"]),
        (1, 1, 1, ["day"]),
        (2, 4, 0, ["week"]),
    ],
)
def test_the_coarsest_grain_with_more_than_six_periods_is_shown(
    months: int, weeks: int, days: int, shown: list[str]
):
    grains = ["month"] * months + ["week"] * weeks + ["day"] * days
    starts = [*range(months), *range(weeks), *range(days)]
    rows = pl.DataFrame({"grain": grains, "period_start": starts})
    found = by_grain(rows)
    assert list(found) == shown
    assert all(found[grain].height == grains.count(grain) for grain in shown)


def test_many_surveys_are_cut_to_those_with_most_answers(folder: Path):
    rows = [
        {**score("csat", FEB, responses=n, score=50.0, ci_low=40.0, ci_high=60.0, **ANSWERED),
         "survey": f"s{n:02}"}
        for n in range(1, 11)
    ]  # fmt: skip
    read = read_page(page_of(folder, survey_scores=rows))
    assert len(read.alternatives) == 8
    assert read.alternatives["survey-1"].startswith("S10")
    assert "2 more surveys" in read.text


def metric(**said: Any) -> Metric:
    return Metric({**kpi("bounce_rate", FEB, 0.5, "fraction"), **said}, "EUR")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ({"verdict": "within", "benchmark_low": 0.2}, "● within the usual range"),
        ({"verdict": "above", "benchmark_low": 0.2, "benchmark_direction": "lower"},
         "▼ above the usual range"),
        ({"verdict": "above", "benchmark_low": 0.2, "benchmark_direction": "higher"},
         "▲ above the usual range, which is better"),
        ({"verdict": "below", "benchmark_levels": "good 0.6", "benchmark_direction": "higher"},
         "▼ below every threshold"),
        ({"is_comparable": False}, "not comparable: history begins in this month"),
        ({"value": None}, "no value in this month"),
        ({}, "–"),
    ],
)  # fmt: skip
def test_a_verdict_is_told_in_words(said: dict[str, Any], verdict: str):
    assert metric(**said).verdict == verdict


def test_a_threshold_whose_name_has_its_number_says_it_once():
    told = metric(benchmark_levels="under 0.40 0.4", benchmark_direction="lower")
    assert told.usual == "under 40\u00a0% (lower is better)"


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("nps", "NPS: all"),
        ("csat_1_5", "CSAT from 1 to 5: all"),
        ("ces_effort_1_7", "CES from 1 to 7, high is hard: all"),
        ("pages_per_session", "Pages per session"),
        ("session_conversion_rate", "Sessions that convert"),
    ],
)
def test_metrics_are_called_what_people_call_them(name: str, label: str):
    assert Metric(kpi(name, FEB, 1.0, "points"), "EUR").label == label
