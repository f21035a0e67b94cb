"""A fortnight of nights on a machine with Dagster, sped up: days land as fast as nights take them.

A night fails, a disk goes away, a backfill of a year begins during a night and is killed, power is
cut for three days, files come late. In the end all bytes are those of a build from nothing. ``make
nights`` prints what ran when.
"""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from homes import assert_same_state, command, event, run_home, stored
from machine import Machine, listener, wait_for

from pipelines.commands.sample import fill_new_home
from pipelines.errors import TidemarkError
from pipelines.home import open_home
from pipelines.messages import WEBHOOK
from pipelines.orchestration.days import ALL_DAYS, RANGE_END, RANGE_START
from pipelines.orchestration.publication import NAME as PUBLICATION
from pipelines.orchestration.sensors import LANDED, LATE
from pipelines.sample.options import LAST_DAY
from pipelines.session import reading

ASKED_FOR = bool(os.environ.get("TIDEMARK_NIGHTS"))
pytestmark = pytest.mark.skipif(not ASKED_FOR, reason="run by make nights; takes twenty minutes")
NIGHTS, HISTORY, USERS = 14, 366, 40
MARKER = "_SUCCESS"
FAILED, DONE = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.SUCCESS


class Fortnight:
    """A home whose last days have not landed yet, the machine that runs it, and what was done."""

    def __init__(self, folder: Path, webhook: str) -> None:
        self.home = folder / "home"
        self.aside = folder / "aside"
        fill_new_home(self.home, days=HISTORY + NIGHTS, users=USERS, seed=7)
        self._set(datetime.now(UTC) + timedelta(minutes=12))
        for day in self.days:
            for place in sorted(self.home.glob(f"landing/*/{day}")):
                target = self.aside / place.relative_to(self.home / "landing")
                target.parent.mkdir(parents=True, exist_ok=True)
                place.rename(target)
        for place in self.home.glob("landing/*/*"):
            (place / MARKER).touch()
        self.machine = Machine(self.home, folder / "dagster", **{WEBHOOK: webhook})
        self.told: list[tuple[float, str]] = []

    @property
    def days(self) -> list[date]:
        """The landing dates of the fortnight."""
        return [LAST_DAY - timedelta(days=back) for back in reversed(range(NIGHTS))]

    def say(self, text: str) -> None:
        """Note what was done from outside, for the timeline."""
        self.told.append((time.time(), text))

    def land(self, day: date, *, without: str = "nothing") -> None:
        """All files of a landing date arrive, but for those of a name, and then the markers."""
        for source in sorted(self.aside.glob(f"*/{day}")):
            target = self.home / "landing" / source.relative_to(self.aside)
            target.mkdir(parents=True, exist_ok=True)
            for file in source.iterdir():
                if without not in file.name:
                    shutil.copyfile(file, target / file.name)
            (target / MARKER).touch()
        self.say(f"files of {day} land")

    def has_taken(self, day: date) -> bool:
        """Whether a landing date was taken in, as it lies there, and everything came to rest."""
        if self.machine.is_at_work():
            return False
        try:
            with reading(open_home(self.home)) as session:
                taken = {date for _, date in session.manifest.landing_dates}
                return day in taken and not any(session.stale_landing_dates().values())
        except TidemarkError:
            return False

    def night(self, day: date) -> dg.RunRecord:
        """A landing date arrives and a night takes it in; the last run."""
        self.land(day)
        return self.rest(day)

    def rest(self, day: date) -> dg.RunRecord:
        """The last run, once a landing date is taken in and nothing runs."""
        wait_for(f"the night of {day}", lambda: self.has_taken(day))
        return self.machine.runs()[-1]

    def at_work(self, steps: int, **tags: str) -> tuple[dg.RunRecord, int]:
        """A run that has done so many steps and goes on, and its process."""

        def found() -> tuple[dg.RunRecord, int] | None:
            for record in self.machine.runs(**tags):
                run_id = record.dagster_run.run_id
                if record.dagster_run.status == dg.DagsterRunStatus.STARTED:
                    process = self.machine.process_of(run_id)
                    if process and self.machine.steps_done(run_id) >= steps:
                        return record, process
            return None

        record, process = wait_for("a run at work", found)
        return record, process

    @property
    def publication(self) -> str:
        """What readers see."""
        return (self.home / "bi" / ".current").resolve().name

    def _set(self, night: datetime) -> None:
        """The settings of the sample, with a marker, and a schedule that comes while this runs."""
        file = self.home / "tidemark.toml"
        rules = f'landing_marker = "{MARKER}"\nnightly_at = "{night:%H:%M}"\n'
        file.write_text(rules + file.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.fixture(scope="module")
def heard() -> Iterator[tuple[str, list[str]]]:
    with listener() as place_and_heard:
        yield place_and_heard


@pytest.fixture(scope="module")
def fortnight(module_folder: Path, heard: tuple[str, list[str]]) -> Iterator[Fortnight]:
    one = Fortnight(module_folder, heard[0])
    try:
        one.say("the machine starts, with a year in landing")
        one.machine.start()
        yield one
    finally:
        one.machine.stop()
        print("\n" + "\n".join(timeline(one)))


def test_a_fortnight_ends_as_a_build_from_nothing(
    fortnight: Fortnight, heard: tuple[str, list[str]], module_folder: Path
) -> None:
    days = fortnight.days
    first = fortnight.rest(days[0] - timedelta(days=1))
    assert first.dagster_run.tags["dagster/sensor_name"] == LANDED
    for day in days[:2]:
        assert fortnight.night(day).dagster_run.status == DONE
    hold_back_a_file(fortnight, days[2])
    a_night_fails_and_the_next_one_heals_it(fortnight, days[3:5])
    a_backfill_of_a_year_begins_during_a_night_and_is_killed(fortnight, days[5:7])
    the_power_is_off_for_three_days(fortnight, days[7:10])
    the_disk_goes_away_for_a_moment(fortnight, days[10])
    the_file_that_was_held_back_comes_late(fortnight, days[2])
    for day in days[11:]:
        assert fortnight.night(day).dagster_run.status == DONE
    wait_for(
        "the schedule", lambda: fortnight.machine.runs(**{"dagster/schedule_name": "every_night"})
    )
    fortnight.rest(days[-1])
    assert any("rows landed since the last publication were refused" in said for said in heard[1])
    fortnight.machine.stop()
    ends_as_a_build_from_nothing(fortnight, module_folder / "whole")


def hold_back_a_file(fortnight: Fortnight, day: date) -> None:
    """One file of a day is not there yet when its marker is."""
    fortnight.land(day, without="events-0")
    fortnight.say(f"one file of {day} is held back")
    assert fortnight.rest(day).dagster_run.status == DONE


def a_night_fails_and_the_next_one_heals_it(fortnight: Fortnight, days: list[date]) -> None:
    """Lines without end, more than the limit; the sender sends the file again a day later."""
    seen = fortnight.publication
    broken = fortnight.home / "landing" / "events" / str(days[0]) / "zz-broken.ndjson"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text('{"event_id": "\n' * 500)
    fortnight.say(f"a file of {days[0]} is broken")
    assert fortnight.night(days[0]).dagster_run.status == FAILED
    assert fortnight.publication == seen
    # To take a file away that was taken in would be refused: it is sent again.
    row = event("mended", f"{days[0]}T10:00:00", user_id="mender")
    broken.write_text(json.dumps(row) + "\n", encoding="utf-8")
    fortnight.say(f"the broken file of {days[0]} is replaced")
    assert fortnight.night(days[1]).dagster_run.status == DONE
    assert fortnight.publication != seen


def a_backfill_of_a_year_begins_during_a_night_and_is_killed(
    fortnight: Fortnight, days: list[date]
) -> None:
    fortnight.land(days[0])
    fortnight.at_work(2, **ALL_DAYS)
    last = fortnight.days[0]
    backfill = fortnight.machine.launch_backfill(last - timedelta(days=364), last, force=True)
    fortnight.say(f"a forced backfill of a year, {backfill}, is launched while the night runs")
    record, process = fortnight.at_work(20, **{"dagster/backfill": backfill})
    os.kill(process, signal.SIGKILL)
    fortnight.say(f"the run of the backfill, {record.dagster_run.run_id[:8]}, is killed")

    def ended() -> list[dg.DagsterRunStatus]:
        runs = fortnight.machine.runs(**{"dagster/backfill": backfill})
        return [each.dagster_run.status for each in runs]

    wait_for("the backfill, tried again", lambda: ended() == [FAILED, DONE])
    assert fortnight.night(days[1]).dagster_run.status == DONE


def the_power_is_off_for_three_days(fortnight: Fortnight, days: list[date]) -> None:
    fortnight.land(days[0])
    record, _ = fortnight.at_work(10, **ALL_DAYS)
    fortnight.machine.stop(signal.SIGKILL)
    fortnight.say(f"the power fails during the run {record.dagster_run.run_id[:8]}")
    for day in days[1:]:
        fortnight.land(day)
    fortnight.say("the power is back")
    fortnight.machine.start()
    assert fortnight.rest(days[-1]).dagster_run.status == DONE


def the_disk_goes_away_for_a_moment(fortnight: Fortnight, day: date) -> None:
    """The night tries its step again and goes on."""
    warehouse, gone = fortnight.home / "warehouse", fortnight.home / ".gone"
    warehouse.rename(gone)
    warehouse.touch()
    fortnight.say("the warehouse's disk goes away")
    fortnight.land(day)
    retry = dg.DagsterEventType.STEP_UP_FOR_RETRY
    instance = fortnight.machine.instance

    def tries_again() -> bool:
        last = fortnight.machine.runs()[-1].dagster_run.run_id
        return bool(instance.all_logs(last, of_type=retry))

    wait_for("a step that is tried again", tries_again)
    warehouse.unlink()
    gone.rename(warehouse)
    fortnight.say("the warehouse's disk is back")
    assert fortnight.rest(day).dagster_run.status == DONE


def the_file_that_was_held_back_comes_late(fortnight: Fortnight, day: date) -> None:
    for file in fortnight.aside.glob(f"events/{day}/events-0*"):
        shutil.copyfile(file, fortnight.home / "landing" / "events" / str(day) / file.name)
    fortnight.say(f"the file of {day} that was held back comes late")
    last = fortnight.rest(day)
    assert last.dagster_run.tags["dagster/sensor_name"] == LATE
    assert last.dagster_run.status == DONE


def ends_as_a_build_from_nothing(fortnight: Fortnight, whole: Path) -> None:
    whole.mkdir()
    (whole / "landing").symlink_to(fortnight.home / "landing")
    shutil.copyfile(fortnight.home / "tidemark.toml", whole / "tidemark.toml")
    run_home(whole)
    assert_same_state(stored(fortnight.home), stored(whole))
    fortnight.say("all bytes of warehouse/ and bi/ are those of a build from nothing")
    verified = command(fortnight.home, "verify")
    fortnight.say(f"tidemark verify: {verified.out.strip()}")
    assert verified.status == 0, verified.out


def timeline(fortnight: Fortnight) -> Iterator[str]:
    """Every run, and what was done from outside, in the order of time."""
    ran = [
        (record.start_time or record.create_timestamp.timestamp(), _said_of(fortnight, record))
        for record in fortnight.machine.runs()
    ]
    for moment, text in sorted([*fortnight.told, *ran]):
        yield f"{datetime.fromtimestamp(moment, UTC):%H:%M:%S}  {text}"


def _said_of(fortnight: Fortnight, record: dg.RunRecord) -> str:
    run, tags = record.dagster_run, record.dagster_run.tags
    by = tags.get("dagster/sensor_name") or tags.get("dagster/schedule_name")
    by = by or f"backfill {tags.get('dagster/backfill', '')}"
    again = f", again after {run.parent_run_id[:8]}" if run.parent_run_id else ""
    is_all = ALL_DAYS.items() <= tags.items()
    days = "all days" if is_all else f"{tags.get(RANGE_START)} to {tags.get(RANGE_END)}"
    took = (record.end_time or time.time()) - (record.start_time or time.time())
    said = _published(fortnight, run.run_id) or _failure(fortnight, run.run_id)
    ended = run.status.value.lower()
    return f"  run {run.run_id[:8]} by {by}{again}: {days}: {ended} after {took:.0f} s; {said}"


def _published(fortnight: Fortnight, run_id: str) -> str:
    logs = fortnight.machine.instance.all_logs(
        run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    for entry in logs:
        event = entry.get_dagster_event()
        if event.asset_key == dg.AssetKey(PUBLICATION):
            said = event.step_materialization_data.materialization.metadata
            written = str(said["tables_written"].value).count("- ")
            return f"published {said['publication'].value}, {written} tables written"
    return ""


def _failure(fortnight: Fortnight, run_id: str) -> str:
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    for entry in fortnight.machine.instance.all_logs(run_id, of_type=kinds):
        event = entry.get_dagster_event()
        if event.is_step_failure and event.step_failure_data.user_failure_data:
            return str(event.step_failure_data.user_failure_data.description)
        if event.is_failure and event.message:
            return f"published nothing: {event.message.splitlines()[0]}"
    return "published nothing"
