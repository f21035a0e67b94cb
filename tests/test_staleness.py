"""What is known to be up to date without a look, and what is looked at when something changed."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from homes import Kept, event, land, make_home, rebuilt, run_home, scratch
from hypothesis import given
from hypothesis import strategies as st

from pipelines import references, registry
from pipelines.errors import TidemarkError
from pipelines.home import open_home
from pipelines.session import reading, writing
from pipelines.warehouse import digests
from pipelines.warehouse.bring_up import Days
from pipelines.warehouse.digests import Digester
from pipelines.warehouse.land import Lander
from pipelines.warehouse.records import Change, Slice, SliceKey
from pipelines.warehouse.staleness import in_any
from pipelines.warehouse.states import TableState, changed_state

DAYS = [date(2024, 11, day) for day in range(1, 31)] + [date(2024, 12, 1)]


@pytest.fixture(scope="module")
def kept() -> Iterator[Kept]:
    """A home of a month and a day, after a run."""
    with scratch() as folder:
        files = {str(day): [event(f"e{day}", f"{day}T10:00:00")] for day in DAYS}
        home = make_home(folder / "home", files=files)
        run_home(home)
        yield Kept(home)


@pytest.fixture
def ran(kept: Kept) -> Path:
    return kept.restore()


@contextmanager
def digested() -> Iterator[list[tuple[str, SliceKey]]]:
    """Table and slice of every digest that is computed."""
    seen: list[tuple[str, SliceKey]] = []
    as_it_is = Digester.beside_own_past

    def watched(self: Digester, key: SliceKey) -> bytes:
        seen.append((self._spec.name, key))
        return as_it_is(self, key)

    with patch.object(Digester, "beside_own_past", watched):
        yield seen


def of_table(seen: list[tuple[str, SliceKey]], name: str) -> set[date]:
    return {key.period for table, key in seen if table == name}


# Nothing to do


def test_a_run_with_nothing_to_do_digests_no_slice_and_loads_none(ran: Path) -> None:
    # The files of a copied home are hashed once.
    run_home(ran)
    with digested() as seen, writing(open_home(ran)) as session:
        session.land()
        for spec in registry.TABLES:
            session.bring_up(spec, Days())
        session.publish()
        assert session.manifest.slices._loaded == {}
        assert "landing_files" not in vars(session.manifest)
    assert seen == []


def test_a_run_with_nothing_to_do_tells_of_all_slices_and_rows(ran: Path) -> None:
    told = {each.table: (each.slices, each.rows) for each in run_home(ran).built}
    assert told["events"] == told["user_days"] == (31, 31)
    with reading(open_home(ran)) as session:
        for table, slices in session.manifest.slices.items():
            if table in told:
                assert told[table] == (len(slices), sum(each.rows for each in slices.values()))


def test_the_state_that_is_kept_is_that_of_the_slices(ran: Path) -> None:
    land(ran, "2024-12-02", [event("late", "2024-11-05T12:00:00", user_id="bob")])
    run_home(ran)
    with reading(open_home(ran)) as session:
        for table, slices in session.manifest.slices.items():
            assert session.manifest.state(table) == changed_state(TableState(), {}, slices)[0]


# What is looked at


def test_a_new_day_has_only_the_slices_looked_at_that_it_can_reach(ran: Path) -> None:
    land(ran, "2024-12-02", [event("new", "2024-12-02T10:00:00")])
    with digested() as seen:
        run_home(ran)
    new = date(2024, 12, 2)
    assert of_table(seen, "events") == of_table(seen, "user_days") == {new}
    # A week to either side, and the stitches of a month and a day before.
    assert of_table(seen, "duplicate_events") == {*DAYS[-7:], new}
    assert of_table(seen, "user_months") == {date(2024, 12, 1)}
    # Sessions go on for a day, and need that of the day before.
    assert of_table(seen, "session_days") == {date(2024, 12, 1), new}


def test_a_late_row_has_its_own_day_looked_at_and_no_later_ones(ran: Path) -> None:
    land(ran, "2024-12-01", [event("late", "2024-11-05T12:00:00")], "late.ndjson")
    with digested() as seen:
        run_home(ran)
    assert of_table(seen, "events") == {date(2024, 11, 5)}
    assert of_table(seen, "user_days") == {date(2024, 11, 5)}
    assert of_table(seen, "user_months") == {date(2024, 11, 1)}


def test_a_slice_that_is_lost_is_found_although_its_table_was_settled(ran: Path) -> None:
    with writing(open_home(ran)) as session:
        dropped = {("user_days", SliceKey(date(2024, 11, 5)))}
        session.manifest.commit(Change(dropped_slices=dropped))
    assert rebuilt(run_home(ran)) == {"user_days": 1}


def test_a_narrow_run_leaves_what_a_later_one_finds(ran: Path) -> None:
    land(ran, "2024-12-02", [event("late", "2024-11-05T12:00:00", user_id="bob")])
    run_home(ran, days=Days(date(2024, 12, 1)))
    built = rebuilt(run_home(ran))
    assert built["user_days"] == built["user_months"] == 1


def test_what_a_narrow_run_left_is_found_by_another_session(ran: Path) -> None:
    land(ran, "2024-12-02", [event("late", "2024-11-05T12:00:00", user_id="bob")])
    run_home(ran, select=["events"])
    with reading(open_home(ran)) as session:
        stale = session.stale()
    assert stale["events"] == 0
    assert stale["links"] == 1
    built = rebuilt(run_home(ran))
    assert built["links"] == built["user_days"] == 1


def test_changed_code_of_an_input_is_noticed_where_its_content_comes_out_otherwise(
    ran: Path,
) -> None:
    version = digests.code_version

    def changed(*modules: str) -> bytes:
        return version(*modules) + (b"edited" if "transforms.users" in modules else b"")

    with patch.object(digests, "code_version", changed):
        assert rebuilt(run_home(ran)) == {"users": 2}
        assert rebuilt(run_home(ran)) == {}
    assert rebuilt(run_home(ran)) == {"users": 2}


@pytest.mark.parametrize(
    ("line", "table"),
    [
        ("wau_window_days = 5", "active_users_daily"),
        ("session_timeout_minutes = 5", "session_days"),
        ("churn_horizon_days = 30", "customer_profiles"),
    ],
)
def test_a_changed_setting_is_noticed_by_the_tables_that_it_shapes(
    ran: Path, line: str, table: str
) -> None:
    (ran / "tidemark.toml").write_text(f"{line}\n", encoding="utf-8")
    built = rebuilt(run_home(ran))
    assert table in built
    assert "events" not in built
    assert rebuilt(run_home(ran)) == {}


def test_another_version_of_a_reference_is_noticed(ran: Path) -> None:
    newer = references.REFERENCES["crawler_patterns"]
    other = type(newer)(lambda: "crawler-user-agents 99", newer.load)
    with patch.dict(references.REFERENCES, {"crawler_patterns": other}):
        assert rebuilt(run_home(ran))["excluded_events"] == 31


# Landing


def test_a_file_that_changes_in_place_is_read_although_landing_was_settled(ran: Path) -> None:
    land(ran, "2024-11-05", [event("other", "2024-11-05T10:00:00", user_id="bob")])
    report = run_home(ran)
    assert report.landed[0].landing_dates == 1
    assert rebuilt(report)["events"] == 1


def test_files_of_lost_rows_are_read_again_although_landing_was_settled(ran: Path) -> None:
    for path in (ran / "warehouse/landed_events").iterdir():
        path.unlink()
    report = run_home(ran)
    assert report.landed[0].landing_dates == 31
    assert rebuilt(report) == {}


def test_a_new_landing_date_has_no_other_looked_into(ran: Path) -> None:
    run_home(ran)
    land(ran, "2024-12-02", [event("new", "2024-12-02T10:00:00")])
    with patch.object(Lander, "_is_stale", autospec=True, side_effect=Lander._is_stale) as asked:
        run_home(ran)
    assert [call.args[2].landing_date for call in asked.call_args_list] == [date(2024, 12, 2)]


def test_files_taken_away_are_noticed_although_landing_was_settled(ran: Path) -> None:
    run_home(ran)
    next((ran / "landing/events/2024-11-05").iterdir()).unlink()
    with pytest.raises(TidemarkError, match=r"2024-11-05/events\.ndjson"):
        run_home(ran)
    report = run_home(ran, accept_removed=True)
    assert {each.table: each.removed for each in report.built}["events"] == 1


def test_other_rules_of_reading_have_all_of_a_settled_landing_read_again(ran: Path) -> None:
    run_home(ran)
    (ran / "tidemark.toml").write_text("max_line_bytes = 5000\n", encoding="utf-8")
    report = run_home(ran)
    assert report.landed[0].landing_dates == 31
    assert rebuilt(report) == {}


# The sums

slices = st.dictionaries(
    st.dates(date(2024, 12, 1), date(2024, 12, 9)).map(SliceKey),
    st.builds(
        Slice,
        digest=st.binary(max_size=1),
        checksum=st.binary(max_size=1),
        rows=st.integers(0, 2),
        file=st.none(),
    ),
    max_size=6,
)


@given(first=slices, second=slices)
def test_a_state_does_not_depend_on_how_the_slices_came_to_be(
    first: Mapping[SliceKey, Slice], second: Mapping[SliceKey, Slice]
) -> None:
    state, _ = changed_state(TableState(), {}, first)
    records: dict[SliceKey, Any] = {**dict.fromkeys(first), **second}
    after, changed = changed_state(state, first, records)
    assert after == changed_state(TableState(), {}, second)[0]

    def content(of: Mapping[SliceKey, Slice]) -> dict[SliceKey, tuple[bytes, int]]:
        return {key: (record.checksum, record.rows) for key, record in of.items() if record.rows}

    one, other = content(first), content(second)
    assert changed == {key for key in {*one, *other} if one.get(key) != other.get(key)}
    assert (state.content == after.content) == (one == other)


_DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 31))


@given(st.lists(st.tuples(_DAYS, _DAYS).map(lambda pair: (min(pair), max(pair)))), _DAYS)
def test_a_day_is_in_joined_spans_where_it_is_in_one_of_them(
    spans: list[tuple[date, date]], day: date
) -> None:
    assert in_any(spans)(day) == any(low <= day <= high for low, high in spans)
