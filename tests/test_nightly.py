"""``tidemark nightly``: what is complete is taken in, what can pass is tried again, all is told."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from homes import assert_same_state, command, event, land, make_home, published, run_home, stored

from pipelines import nightly as nights_at_work
from pipelines.errors import TRY_LATER, TidemarkError
from pipelines.home import Home, open_home
from pipelines.nightly import PAUSES, Clock, can_pass, nightly
from pipelines.nights import Night, record, recorded
from pipelines.run import Report, run
from pipelines.warehouse.lock import writer_lock

pytestmark = pytest.mark.only_tables("active_days_histogram", "ingest_ledger", "lifecycle")
MARKED = 'landing_marker = "_SUCCESS"\nlock_wait_minutes = 0\n'
MONDAY, TUESDAY = "2025-03-03", "2025-03-04"
EPOCH = datetime(2025, 3, 5, 3, tzinfo=UTC)


# What a home of events alone needs for something to be published, and quickly.
SELECT = ["active_days_histogram", "ingest_ledger"]


@pytest.fixture(autouse=True)
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights of these tests build a few tables."""
    monkeypatch.setattr(nights_at_work, "run", partial(run, select=SELECT))


class Hands:
    """A clock that only moves when somebody sleeps, or step by step when it is looked at."""

    def __init__(self, now: datetime = EPOCH, step: timedelta = timedelta(0)) -> None:
        self.slept: list[float] = []
        self._now, self._step = now, step

    def now(self) -> datetime:
        self._now += self._step
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += timedelta(seconds=seconds)

    @property
    def clock(self) -> Clock:
        return Clock(self.now, self.sleep)


def one_night(home: Path, hands: Hands | None = None) -> Night:
    said: list[str] = []
    night, _ = nightly(open_home(home), say=said.append, clock=(hands or Hands()).clock)
    return night


def visits(day: str) -> list[dict[str, Any]]:
    return [event(f"{day}-{user}", f"{day}T10:00:00", user_id=user) for user in ("ada", "bob")]


def mark(home: Path, day: str) -> None:
    (home / "landing" / "events" / day / "_SUCCESS").touch()


@pytest.fixture
def home(folder: Path) -> Path:
    """Two landing dates, of which only the first has its marker."""
    root = make_home(folder / "home", MARKED, {d: visits(d) for d in (MONDAY, TUESDAY)})
    mark(root, MONDAY)
    return root


def test_a_landing_date_without_its_marker_waits_and_is_taken_in_when_it_has_it(
    home: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nights_at_work, "run", run)
    night = one_night(home)
    assert (night.status, night.took_in) == (0, {"events": 1})
    assert night.waiting == [f"events/{TUESDAY}: there is no _SUCCESS"]

    mark(home, TUESDAY)
    night = one_night(home)
    assert (night.status, night.took_in, night.waiting) == (0, {"events": 1}, [])

    whole = make_home(folder / "whole", MARKED, {d: visits(d) for d in (MONDAY, TUESDAY)})
    run_home(whole)
    assert_same_state(stored(home), stored(whole))


def test_what_waits_is_as_if_it_had_not_landed(home: Path, folder: Path) -> None:
    one_night(home)
    alone = make_home(folder / "alone", MARKED, {MONDAY: visits(MONDAY)})
    run_home(alone, select=SELECT)
    assert_same_state(published(home), published(alone))


def test_a_landing_date_that_changes_while_it_is_incomplete_stays_as_it_was(home: Path) -> None:
    one_night(home)
    before = published(home)
    (home / "landing" / "events" / MONDAY / "_SUCCESS").unlink()
    land(home, MONDAY, [event("late", f"{MONDAY}T11:00:00")], "late.ndjson")
    night = one_night(home)
    assert night.waiting[0] == f"events/{MONDAY}: there is no _SUCCESS"
    assert_same_state(published(home), before)
    mark(home, MONDAY)
    assert one_night(home).took_in == {"events": 1}


def test_run_takes_in_what_a_night_leaves_waiting(home: Path) -> None:
    one_night(home)
    run_home(home, select=SELECT)
    mark(home, TUESDAY)
    assert one_night(home).took_in == {}


def test_a_landing_date_is_complete_when_it_was_quiet_for_long_enough(folder: Path) -> None:
    home = make_home(folder / "home", "landing_quiet_minutes = 30\n", {MONDAY: visits(MONDAY)})
    now = datetime.now(UTC)
    early = one_night(home, Hands(now + timedelta(minutes=29)))
    # Nothing else has landed, so that there is nothing to publish.
    assert early.status == 1
    assert early.problem
    assert f"events/{MONDAY}: changed less than 30 minutes ago" in early.problem
    assert one_night(home, Hands(now + timedelta(minutes=31))).took_in == {"events": 1}


def test_a_file_that_is_still_being_copied_keeps_a_landing_date_from_being_quiet(
    folder: Path,
) -> None:
    home = make_home(folder / "home", "landing_quiet_minutes = 30\n", {MONDAY: visits(MONDAY)})
    one_night(home, Hands(datetime.now(UTC) + timedelta(minutes=31)))
    land(home, TUESDAY, visits(TUESDAY))
    (home / "landing" / "events" / TUESDAY / "more.ndjson.part").write_text("{")
    night = one_night(home, Hands(datetime.now(UTC) + timedelta(minutes=29)))
    assert night.waiting == [f"events/{TUESDAY}: changed less than 30 minutes ago"]


