from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from frames import Row, collected, day, frame
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle.alerts import alerts_oracle
from polars.testing import assert_frame_equal

from pipelines import registry
from schemas.base import empty
from schemas.metric_alerts import MetricAlerts
from transforms.metric_alerts import metric_alerts

TABLES = registry.BY_NAME["metric_alerts"].reads
MODELS = {name: registry.FILINGS[name].model for name in TABLES}
# A Monday. Sixty-three days are nine whole weeks: the next Monday is the first that has enough of
# everything, since four weeks stand behind what is usual, four days behind the level and 28 errors
# behind the spread: 28 + 4 + 28 = 60 days.
FIRST = day("2025-01-06")
WEEKS = 9
EVERYBODY = {"dimension": "all", "segment": "all", "is_complete": True}


def at(index: int) -> date:
    return FIRST + timedelta(days=index)


def alerts(
    *, lag: int = 0, deviations: float = 5, min_change: float = 0.2, **tables: Sequence[Row]
) -> pl.DataFrame:
    """The alerts of these rows of its tables; the other tables are empty."""
    rows = {name: frame(MODELS[name], given) for name, given in tables.items()}
    given = {**{name: empty(model) for name, model in MODELS.items()}, **rows}
    table = metric_alerts(
        **given,
        landing_lag_days=lag,
        alert_deviations=deviations,
        alert_min_change=min_change,
    )
    return collected(table, MetricAlerts)


def actives(values: Sequence[int | None], **columns: Any) -> list[Row]:
    """Daily active users from the first day on; None leaves a day out."""
    return [
        {"date": at(index), **EVERYBODY, **columns, "dau": value}
        for index, value in enumerate(values)
        if value is not None
    ]


def visits(bounced: Sequence[int], of: int) -> list[Row]:
    return [
        {"date": at(i), **EVERYBODY, "bounced_sessions": some, "page_view_sessions": of}
        for i, some in enumerate(bounced)
    ]


def files(source: str, rows: dict[int, int], quarantined: int = 0) -> list[Row]:
    return [
        {
            "landing_date": at(index),
            "source": source,
            "file": file,
            "read_rows": count,
            "quarantined_rows": quarantined,
        }
        for index, count in rows.items()
        for file in ("a.csv", "b.csv")
    ]


