"""Dagster's storage: ready before it starts, set up from one file, and free of what is old."""

import os
import subprocess
import sys
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


@pytest.fixture
def instance(tmp_path: Path):
    """Dagster's storage after one run that materialized a table, and said a line."""
    prepare(ROOT, tmp_path / "dagster", Home(tmp_path / "home"))
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as one:

        @dg.asset
        def table(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            context.log.info("a line")
            print("a word")
            return dg.MaterializeResult(metadata={"rows": 3})

        assert dg.materialize([table], instance=one).success
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


def test_settings_follow_the_project_until_somebody_makes_them_their_own(tmp_path: Path):
    prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    config = tmp_path / CONFIG
    written = config.read_text()
    config.write_text(f"{WRITTEN}\nretention: {{}}\n")
    prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    assert config.read_text() == written
    config.write_text("telemetry: {enabled: false}\n")
    prepare(ROOT, tmp_path, Home(tmp_path / "home"))
    assert config.read_text() == "telemetry: {enabled: false}\n"


def test_several_processes_can_prepare_the_same_fresh_storage(tmp_path: Path):
    environment = {**os.environ, "DAGSTER_HOME": str(tmp_path / "dagster")}
    environment["TIDEMARK_HOME"] = str(tmp_path / "home")
    command = [sys.executable, "-m", "pipelines.orchestration.prepare"]
    several = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in several]
    assert [process.returncode for process in several] == [0, 0], said


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
