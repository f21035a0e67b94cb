"""The job over all assets, its schedule, and the whole of what Dagster is told about a home."""

import warnings
from datetime import UTC, date, datetime

import dagster as dg

from pipelines.home import Home
from pipelines.orchestration.days import event_days, tags_of_night, tags_of_range
from pipelines.orchestration.judgements import asset_checks
from pipelines.orchestration.landing import landing_asset
from pipelines.orchestration.publication import publication_asset
from pipelines.orchestration.retention import tidying
from pipelines.orchestration.sensors import sensors
from pipelines.orchestration.tables import Rebuild, table_assets
from pipelines.orchestration.telling import telling
from pipelines.settings import Settings

JOB = "nightly"
SCHEDULE = "every_night"
# A run of the night that is tried again because its process died does all of its work again.
_JOB_TAGS = {"dagster/retry_strategy": "ALL_STEPS"}


def definitions_of(home: Home) -> dg.Definitions:
    """Assets, checks, job and schedule for a home, which may be empty or not be there yet."""
    with warnings.catch_warnings():
        # Backfill policies are marked as beta; the version of Dagster is pinned.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return _definitions(home)


def _definitions(home: Home) -> dg.Definitions:
    root = home.root
    partitions = event_days(home)
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        description="Take in what landed, bring every table up to date, check, publish.",
        tags=_JOB_TAGS,
    )
    return dg.Definitions(
        assets=[landing_asset(root), *table_assets(root, partitions), publication_asset(root)],
        asset_checks=asset_checks(root),
        jobs=[job],
        schedules=[_schedule(partitions, home.settings), tidying(home.settings.timezone)],
        sensors=[*sensors(home, JOB, partitions), *telling(home)],
        resources={"rebuild": Rebuild()},
        # A process per step would cost each of them more than most tables take to build.
        executor=dg.in_process_executor,
    )


def run_in_process(
    home: Home,
    instance: dg.DagsterInstance,
    first: date | None = None,
    last: date | None = None,
    *,
    raise_on_error: bool = True,
    force: bool = False,
) -> dg.ExecuteInProcessResult:
    """Run the job here and now: for a range of event days, else as the schedule does."""
    partitions = event_days(home)
    if first is None and last is None:
        tags = tags_of_night(partitions, datetime.now(UTC), home.settings)
    else:
        keys = partitions.get_partition_keys()
        start, end = max(str(first or keys[0]), keys[0]), min(str(last or keys[-1]), keys[-1])
        tags = tags_of_range(start, end)
    job = definitions_of(home).resolve_job_def(JOB)
    return job.execute_in_process(
        instance=instance,
        tags=tags,
        raise_on_error=raise_on_error,
        run_config={"resources": {"rebuild": {"config": {"force": force}}}},
    )


def _schedule(
    partitions: dg.DailyPartitionsDefinition, settings: Settings
) -> dg.ScheduleDefinition:
    hour, minute = settings.nightly_at.split(":")

    @dg.schedule(
        name=SCHEDULE,
        job_name=JOB,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=settings.timezone,
        # Whoever leaves the daemon running wants the night to happen.
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Every night at nightly_at in the reporting time zone. What a machine that was "
        "down has missed is found from the data.",
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        now = context.scheduled_execution_time
        tags = tags_of_night(partitions, now, settings)
        return dg.RunRequest(run_key=f"{now:%Y-%m-%d}", tags=tags)

    return every_night
