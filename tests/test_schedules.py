"""What starts a night and what watches it: found from the data, and never from missed ticks."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from homes import ROOT, event, land, make_home, run_home

from pipelines.home import Home, open_home
from pipelines.orchestration import judgements
from pipelines.orchestration.days import ALL_DAYS, ONLY_COMPLETE, event_days
from pipelines.orchestration.nightly import JOB, definitions_of
from pipelines.orchestration.sensors import FRESHNESS, LANDED, LATE, sensors
from pipelines.orchestration.telling import FAILED_RUNS, NEW_DATA, page_of_run, telling
from pipelines.warehouse.readiness import last_change

MARKED = 'landing_marker = "_SUCCESS"\n'
MONDAY, TUESDAY = "2025-03-03", "2025-03-04"
FEW = ["active_days_histogram", "ingest_ledger"]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as one:
        yield one


@pytest.fixture
def home(folder: Path) -> Path:
    """One landing date that was taken in."""
    root = make_home(folder / "home", MARKED, {MONDAY: [event("a", f"{MONDAY}T10:00:00")]})
    mark(root, MONDAY)
    run_home(root, select=FEW)
    return root


def mark(home: Path, day: str) -> None:
    (home / "landing" / "events" / day / "_SUCCESS").touch()


def sensor_of(home: Home, name: str) -> dg.SensorDefinition:
    """A sensor by itself: all assets of a home take a second to define."""
    every = [*sensors(home, JOB, event_days(home)), *telling(home)]
    return next(each for each in every if each.name == name)


def tick(home: Path, sensor: str, instance: dg.DagsterInstance, cursor: str | None = None) -> Any:
    """What a sensor says: its requests, or why there are none."""
    found = sensor_of(Home(home), sensor)
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        return found.evaluate_tick(context)


def test_a_landing_starts_a_night_when_it_is_complete_and_once(
    home: Path, instance: dg.DagsterInstance
) -> None:
    assert tick(home, LANDED, instance).skip_message == "nothing new has landed"
    land(home, TUESDAY, [event("b", f"{TUESDAY}T10:00:00")])
    said = tick(home, LANDED, instance)
    assert said.skip_message == f"not complete yet: events/{TUESDAY}"
    mark(home, TUESDAY)
    (request,) = tick(home, LANDED, instance).run_requests
    assert (ALL_DAYS | ONLY_COMPLETE).items() <= request.tags.items()
    # The key is of what lies there, so that Dagster asks for one run of it, however often it looks.
    assert tick(home, LANDED, instance).run_requests[0].run_key == request.run_key
    land(home, TUESDAY, [event("c", f"{TUESDAY}T11:00:00")], "more.ndjson")
    assert tick(home, LANDED, instance).run_requests[0].run_key != request.run_key
    run_home(home, select=FEW)
    assert tick(home, LANDED, instance).skip_message == "nothing new has landed"


def test_days_that_came_while_the_machine_was_down_are_one_night(
    home: Path, instance: dg.DagsterInstance
) -> None:
    for day in ("2025-03-05", "2025-03-06", "2025-03-07"):
        land(home, day, [event(day, f"{day}T10:00:00")])
        mark(home, day)
    assert len(tick(home, LANDED, instance).run_requests) == 1


def test_a_home_that_was_never_run_starts_with_what_lies_there(
    folder: Path, instance: dg.DagsterInstance
) -> None:
    root = make_home(folder / "new", MARKED, {MONDAY: [event("a", f"{MONDAY}T10:00:00")]})
    assert f"events/{MONDAY}" in tick(root, LANDED, instance).skip_message
    mark(root, MONDAY)
    assert len(tick(root, LANDED, instance).run_requests) == 1


def test_files_of_earlier_landing_dates_are_late(home: Path, instance: dg.DagsterInstance) -> None:
    assert tick(home, LATE, instance).skip_message == "no files are late"
    land(home, MONDAY, [event("late", f"{MONDAY}T09:00:00")], "late.ndjson")
    land(home, "2025-02-01", [event("old", "2025-02-01T09:00:00")])
    assert len(tick(home, LATE, instance).run_requests) == 1
    assert tick(home, LANDED, instance).skip_message == "nothing new has landed"
    # The earlier date has no marker: it waits, and what is complete does not wait for it.
    run_home(home, select=FEW)
    assert tick(home, LATE, instance).skip_message == "no files are late"


def test_nothing_is_started_beside_a_run(home: Path, instance: dg.DagsterInstance) -> None:
    land(home, TUESDAY, [event("b", f"{TUESDAY}T10:00:00")])
    mark(home, TUESDAY)
    at_work = dg.DagsterRunStatus.STARTED
    instance.create_run_for_job(dg.GraphDefinition("other").to_job(), status=at_work)
    assert tick(home, LANDED, instance).skip_message == "a run is at work or queued"
    assert tick(home, LATE, instance).skip_message == "a run is at work or queued"


@pytest.mark.parametrize(
    ("settings", "status"),
    [("", "STOPPED"), (MARKED, "RUNNING"), ("landing_quiet_minutes = 5\n", "RUNNING")],
)
def test_a_landing_starts_nothing_by_itself_while_no_rule_says_when_it_is_complete(
    folder: Path, settings: str, status: str
) -> None:
    root = make_home(folder / "home", settings)
    for name in (LANDED, LATE):
        assert sensor_of(Home(root), name).default_status.value == status
    for name in (FRESHNESS, FAILED_RUNS, NEW_DATA):
        assert sensor_of(Home(root), name).default_status.value == "RUNNING"


def test_freshness_is_of_the_days_of_the_data(home: Path) -> None:
    def judged(now: datetime) -> Any:
        return judgements.judge_freshness(home, now)

    # The last landing date is 3 March: two days later it is fresh, three days later it is not.
    assert judged(datetime(2025, 3, 5, 23, tzinfo=UTC)).passed
    late = judged(datetime(2025, 3, 6, tzinfo=UTC))
    assert not late.passed
    assert late.severity == dg.AssetCheckSeverity.WARN
    assert "active_days_histogram by 3 days" in late.description
    assert late.metadata["days_late"].value["active_days_histogram"] == 3
    # An old day that is built anew leaves it as late as it was.
    land(home, "2025-02-01", [event("old", "2025-02-01T09:00:00")])
    run_home(home, select=FEW, force=True)
    assert not judged(datetime(2025, 3, 6, tzinfo=UTC)).passed


def test_freshness_is_reported_when_it_changes_even_if_nothing_runs(
    home: Path, instance: dg.DagsterInstance
) -> None:
    result = tick(home, FRESHNESS, instance)
    (said,) = result.asset_events
    assert (said.check_name, said.passed) == (judgements.IS_FRESH, False)
    assert tick(home, FRESHNESS, instance, result.cursor).skip_message == "as it was"


def test_the_page_of_a_run_is_below_the_address_that_the_settings_name(folder: Path) -> None:
    root = make_home(folder / "home", 'alert_page = "https://dagster.example.org/"\n')
    assert page_of_run(open_home(root), "1a") == "https://dagster.example.org/runs/1a"
    assert page_of_run(Home(folder / "none"), "1a") == ""


def test_all_that_changes_a_home_is_in_one_pool_of_which_one_run_is_let_in(folder: Path) -> None:
    config = yaml.safe_load((ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    assert config["concurrency"]["pools"] == {"granularity": "run", "default_limit": 1}
    assert config["run_monitoring"]["enabled"]
    assert config["run_retries"]["enabled"]
    defs = definitions_of(make_home_of(folder))
    names = {each.name for each in defs.sensors or ()}
    assert names == {LANDED, LATE, FRESHNESS, FAILED_RUNS, NEW_DATA}
    job = defs.resolve_job_def(JOB)
    pools = {node.definition.pool for node in job.graph.nodes if hasattr(node.definition, "pool")}
    assert "tidemark_home" in pools


def make_home_of(folder: Path) -> Home:
    return Home(make_home(folder / "home"))


def test_the_last_change_of_a_folder_is_that_of_anything_in_it(folder: Path) -> None:
    (folder / "a" / "b").mkdir(parents=True)
    before = last_change(folder)
    (folder / "a" / "b" / ".hidden.part").write_text("x")
    assert last_change(folder) >= before
    assert last_change(folder / "gone") == 0.0