def found(table: pl.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return table.select(*columns).rows()


def test_a_number_that_was_the_same_for_weeks_may_move_by_chance_and_not_by_more() -> None:
    # Of 100 every day the spread is that of chance: 1 on the scale y = 2 sqrt(x + 3/8). Five of it
    # further lies ((y +- 5) / 2)^2 - 3/8 = 100 + 25/4 +- 5 sqrt(100.375) = 106.25 +- 50.093662. A
    # fifth of 100 lies within.
    steady = [100] * 63
    assert alerts(active_users_daily=actives([*steady, 156])).is_empty()
    (high,) = alerts(active_users_daily=actives([*steady, 157])).rows(named=True)
    assert high["date"] == at(63)
    assert (high["table"], high["metric"]) == ("active_users_daily", "dau")
    assert high["row_key"] == '{"date":"2025-03-10","dimension":"all","segment":"all"}'
    assert (high["value"], high["expected_value"], high["direction"]) == (157, 100, "high")
    assert high["expected_low"] == pytest.approx(56.156338, abs=1e-6)
    assert high["expected_high"] == pytest.approx(156.343662, abs=1e-6)
    assert high["outside"] == pytest.approx(157 - 156.343662, abs=1e-6)
    # (2 sqrt(157.375) - 2 sqrt(100.375)) / 1 = 25.0898 - 20.0375
    assert high["deviations"] == pytest.approx(5.0523, abs=1e-3)

    (low,) = alerts(active_users_daily=actives([*steady, 56])).rows(named=True)
    assert (low["direction"], low["value"]) == ("low", 56)
    assert low["outside"] == pytest.approx(56 - 56.156338, abs=1e-6)
    assert low["deviations"] < -5


def test_weekdays_are_known() -> None:
    week = [1000, 1000, 1000, 1000, 1000, 100, 50]
    # A Saturday like Saturdays is no alarm; a Monday like a Sunday is one.
    assert alerts(active_users_daily=actives(week * (WEEKS + 1))).is_empty()
    table = alerts(active_users_daily=actives([*week * WEEKS, 50]))
    assert found(table, "date", "value", "expected_value") == [(at(63), 50, 1000)]


def test_a_large_number_is_no_alarm_within_the_smallest_change_that_counts() -> None:
    # Chance moves a million by a thousand; five of that are half a percent.
    steady = [1_000_000] * 63
    assert alerts(active_users_daily=actives([*steady, 1_200_000])).is_empty()
    assert alerts(active_users_daily=actives([*steady, 1_200_001])).height == 1
    assert alerts(active_users_daily=actives([*steady, 1_010_000]), min_change=0).height == 1


def test_small_numbers_are_no_alarm_by_chance() -> None:
    # Of 2 a day chance reaches from nothing to 16: 2 sqrt(2.375) = 3.08, and 3.08 + 5 = 8.08.
    steady = [2] * 63
    assert alerts(active_users_daily=actives([*steady, 0])).is_empty()
    assert alerts(active_users_daily=actives([*steady, 15])).is_empty()
    assert alerts(active_users_daily=actives([*steady, 16])).height == 1


def test_growth_is_no_alarm() -> None:
    growing = [round(1000 * 1.02**index) for index in range(100)]
    assert alerts(active_users_daily=actives(growing)).is_empty()


def test_a_new_level_is_an_alarm_for_four_days_that_began_on_the_first() -> None:
    # From the fifth day on most of the seven days before lie on the new level.
    table = alerts(active_users_daily=actives([1000] * 63 + [300] * 10))
    assert found(table, "date", "first_date", "direction") == [
        (at(63 + index), at(63), "low") for index in range(4)
    ]


def test_days_that_are_out_with_others_between_are_told_apart() -> None:
    values = [1000] * 63 + [300, 300, 1000, 300, 2000]
    table = alerts(active_users_daily=actives(values))
    assert found(table, "date", "first_date", "direction") == [
        (at(63), at(63), "low"),
        (at(64), at(63), "low"),
        (at(66), at(66), "low"),
        (at(67), at(67), "high"),
    ]


def test_one_wild_day_in_the_past_hides_nothing_and_raises_nothing() -> None:
    values = [1000] * 63
    values[40] = 50_000
    table = alerts(active_users_daily=actives([*values, 1000, 2000]))
    assert found(table, "date") == [(at(64),)]


def test_what_is_noisy_by_nature_must_move_further() -> None:
    noisy = [700, 1300] * 31 + [700]
    assert alerts(active_users_daily=actives([*noisy, 1900])).is_empty()
    assert alerts(active_users_daily=actives([1000] * 63 + [1900])).height == 1


def test_a_number_without_history_is_not_judged() -> None:
    # Sixty days stand behind the sixty-first, and 59 are too few.
    assert alerts(active_users_daily=actives([100] * 59 + [900])).is_empty()
    (row,) = alerts(active_users_daily=actives([100] * 60 + [900])).rows(named=True)
    assert row["history_days"] == 28


def test_days_that_are_missing_are_no_days_of_nobody() -> None:
    values: list[int | None] = [*[100] * 90, 900]
    for index in range(50, 57):
        values[index] = None
    assert found(alerts(active_users_daily=actives(values)), "date") == [(at(90),)]


def test_only_the_rows_of_everybody_are_watched() -> None:
    rows = actives([100] * 63 + [900], dimension="platform", segment="web")
    assert alerts(active_users_daily=rows).is_empty()


def test_a_share_is_judged_by_what_it_is_a_share_of() -> None:
    # 40 of 100 lies at 2 asin(sqrt(0.4)) = 1.3694, and chance is 1 / sqrt(100) = 0.1: up to 1.8694,
    # which is 0.647111; 64 of 100 are within, 65 are not.
    steady = [40] * 63
    assert alerts(sessions_daily=visits([*steady, 64], 100)).is_empty()
    (row,) = alerts(sessions_daily=visits([*steady, 65], 100)).rows(named=True)
    assert (row["metric"], row["value"], row["expected_value"]) == ("bounce_rate", 0.65, 0.4)
    assert row["expected_high"] == pytest.approx(0.647111, abs=1e-6)
    # Of 20 sessions 13 are the same share, and may be chance.
    assert alerts(sessions_daily=visits([8] * 63 + [13], 20)).is_empty()


def test_a_share_of_nothing_is_no_share() -> None:
    assert alerts(sessions_daily=visits([0] * 70, 0)).is_empty()


def test_rows_that_landed_are_added_up_over_files_and_a_missing_day_is_none() -> None:
    # 2 x 500 rows every day; on the last but one nothing came.
    rows = files("events", {index: 500 for index in range(65) if index != 63})
    (row,) = alerts(ingest_ledger=rows).rows(named=True)
    assert (row["date"], row["metric"], row["value"]) == (at(63), "read_rows", 0)
    assert row["expected_value"] == 1000
    assert row["row_key"] == '{"landing_date":"2025-03-10","source":"events"}'


def test_a_source_that_comes_on_mondays_alone_is_missed_on_mondays_alone() -> None:
    mondays = dict.fromkeys(range(0, 91, 7), 500)
    assert alerts(ingest_ledger=files("surveys", mondays)).is_empty()
    del mondays[77]
    table = alerts(ingest_ledger=files("surveys", mondays))
    assert found(table, "date", "value", "expected_value") == [(at(77), 0, 1000)]


def test_a_landing_date_that_may_still_grow_is_not_judged() -> None:
    rows = files("events", dict.fromkeys(range(63), 500) | {63: 10})
    assert found(alerts(ingest_ledger=rows), "date") == [(at(63),)]
    assert alerts(ingest_ledger=rows, lag=1).is_empty()


def test_refused_rows_are_a_share_of_those_read() -> None:
    rows = [*files("events", dict.fromkeys(range(63), 500)), *files("events", {63: 500}, 100)]
    table = alerts(ingest_ledger=rows)
    assert found(table, "metric", "value", "expected_value") == [("quarantined_share", 0.2, 0)]


def test_a_day_is_judged_by_what_was_known_before_it() -> None:
    values = [100, 130, 90, 170, 110, 60, 20] * 9 + [400, 90, 90, 900, 0, 0, 0]
    whole = alerts(active_users_daily=actives(values))
    for days in range(63, 71):
        known = alerts(active_users_daily=actives(values[:days]))
        assert known.equals(whole.filter(pl.col("date") < at(days)))


@settings(max_examples=8)
@given(st.data())
def test_the_alerts_are_those_of_the_second_computation(data: st.DataObject) -> None:
    count = st.one_of(st.none(), st.integers(0, 40), st.sampled_from([100, 1000, 5000]))
    base = data.draw(st.integers(0, 3000))
    noise = data.draw(st.lists(st.integers(0, 400), min_size=75, max_size=75))
    spikes = data.draw(st.lists(count, min_size=20, max_size=20))
    values = [base + each for each in noise] + spikes
    deviations = data.draw(st.sampled_from([1.0, 2.5, 5.0]))
    min_change = data.draw(st.sampled_from([0.0, 0.2]))
    bounced = [(value or 0) // 2 for value in values]
    tables = {
        "active_users_daily": actives(values),
        "sessions_daily": visits(bounced, 5000),
        "ingest_ledger": files("events", {i: v for i, v in enumerate(values) if v}, quarantined=1),
    }
    found = alerts(lag=1, deviations=deviations, min_change=min_change, **tables)
    assert_agrees(found, tables, lag_days=1, deviations=deviations, min_change=min_change)


def assert_agrees(found: pl.DataFrame, tables: dict[str, list[Row]], **options: Any) -> None:
    frames = {name: frame(model, tables.get(name, ())) for name, model in MODELS.items()}
    expected = alerts_oracle({n: f.collect() for n, f in frames.items()}, **options)
    typed = expected.select(found.columns).cast(dict(found.schema))
    key = ["date", "table", "metric", "row_key"]
    # Roots, sines and their inverses are of two libraries: all but the last digits agree.
    assert_frame_equal(found.sort(key), typed.sort(key), rel_tol=1e-9, abs_tol=2e-6)