def test_another_run_at_work_is_waited_for_and_then_left_for_the_next_time(home: Path) -> None:
    with writer_lock(open_home(home).warehouse):
        ended = command(home, "nightly")
    assert ended.status == TRY_LATER == 75
    assert "another run is at work in " in ended.err
    assert recorded(open_home(home))[-1].status == 75


def test_what_the_machine_fails_at_is_tried_again_after_growing_pauses(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([OSError(errno.EIO, "input/output error"), OSError(errno.ESTALE, "stale")])
    monkeypatch.setattr(nights_at_work, "run", failing_first(failures))
    hands = Hands()
    assert one_night(home, hands).status == 0
    assert hands.slept == [30, 120]
    assert list(hands.slept) == list(PAUSES[:2])


def test_what_will_not_pass_is_not_tried_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failures = iter([OSError(errno.EACCES, "permission denied")])
    monkeypatch.setattr(nights_at_work, "run", failing_first(failures))
    hands = Hands()
    night = one_night(home, hands)
    assert (night.status, hands.slept) == (1, [])
    assert "permission denied" in str(night.problem)


def test_databases_without_room_are_tried_again_and_broken_ones_are_not() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA max_page_count = 1")
        assert can_pass(problem_of(database, "CREATE TABLE more (a)"))
        assert not can_pass(problem_of(database, "SELECT nothing FROM nowhere"))
    with closing(duckdb.connect()) as database:
        assert not can_pass(problem_of(database, "ATTACH '/none/none'"))
        if Path("/dev/full").exists():
            assert can_pass(problem_of(database, "COPY (SELECT 1) TO '/dev/full' (FORMAT csv)"))


def problem_of(database: Any, statement: str) -> TidemarkError:
    """What is told of a statement that fails."""
    problem = TidemarkError("it cannot be written")
    with pytest.raises((sqlite3.OperationalError, duckdb.Error)) as failed:
        database.execute(statement)
    problem.__cause__ = failed.value
    return problem


def failing_first(failures: Iterator[Exception]) -> Any:
    """The run, after it has failed in each of these ways."""
    work = nights_at_work.run

    def attempt(*arguments: Any, **options: Any) -> Report:
        for failure in failures:
            raise failure
        return work(*arguments, **options)

    return attempt


def test_a_night_whose_time_is_up_publishes_nothing_and_the_next_one_goes_on(
    folder: Path,
) -> None:
    settings = "run_hours_limit = 1\n"
    home = make_home(folder / "home", settings, {MONDAY: visits(MONDAY)})
    # The clock goes on by twelve minutes with every look at it, so that some tables fit in an hour.
    night = one_night(home, Hands(step=timedelta(minutes=12)))
    assert (night.status, night.publication) == (TRY_LATER, None)
    assert str(night.problem).startswith("the time was up before ")
    assert "events" in night.changed
    assert not (home / "bi").exists()

    assert one_night(home).status == 0
    whole = make_home(folder / "whole", settings, {MONDAY: visits(MONDAY)})
    run_home(whole, select=SELECT)
    assert_same_state(published(home), published(whole))


def test_a_night_with_nothing_new_changes_nothing(home: Path) -> None:
    one_night(home)
    before = published(home)
    night = one_night(home)
    assert (night.status, night.took_in, night.changed) == (0, {}, {})
    assert_same_state(published(home), before)


def test_the_command_says_what_waits_and_status_tells_of_the_last_night(home: Path) -> None:
    ended = command(home, "nightly")
    assert ended.status == 0
    assert f"waits: events/{TUESDAY}: there is no _SUCCESS" in ended.out
    shown = command(home, "status").out
    assert "landing dates taken in: 1 of events" in shown
    assert "exit status 0" in shown


def test_status_tells_of_the_last_good_night_after_a_bad_one(home: Path) -> None:
    one_night(home, Hands(datetime(2025, 3, 5, 3, tzinfo=UTC)))
    land(home, TUESDAY, visits(TUESDAY), "good.ndjson")
    broken = home / "landing" / "events" / TUESDAY / "bad.ndjson"
    broken.write_text("{\n" * 9)
    mark(home, TUESDAY)
    assert one_night(home, Hands(datetime(2025, 3, 6, 3, tzinfo=UTC))).status == 1
    shown = command(home, "status").out
    assert "last night: began 2025-03-06 03:00 UTC" in shown
    assert "nothing was published: events: 9 of 13 rows" in shown
    assert "last good night: began 2025-03-05 03:00 UTC" in shown


def test_a_night_that_was_killed_is_seen_by_its_missing_end(home: Path) -> None:
    record(open_home(home), Night(EPOCH))
    assert [night.is_good for night in recorded(open_home(home))] == [False]
    one_night(home, Hands(EPOCH + timedelta(days=1)))
    file = home / "warehouse" / "nights.ndjson"
    file.write_text(file.read_text() + '{"started_at": "2025-')
    assert [night.ended_at is None for night in recorded(open_home(home))] == [True, False]


def test_a_home_without_nights_has_no_record(folder: Path) -> None:
    assert recorded(Home(folder)) == []
