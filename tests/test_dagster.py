"""Dagster runs what the command line runs: the same bytes, by its own partitions and checks."""

import errno
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import polars as pl
import pytest
from dagster._core.execution.backfill import PartitionBackfill
from homes import only_tables, tables_of

from pipelines import registry
from pipelines import run as judging
from pipelines.checks import CHECKS
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.orchestration import judgements, steps
from pipelines.orchestration.days import (
    ALL_DAYS,
    ONLY_COMPLETE,
    asked_days,
    days_of_run,
    event_days,
    tags_of_night,
    tags_of_range,
)
from pipelines.orchestration.nightly import JOB, SCHEDULE, definitions_of, run_in_process
from pipelines.orchestration.prepare import close_killed_runs, prepare
from pipelines.orchestration.tables import Rebuild
from pipelines.orchestration.telling import refused_files
from pipelines.run import run
from pipelines.sample import write_sample
from pipelines.session import Session, writing
from pipelines.warehouse.bring_up import Days
from pipelines.warehouse.lock import writer_lock
from pipelines.warehouse.promises import BrokenPromiseError, check_promise

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as one:
        yield one


@pytest.fixture(scope="module")
def sample_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A few days of made-up data that no test changes."""
    root = tmp_path_factory.mktemp("sample")
    write_sample(root / "landing", root / "truths.json", days=6, users=20)
    return root


@pytest.fixture
def few_assets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A smaller house, and what must hold between its tables."""
    with only_tables("ingest_ledger", "active_users_daily"):
        names = {spec.name for spec in registry.TABLES}
        monkeypatch.setattr(judgements, "CHECKS", [c for c in CHECKS if {*c.tables} <= names])
        yield


def home_beside(sample_home: Path, root: Path, settings: str = "") -> Home:
    """A new home with the same landing."""
    landing = json.dumps(str(sample_home / "landing"))
    (root / "tidemark.toml").write_text(f"{settings}\npaths.landing = {landing}\n")
    return Home(root)


def land(home: Home, landing_date: str, *rows: dict[str, Any] | str) -> None:
    """A file of events, one a line; a text is a broken line."""
    folder = home.root / "landing" / "events" / landing_date
    folder.mkdir(parents=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    (folder / "events.ndjson").write_text("\n".join(lines) + "\n")


def event(name: str, moment: str) -> dict[str, Any]:
    return {"event_id": name, "event_name": "click", "event_ts": moment, "user_id": "ann"}


def files_of(home: Home) -> dict[str, bytes]:
    patterns = ("warehouse/*/*.parquet", "bi/*.parquet")
    paths = [path for pattern in patterns for path in home.root.glob(pattern)]
    return {path.relative_to(home.root).as_posix(): path.read_bytes() for path in paths}


def materializations(
    result: dg.ExecuteInProcessResult, table: str
) -> dict[str | None, dict[str, Any]]:
    """Metadata by partition of what a run reported of a table."""
    found = {}
    for each in result.all_events:
        if each.is_step_materialization and each.asset_key == dg.AssetKey(table):
            said = each.step_materialization_data.materialization
            found[said.partition] = {name: value.value for name, value in said.metadata.items()}
    return found


def failures(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """Why steps failed, by step."""
    found = {}
    for each in result.get_step_failure_events():
        data = each.step_failure_data
        said = data.user_failure_data.description if data.user_failure_data else data.error
        found[str(each.step_key)] = str(said)
    return found


@pytest.fixture(scope="module")
def nightly_home(
    sample_home: Path, tmp_path_factory: pytest.TempPathFactory, instance: dg.DagsterInstance
) -> tuple[Home, dg.ExecuteInProcessResult]:
    """A home that was brought up to date as the schedule does it, and what the run said."""
    home = home_beside(sample_home, tmp_path_factory.mktemp("nightly"), "lock_wait_minutes = 0")
    return home, run_in_process(home, instance)


def test_dagster_and_the_command_line_give_the_same_bytes(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult], sample_home: Path, tmp_path: Path
) -> None:
    home = home_beside(sample_home, tmp_path)
    assert run(home).publication
    by_command_line = files_of(home)
    by_dagster = files_of(nightly_home[0])
    assert sorted(by_dagster) == sorted(by_command_line)
    assert by_dagster == by_command_line
    assert {f"bi/{spec.name}.parquet" for spec in tables_of("events")} <= set(by_dagster)


def test_a_run_reports_every_event_day_that_it_built(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult],
) -> None:
    home, result = nightly_home
    reported = materializations(result, "events")
    with_rows = {d: m["dagster/partition_row_count"] for d, m in reported.items()}
    total = materializations(result, "user_days")[None]
    assert sum(with_rows.values()) == next(iter(reversed(reported.values())))["dagster/row_count"]
    assert total["slices_rebuilt"] == total["slices"] > 0
    assert total["dagster/row_count"] > 0
    assert total["bytes"] > 0
    daily = materializations(result, "active_users_daily")[None]
    assert daily["days_late"] > 0
    bars, said = daily["chart"].split(" ", 1)
    days = (date.fromisoformat(daily["data_through"]) - first_day(home)).days + 1
    assert len(bars) == days
    assert said.startswith(f"dau, {first_day(home)} to {daily['data_through']}: ")


