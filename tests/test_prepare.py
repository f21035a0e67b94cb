"""Dagster's storage: ready before it starts, set up from one file, and free of what is old."""

import multiprocessing
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
import yaml
from homes import ROOT

from pipelines.home import Home
from pipelines.orchestration.nightly import definitions_of
from pipelines.orchestration.prepare import (
    CONFIG,
    POSTGRES_CONFIG,
    POSTGRES_HOST,
    WRITTEN,
    prepare,
)
from pipelines.orchestration.retention import NAME, drop_old_logs

PLACES = {"storage", "local_artifact_storage", "compute_logs"}
LATER = datetime.now(UTC) + timedelta(days=91)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Dagster's storage after one run that materialized a table, and said a line and a word."""
    folder = tmp_path_factory.mktemp("prepared")
    prepare(ROOT, folder / "dagster", Home(folder / "home"))
    with dg.DagsterInstance.from_config(str(folder / "dagster")) as one:

        @dg.asset
        def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            context.log.info("a line")
            print("a word")
            return dg.MaterializeResult(metadata={"rows": 3})

        assert dg.materialize([table], instance=one).success
    return folder / "dagster"


@pytest.fixture
def instance(place: Path, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """A copy of that storage, for one test."""
    shutil.copytree(place, tmp_path / "dagster")
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as one:
        yield one


def settings_of(file: Path) -> dict:
    return yaml.safe_load(file.read_text(encoding="utf-8"))


def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str = "") -> dict:
    """What would be written to a new DAGSTER_HOME; PostgreSQL is not asked for anything."""
    monkeypatch.setenv(POSTGRES_HOST, host)
    with monkeypatch.context() as patch:
        patch.setattr(dg.DagsterInstance, "from_config", lambda _: dg.DagsterInstance.ephemeral())
        prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    return settings_of(tmp_path / CONFIG)


def test_a_new_dagster_home_has_the_settings_of_the_project_but_for_the_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    project = settings_of(ROOT / CONFIG)
    assert project.keys() >= PLACES
    assert configured(tmp_path, monkeypatch) == {
        name: value for name, value in project.items() if name not in PLACES
    }


def test_with_postgres_only_the_storage_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    without = configured(tmp_path, monkeypatch)
    within = configured(tmp_path, monkeypatch, host="127.0.0.1")
    assert within == without | settings_of(ROOT / POSTGRES_CONFIG)
    assert list(settings_of(ROOT / POSTGRES_CONFIG)) == ["storage"]


def test_settings_follow_the_project_until_somebody_makes_them_their_own(
    place: Path, tmp_path: Path
):
    shutil.copytree(place, tmp_path, dirs_exist_ok=True)
    config = tmp_path / CONFIG
    written = config.read_text()
    config.write_text(f"{WRITTEN}\nretention: {{}}\n")
    prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    assert config.read_text() == written
    config.write_text("telemetry: {enabled: false}\n")
    prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    assert config.read_text() == "telemetry: {enabled: false}\n"


def test_several_processes_can_prepare_the_same_fresh_storage(tmp_path: Path):
    # Forked, so that they begin at once and import nothing anew.
    fork = multiprocessing.get_context("fork")
    arguments = (ROOT, tmp_path / "dagster", Home(tmp_path / "home"))
    several = [fork.Process(target=prepare, args=arguments) for _ in range(3)]
    for process in several:
        process.start()
    for process in several:
        process.join()
    assert [process.exitcode for process in several] == [0, 0, 0]


def test_old_logs_go_and_what_was_materialized_stays(instance: dg.DagsterInstance):
    root = Path(instance.root_directory)
    (run,) = instance.get_runs()
    shard = root / "history" / "runs" / f"{run.run_id}.db"
    words = root / "storage" / run.run_id / "compute_logs"
    assert drop_old_logs(instance, datetime.now(UTC)) == 0
    assert shard.exists()
    assert any("a word" in file.read_text() for file in words.glob("*.out"))

    assert drop_old_logs(instance, LATER) > 0
    assert not shard.exists()
    assert not words.exists()
    assert [each.run_id for each in instance.get_runs()] == [run.run_id]
    kept = instance.get_latest_materialization_event(dg.AssetKey("table"))
    assert kept
    assert kept.asset_materialization
    assert kept.asset_materialization.metadata["rows"].value == 3


def test_logs_are_kept_as_long_as_the_settings_say(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(instance, "get_tick_retention_settings", lambda _: _Days(92))
    assert drop_old_logs(instance, LATER) == 0
    monkeypatch.setattr(instance, "get_tick_retention_settings", lambda _: _Days(-1))
    assert drop_old_logs(instance, LATER) == 0


class _Days(dict):
    """The same number of days for every status of a tick."""

    def __init__(self, days: int) -> None:
        self._days = days

    def __getitem__(self, _: object) -> int:
        return self._days


def test_dagster_drops_old_logs_every_week_by_itself(instance: dg.DagsterInstance, tmp_path: Path):
    definitions = definitions_of(Home(tmp_path / "home"))
    (schedule,) = [each for each in definitions.schedules or [] if each.name == f"{NAME}_weekly"]
    assert isinstance(schedule, dg.ScheduleDefinition)
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.cron_schedule == "30 12 * * 0"
    (run,) = instance.get_runs()
    shard = Path(instance.root_directory) / "history" / "runs" / f"{run.run_id}.db"
    long_ago = (datetime.now(UTC) - timedelta(days=91)).timestamp()
    os.utime(shard, (long_ago, long_ago))
    assert definitions.resolve_job_def(NAME).execute_in_process(instance=instance).success
    assert not shard.exists()
