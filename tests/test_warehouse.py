"""The warehouse: what is stale, where rows lie, what one transaction makes current."""

import hashlib
import weakref
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import polars as pl
import pyarrow.parquet as pq
import pytest
from frames import frame
from homes import Kept, event, land, make_home, rebuilt, run_home, warehouse_table
from hypothesis import given
from hypothesis import strategies as st

from pipelines import registry
from pipelines.home import open_home
from pipelines.landing.files import RawFile
from pipelines.landing.results import TakenIn
from pipelines.session import reading, writing
from pipelines.settings import Settings
from pipelines.warehouse import arrivals, digests, filing, parquet
from pipelines.warehouse.arrivals import Arrival, batches
from pipelines.warehouse.digests import InputDigests, horizon_digest, window
from pipelines.warehouse.disk import Staging
from pipelines.warehouse.filing import LATE, LATE_AFTER_DAYS, SMALL_UNIT_ROWS, part_of
from pipelines.warehouse.land import Lander
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.parquet import parquet_bytes
from pipelines.warehouse.periods import (
    WHOLE,
    add_months,
    last_day,
    months_between,
    shift,
    to_grain,
)
from pipelines.warehouse.promises import BrokenPromiseError, check_promise
from pipelines.warehouse.records import Change, Slice, SliceKey, StoredFile
from pipelines.warehouse.specs import Everything, UpTo, Within
from schemas.links import Links
from schemas.users import Users

pytestmark = pytest.mark.only_tables("ingest_ledger", "active_users_daily", "lifecycle")
JANUARY, FEBRUARY = date(2025, 1, 1), date(2025, 2, 1)


def ten_days(root: Path) -> Path:
    days = [date(2025, 1, 26) + timedelta(days=number) for number in range(10)]
    rows = {
        str(day): [
            event(f"{day}-{user}", f"{day}T10:00:00", user_id=user) for user in ("ada", "bob")
        ]
        for day in days
    }
    return make_home(root, files=rows)


@pytest.fixture
def home(folder: Path) -> Path:
    """Ten days around a month's end, two people a day."""
    return ten_days(folder / "home")


@pytest.fixture(scope="module")
def kept(module_folder: Path) -> Kept:
    root = ten_days(module_folder / "home")
    run_home(root)
    return Kept(root)


@pytest.fixture
def ran(kept: Kept) -> Path:
    """The same, after a run."""
    return kept.restore()


# What is stale


def test_a_run_without_news_rebuilds_nothing(ran: Path) -> None:
    assert rebuilt(run_home(ran)) == {}


def test_a_new_day_rebuilds_that_day_and_the_months_that_see_it(ran: Path) -> None:
    land(ran, "2025-02-05", [event("new", "2025-02-05T10:00:00", user_id="cyd")])
    built = rebuilt(run_home(ran))
    assert built["events"] == built["user_days"] == built["user_months"] == 1
    # Days on which one event id could have been received before: a week to either side.
    assert built["duplicate_events"] == 8
    # First seen: February and nothing before it.
    assert built["users"] == 1


def test_a_late_row_rebuilds_its_day_and_leaves_other_days_fresh(ran: Path) -> None:
    late = [event("late", "2025-01-28T12:00:00", user_id="cyd")]
    land(ran, "2025-02-04", late, "late.ndjson")
    report = run_home(ran)
    built = rebuilt(report)
    assert built["user_days"] == built["links"] == 1
    changed = {each.table: each.changed_periods for each in report.built if each.changed}
    assert changed["events"] == [date(2025, 1, 28)]
    assert changed["user_days"] == [date(2025, 1, 28)]
    assert changed["user_months"] == [JANUARY]


def test_a_late_row_does_not_rewrite_the_day_that_it_joins(home: Path) -> None:
    with patch.object(filing, "SMALL_UNIT_ROWS", 1):
        run_home(home)
        before = current_files(home, "events")
        land(home, "2025-02-04", [event("late", "2025-01-28T12:00:00")], "late.ndjson")
        run_home(home)
        after = current_files(home, "events")
    assert before < after
    (new,) = after - before
    assert new.startswith(f"events/2025-01-28-{LATE}-")


def current_files(home: Path, name: str) -> set[str]:
    with reading(open_home(home)) as session:
        return {each.path for each in session.manifest.files.values() if each.table == name}


