"""The small chart that Dagster shows of a table."""

import polars as pl
from frames import Row, day, frame

from pipelines.orchestration.charts import chart
from pipelines.registry import BY_NAME

EVERYBODY = {"dimension": "all", "segment": "all"}


def drawn(table: str, rows: list[Row]) -> str | None:
    spec = BY_NAME[table]
    return chart(spec, frame(spec.model, rows))


def test_the_row_of_everybody_is_drawn_from_the_lowest_to_the_highest() -> None:
    rows: list[Row] = [
        {"date": day(f"2025-03-0{index}"), **EVERYBODY, "dau": value}
        for index, value in enumerate([0, 7, 14, 1400], start=1)
    ]
    others: list[Row] = [
        {"date": day("2025-03-01"), "dimension": "platform", "segment": "web", "dau": 9}
    ]
    # Seven steps of 200: 0 is none of them, 7 and 14 are nearly none, 1,400 is all seven.
    assert drawn("active_users_daily", rows + others) == (
        "▁▁▁█ dau, 2025-03-01 to 2025-03-04: 0 to 1,400"
    )


def test_of_several_grains_days_are_drawn() -> None:
    place = {"channel": "all", "tier": "all"}
    rows: list[Row] = [
        {"grain": "day", "period_start": day("2025-03-01"), **place, "opened": 3},
        {"grain": "month", "period_start": day("2025-03-01"), **place, "opened": 90},
    ]
    assert drawn("support_tickets", rows) == "▁ opened, 2025-03-01 to 2025-03-01: 3 to 3"


def test_a_table_without_a_row_of_everybody_has_no_chart() -> None:
    rows: list[Row] = [{"date": day("2025-03-01"), "goal": "a", **EVERYBODY, "conversions": 1}]
    assert drawn("conversions_daily", rows) is None
    assert drawn("active_users_daily", []) is None


def test_no_more_than_sixty_periods_are_drawn() -> None:
    days = pl.date_range(day("2025-01-01"), day("2025-03-31"), eager=True)
    rows: list[Row] = [{"date": each, **EVERYBODY, "dau": 1} for each in days]
    bars = str(drawn("active_users_daily", rows)).split(" ")[0]
    assert len(bars) == 60
