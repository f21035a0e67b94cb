"""What Dagster itself never deletes: the log lines, compute logs and SQLite files of old runs.

They are kept as many days as ``dagster.yaml`` keeps the ticks of schedules. Runs and what they
materialized stay for good: Dagster tells from them which partitions there are.
"""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable

NAME = "drop_old_logs"
_KEPT_EVENTS = [
    dg.DagsterEventType.ASSET_MATERIALIZATION.value,
    dg.DagsterEventType.ASSET_OBSERVATION.value,
]
_FOREVER = -1


def drop_old_logs(instance: dg.DagsterInstance, now: datetime) -> int:
    """Delete what is older than the instance keeps; how many lines, folders and files that were."""
    kept = instance.get_tick_retention_settings(InstigatorType.SCHEDULE)
    days = kept[TickStatus.SUCCESS]
    if days == _FOREVER:
        return 0
    oldest = now - timedelta(days=days)
    root = Path(instance.root_directory)
    return (
        _drop_lines(instance, oldest)
        + _drop_compute_logs(root, oldest)
        + _drop_shards(root, oldest)
    )


def tidying(timezone: str) -> dg.ScheduleDefinition:
    """The schedule that drops old logs once a week, away from the night, and its job."""

    # Names of ops and jobs have to differ.
    @dg.op(name=f"{NAME}_now")
    def drop(context: dg.OpExecutionContext) -> None:
        count = drop_old_logs(context.instance, datetime.now(UTC))
        context.log.info(f"dropped {count} log lines, compute logs and files of old runs")

    @dg.job(name=NAME, description="Drop the logs of runs that are older than dagster.yaml keeps.")
    def job() -> None:
        drop()

    return dg.ScheduleDefinition(
        name=f"{NAME}_weekly",
        job=job,
        cron_schedule="30 12 * * 0",
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="On Sundays at noon. Runs and what they materialized stay.",
    )


def _drop_lines(instance: dg.DagsterInstance, oldest: datetime) -> int:
    """Lines of runs; in SQLite, where each run has a file, those in the index of all runs."""
    storage = instance.event_log_storage
    if not isinstance(storage, SqlEventLogStorage):
        return 0
    column = SqlEventLogStorageTable.c
    # Dagster stores moments in UTC, without saying so.
    is_old = column.timestamp < oldest.astimezone(UTC).replace(tzinfo=None)
    # What a step says by itself has no type.
    is_line = column.dagster_event_type.is_(None) | column.dagster_event_type.not_in(_KEPT_EVENTS)
    with storage.index_transaction() as connection:
        return connection.execute(SqlEventLogStorageTable.delete().where(is_old & is_line)).rowcount


def _drop_compute_logs(root: Path, oldest: datetime) -> int:
    old = [
        folder for folder in (root / "storage").glob("*/compute_logs") if _is_older(folder, oldest)
    ]
    for folder in old:
        shutil.rmtree(folder.parent)
    return len(old)


def _drop_shards(root: Path, oldest: datetime) -> int:
    """SQLite has a file for each run, and an index of materializations beside them."""
    old = [
        file
        for file in (root / "history" / "runs").glob("*.db*")
        if not file.name.startswith("index.") and _is_older(file, oldest)
    ]
    for file in old:
        file.unlink()
    return len(old)


def _is_older(path: Path, oldest: datetime) -> bool:
    return path.stat().st_mtime < oldest.timestamp()