def test_a_rebuilt_slice_that_came_out_the_same_leaves_what_hangs_on_it_fresh(ran: Path) -> None:
    """An e-mail that was delivered makes nobody active: the cut-off is after user_days."""
    mail = event("mail", "2025-01-28T12:00:00", event_name="email_delivered", user_id="cyd")
    land(ran, "2025-02-04", [mail], "mail.ndjson")
    built = rebuilt(run_home(ran))
    assert built["events"] >= 1
    assert built["user_days"] == 1
    assert {"user_months", "users", "lifecycle", "active_users_daily"} & set(built) == set()


def test_a_changed_setting_makes_stale_what_it_shapes_and_nothing_else(ran: Path) -> None:
    (ran / "tidemark.toml").write_text('week_start = "sunday"\n')
    built = rebuilt(run_home(ran))
    assert "lifecycle" in built
    assert {"events", "user_days", "user_months", "users", "active_users_daily"} & set(
        built
    ) == set()


def test_a_changed_time_zone_takes_everything_in_again(ran: Path) -> None:
    (ran / "tidemark.toml").write_text('timezone = "Pacific/Kiritimati"\n')
    built = rebuilt(run_home(ran))
    assert built["user_days"] >= 10
    days = warehouse_table(ran, "user_days")["event_date"]
    # 10:00 UTC is midnight of the next day, fourteen hours ahead.
    assert (days.min(), days.max()) == (date(2025, 1, 27), date(2025, 2, 5))


def test_changed_code_makes_every_slice_of_its_table_stale(ran: Path) -> None:
    version = digests.code_version

    def changed(*modules: str) -> bytes:
        edited = b"edited" if "transforms.user_days" in modules else b""
        return version(*modules) + edited

    with patch.object(digests, "code_version", changed):
        assert rebuilt(run_home(ran)) == {"user_days": 10}


def test_a_touched_file_is_read_again_and_nothing_follows(ran: Path) -> None:
    path = next((ran / "landing/events").rglob("*.ndjson"))
    path.touch()
    report = run_home(ran)
    assert report.landed[0].landing_dates == 0
    assert rebuilt(report) == {}


def test_memory_is_bounded_by_chunks_that_do_not_show(home: Path) -> None:
    spec = registry.BY_NAME["user_days"]
    seen: list[int] = []
    transform = spec.transform

    def counted(events: pl.LazyFrame, *rest: Any, **options: Any) -> pl.LazyFrame:
        seen.append(events.select(pl.len()).collect().item())
        return transform(events, *rest, **options)

    with patch.dict(spec.__dict__, {"transform": counted, "chunk_rows": 6}):
        run_home(home)
    # Two rows a day: three days a chunk.
    assert seen == [6, 6, 6, 2]


# Digests of inputs

RECORD = Slice(b"", b"sum", 1, None)
keys = st.dictionaries(
    st.dates(date(2024, 12, 1), date(2025, 3, 31)).map(SliceKey),
    st.tuples(st.binary(max_size=2), st.integers(0, 2)).map(
        lambda pair: Slice(b"", pair[0], pair[1], None)
    ),
    max_size=12,
)


@given(slices=keys, first=st.dates(date(2024, 12, 1), date(2025, 3, 31)), days=st.integers(0, 40))
def test_a_digest_tells_of_the_slices_in_its_window_and_of_no_others(
    slices: dict[SliceKey, Slice], first: date, days: int
) -> None:
    last = first + timedelta(days=days)
    inside = {key: record for key, record in slices.items() if first <= key.period <= last}
    assert InputDigests(slices, "day").within(first, last) == InputDigests(inside, "day").within(
        date.min, date.max
    )
    up_to = {key: record for key, record in slices.items() if key.period <= last}
    assert InputDigests(slices, "day").up_to(last) == InputDigests(up_to, "day").up_to(date.max)


def test_an_empty_slice_is_as_good_as_none() -> None:
    empty = {SliceKey(JANUARY): RECORD._replace(rows=0)}
    assert InputDigests(empty, "day").within(date.min, date.max) == InputDigests({}, "day").within(
        date.min, date.max
    )