def first_day(home: Home) -> date:
    table = pl.read_parquet(home.bi / "active_users_daily.parquet")
    return min(table["date"])


def test_all_checks_are_evaluated_and_hold(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult],
) -> None:
    _, result = nightly_home
    evaluations = result.get_asset_check_evaluations()
    names = {f"{each.asset_key.path[-1]}.{each.check_name}" for each in evaluations}
    promised = {f"{spec.name}.{judgements.PROMISE}" for spec in registry.PUBLISHED}
    between = {f"{check.table}.{check.name}" for check in CHECKS}
    read = {f"landed_{source}.every_file_was_read" for source in registry.SOURCES}
    assert names == promised | between | read | {"publication.is_fresh"}
    # The sample is of the past, and nothing but that is wrong with it.
    assert [each.check_name for each in evaluations if not each.passed] == ["is_fresh"]


def test_a_broken_check_keeps_readers_on_the_last_good_tables(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, _ = nightly_home
    before = files_of(home)
    # As if the code of the checks had changed, so that what has held is judged again.
    monkeypatch.setattr(Session, "content_digest", lambda _, tables: "".join(tables).encode())
    monkeypatch.setattr(judging, "broken", lambda check, _: f"{check.name} is broken")
    result = run_in_process(home, instance, raise_on_error=False)
    assert list(failures(result)) == ["publication"]
    found = {each.check_name for each in result.get_asset_check_evaluations() if not each.passed}
    assert found == {check.name for check in CHECKS}
    assert materializations(result, "publication") == {}
    assert files_of(home) == before
    # Nothing had changed, so that nothing but the two days of the run's range was reported.
    assert len(materializations(result, "events")) == 2
    assert materializations(result, "user_days")[None]["slices_rebuilt"] == 0


def test_a_broken_promise_stops_what_depends_on_the_table(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult],
    instance: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    home, _ = nightly_home
    before = files_of(home)
    monkeypatch.setattr(Session, "content_digest", lambda _, tables: b"new" + tables[0].encode())

    def refuse(frame: pl.DataFrame, table: str, model: Any) -> None:
        if table == "churn_monthly":
            raise BrokenPromiseError("churn_monthly: customers is negative")
        check_promise(frame, table, model)

    monkeypatch.setattr(judgements, "check_promise", refuse)
    result = run_in_process(home, instance, raise_on_error=False)
    assert "1 blocking asset check failed" in failures(result)["churn_monthly"]
    broken = [each for each in result.get_asset_check_evaluations() if not each.passed]
    assert [each.description for each in broken] == ["churn_monthly: customers is negative"]
    assert materializations(result, "publication") == {}
    assert files_of(home) == before


@pytest.mark.usefixtures("few_assets")
def test_rows_of_an_older_promise_that_a_range_leaves_out_block_nothing(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    for day in ("2025-02-01", "2025-03-01"):
        land(home, day, event(day, f"{day}T10:00:00Z"))
    run(home)
    (tmp_path / "tidemark.toml").write_text("mau_window_days = 27\n")

    def refuse(frame: pl.DataFrame, table: str, model: Any) -> None:
        if table == "active_users_daily":
            raise BrokenPromiseError(f"{table}: there is a new column")

    monkeypatch.setattr(judgements, "check_promise", refuse)
    result = run_in_process(Home(tmp_path), instance, date(2025, 2, 1), date(2025, 2, 1))
    said = materializations(result, "active_users_daily")[None]
    assert said["slices_waiting"] == 1
    (judged,) = (
        each
        for each in result.get_asset_check_evaluations()
        if each.asset_key == dg.AssetKey("active_users_daily") and not each.passed
    )
    assert judged.severity == dg.AssetCheckSeverity.WARN
    assert judged.description == "active_users_daily: there is a new column; it is not up to date"
    assert materializations(result, "publication")[None]["tables_not_up_to_date"] != "none"


def test_steps_of_a_run_share_what_is_loaded_until_somebody_else_is_at_work(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult],
) -> None:
    home, _ = nightly_home
    context: Any = SimpleNamespace(run=SimpleNamespace(run_id="one"), log=None)

    def session() -> Session:
        with steps.changing(home.root, context) as found:
            return found

    first = session()
    assert session() is first
    with writing(home) as other:
        other.manifest.note("by", "another")
    second = session()
    assert second is not first
    context.run.run_id = "two"
    third = session()
    assert third is not second
    with pytest.raises(dg.Failure), steps.changing(home.root, context):
        raise TidemarkError("half done")
    assert session() is not third


def test_a_home_in_use_fails_the_step_in_one_line(
    nightly_home: tuple[Home, dg.ExecuteInProcessResult], instance: dg.DagsterInstance
) -> None:
    home, _ = nightly_home
    with writer_lock(home.warehouse):
        result = run_in_process(home, instance, raise_on_error=False)
    said = failures(result)["landing"]
    assert said.startswith("another run is at work in ")
    assert "\n" not in said


@pytest.mark.usefixtures("few_assets")
def test_a_range_is_honoured_and_the_night_makes_up_for_the_rest(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    ranged, whole = (Home(tmp_path / name) for name in ("ranged", "whole"))
    for home in (ranged, whole):
        land(home, "2025-03-01", event("a", "2025-03-01T10:00:00Z"))
        old = event("c", "2025-02-01T10:00:00Z")
        land(home, "2025-03-04", event("b", "2025-03-03T10:00:00Z"), old)
    result = run_in_process(ranged, instance, date(2025, 3, 2), date(2025, 3, 3))
    events = materializations(result, "events")
    assert set(events) == {"2025-03-02", "2025-03-03"}
    assert events["2025-03-02"]["dagster/partition_row_count"] == 0
    assert events["2025-03-03"]["dagster/partition_row_count"] == 1
    # 1 February and 1 March lie before the range.
    assert events["2025-03-03"]["slices_waiting"] == 2

    events = materializations(run_in_process(ranged, instance), "events")
    assert {"2025-02-01", "2025-03-01"} < set(events)
    assert "2025-03-03" not in events
    assert event_days(ranged).get_first_partition_key() == "2025-02-01"
    run(whole)
    # Files that were replaced are swept by the next run, as it begins.
    with writing(ranged):
        assert files_of(ranged) == files_of(whole)


@pytest.mark.usefixtures("few_assets")
def test_a_forced_backfill_builds_what_is_not_stale_in_its_range_and_nothing_else(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    home = Home(tmp_path)
    for day in ("2025-03-01", "2025-03-02", "2025-03-03"):
        land(home, day, event(day, f"{day}T10:00:00Z"))
    run(home, select=["user_days"])
    before = files_of(home)
    first, last = date(2025, 3, 2), date(2025, 3, 2)
    result = run_selected(home, instance, ["user_days"], first, last, force=False)
    assert materializations(result, "user_days")[None]["slices_rebuilt"] == 0
    result = run_selected(home, instance, ["user_days"], first, last, force=True)
    assert materializations(result, "user_days")[None]["slices_rebuilt"] == 1
    assert files_of(home) == before


def run_selected(
    home: Home,
    instance: dg.DagsterInstance,
    tables: list[str],
    first: date,
    last: date,
    *,
    force: bool,
) -> dg.ExecuteInProcessResult:
    """Some assets over a range, as their page launches them."""
    job = definitions_of(home).resolve_implicit_global_asset_job_def()
    return job.execute_in_process(
        instance=instance,
        asset_selection=[dg.AssetKey(table) for table in tables],
        tags=tags_of_range(str(first), str(last)),
        run_config={"resources": {"rebuild": {"config": {"force": force}}}},
    )


@pytest.mark.usefixtures("few_assets")
def test_a_disk_that_fails_for_a_moment_is_tried_again(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(tmp_path)
    land(home, "2025-03-01", event("a", "2025-03-01T10:00:00Z"))
    monkeypatch.setattr(steps, "PAUSES", (0, 0))
    failures = iter([OSError(errno.EIO, "input/output error")])
    monkeypatch.setattr(steps, "opened", failing_first(failures))
    days = date(2025, 3, 1), date(2025, 3, 1)
    result = run_selected(home, instance, ["landed_events"], *days, force=False)
    assert result.success
    assert materializations(result, "landed_events")[None]["files_taken_in"] == 1


def failing_first(failures: Iterator[Exception]) -> Any:
    """Opening a home, after it has failed in each of these ways."""
    work = steps.opened

    def attempt(*arguments: Any, **options: Any) -> Any:
        for failure in failures:
            raise failure
        return work(*arguments, **options)

    return attempt


@pytest.mark.usefixtures("few_assets")
def test_a_night_leaves_what_is_not_complete_and_a_run_by_hand_takes_it(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    (tmp_path / "tidemark.toml").write_text('landing_marker = "_SUCCESS"\n')
    home = Home(tmp_path)
    land(home, "2025-03-01", event("a", "2025-03-01T10:00:00Z"))
    land(home, "2025-03-02", event("b", "2025-03-02T10:00:00Z"))
    (tmp_path / "landing" / "events" / "2025-03-01" / "_SUCCESS").touch()
    night = tags_of_night(event_days(home), datetime.now(UTC), home.settings)
    job = definitions_of(home).resolve_implicit_global_asset_job_def()
    chosen = [dg.AssetKey("landed_events")]

    def taken(tags: dict[str, str]) -> tuple[int, str]:
        result = job.execute_in_process(instance=instance, asset_selection=chosen, tags=tags)
        said = materializations(result, "landed_events")[None]
        return said["landing_dates_taken_in"], said["not_complete_yet"]

    assert taken(night) == (1, "- 2025-03-02: there is no _SUCCESS")
    assert taken(tags_of_range("2025-03-01", "2025-03-02")) == (1, "none")


@pytest.mark.usefixtures("few_assets")
def test_files_that_a_run_could_not_read_are_told_by_source(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    home = Home(tmp_path)
    land(home, "2025-03-03", event("a", "2025-03-03T10:00:00Z"))
    (tmp_path / "landing" / "events" / "2025-03-03" / "b.parquet").write_bytes(b"no parquet")
    days = date(2025, 3, 3), date(2025, 3, 3)
    result = run_selected(home, instance, ["landed_events"], *days, force=False)
    assert refused_files(instance, result.run_id) == ["events/2025-03-03/b.parquet"]
    assert refused_files(instance, "another") == []


@pytest.mark.usefixtures("few_assets")
def test_too_many_refused_rows_withhold_the_publication(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    home = Home(tmp_path)
    land(home, "2025-03-03", event("a", "2025-03-03T10:00:00Z"), "{broken")
    result = run_in_process(home, instance, raise_on_error=False)
    # 1 of 2 rows is refused, the limit is 5 %.
    assert list(failures(result)) == ["publication"]
    assert "1 of 2 rows" in failures(result)["publication"]
    assert not home.bi.exists()


@pytest.mark.usefixtures("few_assets")
def test_an_empty_home_can_be_loaded_and_says_what_is_missing(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    empty = definitions_of(Home(tmp_path / "none"))
    # As a code location loads them: names that clash are found no earlier.
    dg.Definitions.validate_loadable(empty)
    empty.resolve_job_def(JOB)
    assert not (tmp_path / "none").exists()
    (tmp_path / "landing").mkdir()
    result = run_in_process(Home(tmp_path), instance, raise_on_error=False)
    assert failures(result)["landing"].startswith("nothing has landed in ")


def test_assets_carry_what_the_schemas_say(tmp_path: Path) -> None:
    defs = definitions_of(Home(tmp_path))
    specs = {spec.key.path[-1]: spec for spec in defs.resolve_all_asset_specs()}
    assert set(specs) == {*registry.FILINGS, "publication"}
    for spec in registry.TABLES:
        shown = specs[spec.name]
        assert shown.group_name == spec.group
        assert shown.kinds == {"polars", "parquet"}
        assert list(shown.owners) == ["team:data"]
        assert spec.promise.grain in str(shown.description)
        columns = shown.metadata["dagster/column_schema"].columns
        assert [column.name for column in columns] == list(spec.schema)
        assert all(column.description for column in columns)
        assert not [column for column in columns if "(time_unit" in column.type]
        # Dagster's pages drop what looks like HTML.
        texts = [shown.description, shown.metadata["columns_made_from"].value]
        assert not re.search("<[a-z]", " ".join(map(str, texts)))
        constraints = [each for column in columns for each in column.constraints.other]
        assert not [each for each in constraints if "_than" in each]
        upstream = {dep.asset_key.path[-1] for dep in shown.deps}
        assert upstream == set(spec.reads) - {spec.name}
    assert "<" not in str(specs["publication"].description)
    assert {name for name, spec in specs.items() if spec.partitions_def} == {"events"}
    published = {dep.asset_key.path[-1] for dep in specs["publication"].deps}
    assert published == {spec.name for spec in registry.PUBLISHED}


def test_the_schedule_asks_for_all_days_in_the_reporting_time_zone(tmp_path: Path) -> None:
    (tmp_path / "tidemark.toml").write_text('timezone = "Europe/Berlin"\nnightly_at = "04:30"\n')
    schedule = definitions_of(Home(tmp_path)).resolve_schedule_def(SCHEDULE)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 4 * * *", "Europe/Berlin")
    # 23:30 UTC is 01:30 of the day after in Berlin: the newest day is that one.
    moment = datetime(2025, 7, 1, 23, 30, tzinfo=UTC)
    with dg.build_schedule_context(scheduled_execution_time=moment) as context:
        requests = schedule.evaluate_tick(context).run_requests or []
    limit = {"dagster/max_runtime": "86400"}
    asked = tags_of_range("2025-07-01", "2025-07-02") | ALL_DAYS | ONLY_COMPLETE | limit
    assert [asked.items() <= request.tags.items() for request in requests] == [True]


def test_partitions_begin_with_the_first_landing_date_before_the_first_run(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert event_days(home).get_first_partition_key() == "2024-01-01"
    land(home, "2025-03-04", event("a", "2025-02-27T23:30:00Z"))
    assert event_days(home).get_first_partition_key() == "2025-03-04"


def test_the_ends_of_all_partitions_are_open() -> None:
    days = dg.DailyPartitionsDefinition(start_date="2025-03-01", end_date="2025-03-11")
    first, last = "2025-03-01", "2025-03-10"
    inner = tags_of_range("2025-03-02", "2025-03-05")
    assert asked_days(inner, days) == Days(date(2025, 3, 2), date(2025, 3, 5))
    assert asked_days(tags_of_range(first, "2025-03-05"), days) == Days(None, date(2025, 3, 5))
    assert asked_days(tags_of_range("2025-03-02", last), days) == Days(date(2025, 3, 2), None)
    assert asked_days(inner | ALL_DAYS, days) == Days()
    assert asked_days({}, days) == Days()
    one_day = {"dagster/partition": "2025-03-02"}
    assert asked_days(one_day, days) == Days(date(2025, 3, 2), date(2025, 3, 2))


def test_every_run_of_a_backfill_keeps_to_its_days_also_that_of_tables_without_partitions(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    home = Home(tmp_path)
    land(home, "2025-03-01", event("a", "2025-03-01T10:00:00Z"))
    defs, partitions = definitions_of(home), event_days(home)
    backfill = PartitionBackfill.from_asset_partitions(
        backfill_id="abc",
        asset_graph=defs.resolve_asset_graph(),
        partition_names=["2025-03-02", "2025-03-03"],
        asset_selection=[dg.AssetKey("events"), dg.AssetKey("user_days")],
        backfill_timestamp=datetime.now(UTC).timestamp(),
        tags={},
        dynamic_partitions_store=instance,
        all_partitions=False,
        title=None,
        description=None,
        run_config=None,
    )
    instance.add_backfill(backfill)

    def asked(**tags: str) -> Days:
        run = instance.create_run_for_job(dg.GraphDefinition("some").to_job(), tags=tags)
        return days_of_run(run, instance, partitions)

    assert asked(**{"dagster/backfill": "abc"}) == Days(date(2025, 3, 2), date(2025, 3, 3))
    assert asked(**{"dagster/backfill": "gone"}) == Days()
    named = tags_of_range("2025-03-03", "2025-03-03")
    assert asked(**{"dagster/backfill": "abc"}, **named) == Days(*[date(2025, 3, 3)] * 2)


def test_days_in_the_configuration_of_a_run_are_for_tables_without_partitions(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    others = Days(date(2025, 3, 1), None)
    assert Rebuild().days(others) == others
    assert Rebuild(first_day="2025-03-02").days(others) == Days(date(2025, 3, 2), None)
    assert Rebuild(last_day="2025-03-02").days(others) == Days(None, date(2025, 3, 2))
    home = Home(tmp_path)
    for day in ("2025-03-01", "2025-03-02", "2025-03-03"):
        land(home, day, event(day, f"{day}T10:00:00Z"))
    run(home, select=["user_days"])
    job = definitions_of(home).resolve_implicit_global_asset_job_def()

    def ended(**config: Any) -> dg.ExecuteInProcessResult:
        return job.execute_in_process(
            instance=instance,
            asset_selection=[dg.AssetKey("user_days")],
            run_config={"resources": {"rebuild": {"config": config}}},
            raise_on_error=False,
        )

    result = ended(force=True, first_day="2025-03-02", last_day="2025-03-03")
    assert materializations(result, "user_days")[None]["slices_rebuilt"] == 2
    said = failures(ended(first_day="2 March"))["user_days"]
    assert "days are YYYY-MM-DD" in said
    assert "'2 March'" in said


def test_storage_is_prepared_without_telemetry(tmp_path: Path) -> None:
    prepare(PROJECT, tmp_path / "dagster", Home(tmp_path / "home"))
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        assert not instance.telemetry_enabled
        assert instance.get_runs() == []
    assert not (tmp_path / "home").exists()


def test_runs_whose_process_was_killed_do_not_hold_up_others(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    home = Home(tmp_path)
    run_id = instance.create_run_for_job(
        dg.GraphDefinition("killed").to_job(), status=dg.DagsterRunStatus.STARTED
    ).run_id
    at_work = dg.RunsFilter([run_id], statuses=[dg.DagsterRunStatus.STARTED])
    with writer_lock(home.warehouse):
        close_killed_runs(instance, home)
        assert instance.get_runs(at_work)
    close_killed_runs(instance, home)
    assert not instance.get_runs(at_work)