def test_windows_reach_as_far_as_a_table_says() -> None:
    settings = Settings()
    day = date(2025, 3, 1)
    assert window(Within(), day, "day", settings) == (day, day)
    assert window(Within(1, 2), day, "day", settings) == (date(2025, 2, 28), date(2025, 3, 3))
    assert window(Within(1), FEBRUARY, "month", settings) == (JANUARY, FEBRUARY)
    assert window(UpTo(-1), FEBRUARY, "month", settings) == (date.min, JANUARY)
    assert window(Everything(), WHOLE, "whole", settings) == (date.min, date.max)
    reach = Within(lambda given: given.duplicate_days)
    assert window(reach, day, "day", settings) == (date(2025, 2, 22), day)


def test_the_horizon_makes_stale_only_what_can_see_it() -> None:
    spec = registry.BY_NAME["active_users_daily"]
    seen = {
        day: horizon_digest(spec, JANUARY, day, Settings())
        for day in (date(2025, 1, 30), date(2025, 1, 31), date(2025, 3, 1), date(2025, 4, 1))
    }
    assert seen[date(2025, 1, 30)] != seen[date(2025, 1, 31)]
    assert seen[date(2025, 3, 1)] == seen[date(2025, 4, 1)]


def test_a_slice_sees_the_horizon_as_far_as_its_table_looks_ahead() -> None:
    # By default funnels run for 168 hours: of January's last day they end on 7 February.
    spec = registry.BY_NAME["funnel_daily"]

    def seen(day: date, **settings: Any) -> bytes:
        return horizon_digest(spec, JANUARY, day, Settings(**settings))

    assert seen(date(2025, 2, 6)) != seen(date(2025, 2, 7)) == seen(date(2025, 2, 8))
    steps = [{"name": name, "events": [name]} for name in "ab"]
    longer = {"funnels": [{"name": "a", "steps": steps, "window_hours": 720}]}
    assert seen(date(2025, 3, 1), **longer) != seen(date(2025, 3, 2), **longer)
    assert seen(date(2025, 3, 2), **longer) == seen(date(2025, 3, 3), **longer)
    # Where clocks change, a window can touch a day more.
    berlin = {**longer, "timezone": "Europe/Berlin"}
    assert seen(date(2025, 3, 2), **berlin) != seen(date(2025, 3, 3), **berlin)


# Where rows lie


def test_rows_that_landed_more_than_three_days_late_lie_apart() -> None:
    assert LATE_AFTER_DAYS == 3
    assert part_of(date(2025, 1, 1), date(2025, 1, 4)) == ""
    assert part_of(date(2025, 1, 1), date(2025, 1, 5)) == LATE
    assert part_of(date(2025, 1, 2), date(2025, 1, 1)) == ""


def test_small_days_share_the_file_of_their_month_and_large_ones_have_their_own(home: Path) -> None:
    with patch.object(filing, "SMALL_UNIT_ROWS", 3):
        land(
            home,
            "2025-01-27",
            [event(f"n{i}", "2025-01-27T11:00:00") for i in range(2)],
            "b.ndjson",
        )
        run_home(home)
        names = {path.rsplit("-", 1)[0] for path in current_files(home, "events")}
        assert names == {"events/2025-01-27", "events/2025-01-shared", "events/2025-02-shared"}
        # The day grows small again: its file goes, and its rows lie with the others.
        (home / "landing/events/2025-01-27/b.ndjson").unlink()
        run_home(home, accept_removed=True)
        names = {path.rsplit("-", 1)[0] for path in current_files(home, "events")}
        assert names == {"events/2025-01-shared", "events/2025-02-shared"}
    assert warehouse_table(home, "events").height == 20


def test_the_limit_of_small_units_is_exact() -> None:
    by_day = registry.FILINGS["user_days"]
    assert by_day.is_small(SMALL_UNIT_ROWS - 1)
    assert not by_day.is_small(SMALL_UNIT_ROWS)
    assert not registry.FILINGS["ingest_ledger"].is_small(0)


def test_files_are_named_by_what_is_in_them(ran: Path) -> None:
    for path in (ran / "warehouse").glob("*/*.parquet"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.stem.endswith(f"-{digest[:16]}")


def test_event_files_are_sorted_by_their_order_and_cut_into_groups_of_our_size(home: Path) -> None:
    with patch.object(parquet, "ROW_GROUP_ROWS", 4):
        run_home(home)
    for spec in registry.TABLES:
        for name in current_files(home, spec.name):
            rows = pl.read_parquet(home / "warehouse" / name)
            assert rows.equals(rows.sort(registry.FILINGS[spec.name].order)), name
            groups = pq.read_metadata(home / "warehouse" / name)
            sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
            assert all(size == 4 for size in sizes[:-1]), name


def test_what_nothing_points_to_is_swept_by_the_next_run(ran: Path) -> None:
    rubbish = ran / "warehouse" / "events" / "2025-01-01-feedfeedfeedfeed.parquet"
    rubbish.write_bytes(b"half a file")
    left = ran / "warehouse" / ".staging" / "0.tmp"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half a file")
    land(ran, "2025-01-27", [event("n", "2025-01-27T11:00:00")], "b.ndjson")
    run_home(ran)
    run_home(ran)
    assert not rubbish.exists()
    assert not left.exists()
    on_disk = {str(p.relative_to(ran / "warehouse")) for p in ran.glob("warehouse/*/*.parquet")}
    with reading(open_home(ran)) as session:
        assert on_disk == {stored.path for stored in session.manifest.files.values()}


# One transaction


def test_a_change_is_current_as_a_whole_or_not_at_all(folder: Path) -> None:
    manifest = Manifest(folder / "manifest.sqlite", writable=True)
    key = SliceKey(JANUARY)
    stored = StoredFile("users", "2025", "users/a.parquet", 1, "sum", 1)
    manifest.commit(Change(files={1: stored}, slices={("users", key): RECORD._replace(file=1)}))
    twice = Change(files={2: stored}, slices={("users", key): RECORD._replace(file=2)})
    with pytest.raises(Exception, match="UNIQUE"):
        manifest.commit(twice)
    manifest.close()
    again = Manifest(folder / "manifest.sqlite", writable=False)
    assert again.files == {1: stored}
    assert again.slices == {"users": {key: RECORD._replace(file=1)}}
    again.close()


def test_what_is_in_memory_is_what_is_read_back(home: Path) -> None:
    with writing(open_home(home)) as session:
        session.land()
        for spec in registry.TABLES:
            session.bring_up(spec, registry_days())
        session.publish()
        kept = vars(session.manifest).copy()
    again = Manifest(home / "warehouse" / "manifest.sqlite", writable=False)
    for name in ("files", "buckets", "landing_dates", "landing_files", "published"):
        assert getattr(again, name) == kept[name], name
    filled = {name: slices for name, slices in kept["slices"].items() if slices}
    assert again.slices == filled
    again.close()


def registry_days() -> Any:
    from pipelines.warehouse.bring_up import Days

    return Days()


def test_a_reader_changes_nothing_in_the_manifest(ran: Path) -> None:
    with reading(open_home(ran)) as session, pytest.raises(Exception, match="readonly"):
        session.manifest.note("key", "value")


def test_staged_files_are_out_of_sight_until_they_are_placed(folder: Path) -> None:
    staging = Staging(folder)
    staging.write("users/a.parquet", b"content")
    assert not (folder / "users").exists()
    staging.place()
    assert (folder / "users" / "a.parquet").read_bytes() == b"content"
    assert list((folder / ".staging").iterdir()) == []


# Promises


def links(**changes: Any) -> pl.DataFrame:
    instant = pl.datetime(2025, 1, 1, time_zone="UTC")
    row = {"event_date": JANUARY, "anonymous_id": "x", "user_id": "ada", "is_staff": False}
    made = frame(Links, [{**row, **changes}]).with_columns(
        first_ts=instant.cast(pl.Datetime("us", "UTC")),
        last_ts=instant.cast(pl.Datetime("us", "UTC")),
    )
    return made.collect()


def test_a_built_table_that_breaks_its_schema_is_not_stored() -> None:
    check_promise(links(), "links", Links)
    with pytest.raises(BrokenPromiseError, match="links: user_id is missing"):
        check_promise(links(user_id=None), "links", Links)
    with pytest.raises(BrokenPromiseError, match="links: columns are"):
        check_promise(links().drop("user_id"), "links", Links)
    with pytest.raises(BrokenPromiseError, match=r"links: the key .* is not unique"):
        check_promise(pl.concat([links(), links()]), "links", Links)


def test_a_table_that_breaks_its_promise_stops_the_run_and_leaves_the_last_one(ran: Path) -> None:
    before = warehouse_table(ran, "users")
    land(ran, "2025-02-05", [event("new", "2025-02-05T10:00:00", user_id="cyd")])
    spec = registry.BY_NAME["users"]
    transform = spec.transform

    def doubled(**inputs: pl.LazyFrame) -> pl.LazyFrame:
        rows = transform(**inputs)
        return pl.concat([rows, rows])

    with patch.dict(spec.__dict__, {"transform": doubled}), pytest.raises(BrokenPromiseError):
        run_home(ran)
    assert warehouse_table(ran, "users").equals(before)


def test_the_same_rows_are_the_same_bytes() -> None:
    assert parquet_bytes(links(), Links) == parquet_bytes(links(), Links)
    # Of more rows than a row group holds, in pieces of any size.
    sizes = {"ada": 90_000, "bob": 1, "cyd": 70_000}
    each = [links(user_id=user)[[0] * rows] for user, rows in sizes.items()]
    pieces = pl.concat(each, rechunk=False)
    many = pieces.rechunk()
    assert (pieces["user_id"].n_chunks(), many["user_id"].n_chunks()) == (3, 1)
    assert parquet_bytes(pieces, Links) == parquet_bytes(many, Links)
    assert parquet_bytes(links(), Links) != parquet_bytes(links(user_id="bob"), Links)
    assert parquet_bytes(frame(Users).collect(), Users)


# Periods and batches


def test_months_are_counted_across_years() -> None:
    assert add_months(date(2024, 12, 1), 1) == JANUARY
    assert add_months(JANUARY, -13) == date(2023, 12, 1)
    assert shift(date(2024, 2, 28), "day", 2) == date(2024, 3, 1)
    assert last_day(date(2024, 2, 1), "month") == date(2024, 2, 29)
    assert last_day(JANUARY, "day") == JANUARY
    assert to_grain(date(2025, 1, 31), "month") == JANUARY
    assert to_grain(date(2025, 1, 31), "whole") == WHOLE
    assert list(months_between(date(2024, 12, 15), date(2025, 2, 1))) == [
        date(2024, 12, 1),
        JANUARY,
        FEBRUARY,
    ]


def test_landing_dates_are_taken_in_in_batches_that_fit_into_memory() -> None:
    days = [
        Arrival(JANUARY + timedelta(days=number), "/nowhere", {"a.csv": (size, 0)})
        for number, size in enumerate([60, 30, 30, 200, 10])
    ]
    with patch.object(arrivals, "_BATCH_BYTES", 100):
        sizes = [[each.raw_bytes for each in batch] for batch in batches(days)]
    assert sizes == [[60, 30], [30], [200], [10]]


def test_rows_of_a_landing_date_are_let_go_once_they_are_filed(tmp_path: Path) -> None:
    days = [JANUARY + timedelta(days=number) for number in range(5)]
    make_home(tmp_path)
    for day in days:
        land(tmp_path, day, [event(f"e{day}", f"{day}T10:00:00")])
    rows: list[weakref.ref[object]] = []
    in_memory = []
    read = Lander.read

    def watched(*args: Any, **options: Any) -> TakenIn:
        in_memory.append(sum(each() is not None for each in rows))
        taken = read(*args, **options)
        rows.append(weakref.ref(taken.landed_rows))
        return taken

    # A landing date by itself each time: while one is read, only the one before it waits.
    with (
        patch.object(arrivals, "_BATCH_BYTES", 1),
        patch.object(Lander, "read", watched),
        writing(open_home(tmp_path)) as session,
    ):
        assert session.land()[0].landed_rows == 5
    assert len(in_memory) == 5
    assert max(in_memory) == 1


def test_compressed_files_count_for_what_they_may_hold() -> None:
    arrival = Arrival(JANUARY, "/nowhere", {"a.csv": (10, 0), "b.csv.gz": (10, 0)})
    assert arrival.raw_bytes == 10 + 80
    assert arrival.files[0] == RawFile(JANUARY, "a.csv", Path("/nowhere/a.csv"))
