"""What starts a night beside the clock, and what watches the days that readers see.

Everything is found from the data: what landed while the machine was down is new when it is up
again, whatever ticks were missed.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import dagster as dg

from pipelines import registry
from pipelines.errors import TidemarkError
from pipelines.home import Home, open_home
from pipelines.nightly import night_terms
from pipelines.orchestration.days import tags_of_night
from pipelines.orchestration.judgements import IS_FRESH, judge_freshness
from pipelines.orchestration.publication import NAME as PUBLICATION
from pipelines.session import reading
from pipelines.warehouse.arrivals import find_arrivals
from pipelines.warehouse.digests import digest_of
from pipelines.warehouse.readiness import Awaits, at_once, last_change

LANDED, LATE, FRESHNESS = "when_a_landing_is_complete", "when_late_files_arrive", "watch_freshness"
Days = Mapping[str, Sequence[date]]
_UNFINISHED = dg.RunsFilter(
    statuses=[
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
)


def sensors(
    home: Home, job: str, partitions: dg.DailyPartitionsDefinition
) -> list[dg.SensorDefinition]:
    """All sensors of a home."""
    return [
        _landing_sensor(home, job, partitions),
        _late_sensor(home, job, partitions),
        _freshness_sensor(home),
    ]


def _landing_sensor(
    home: Home, job: str, partitions: dg.DailyPartitionsDefinition
) -> dg.SensorDefinition:
    @dg.sensor(
        name=LANDED,
        job_name=job,
        minimum_interval_seconds=60,
        default_status=_default_status(home),
        description="Starts the night as soon as all that newly lies in landing is complete, by "
        "landing_marker and landing_quiet_minutes. On by itself where one of them is set.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if _is_at_work(context.instance):
            return dg.SkipReason("a run is at work or queued")
        new, _ = stale_days(home, at_once)
        complete, _ = stale_days(home, night_terms(home, lambda: False).awaits)
        waiting = [f"{name}/{day}" for name in new for day in {*new[name]} - {*complete[name]}]
        if waiting:
            return dg.SkipReason(f"not complete yet: {', '.join(sorted(waiting))}")
        return _request(home, partitions, complete, "nothing new has landed")

    return watch


def _late_sensor(
    home: Home, job: str, partitions: dg.DailyPartitionsDefinition
) -> dg.SensorDefinition:
    @dg.sensor(
        name=LATE,
        job_name=job,
        minimum_interval_seconds=300,
        default_status=_default_status(home),
        description="Starts the night when files come to landing dates before the newest one of "
        "their source, or change there.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if _is_at_work(context.instance):
            return dg.SkipReason("a run is at work or queued")
        _, late = stale_days(home, night_terms(home, lambda: False).awaits)
        return _request(home, partitions, late, "no files are late")

    return watch


def _freshness_sensor(home: Home) -> dg.SensorDefinition:
    @dg.sensor(
        name=FRESHNESS,
        minimum_interval_seconds=900,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Judges how far the published tables lie behind today, also while nothing "
        "runs, and reports it when it changes.",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        result = judge_freshness(home.root, datetime.now(UTC))
        state = json.dumps(result.metadata["days_late"].value, sort_keys=True)
        if context.cursor == state:
            return dg.SkipReason("as it was")
        evaluation = dg.AssetCheckEvaluation(
            asset_key=dg.AssetKey(PUBLICATION),
            check_name=IS_FRESH,
            passed=result.passed,
            severity=result.severity,
            description=result.description,
            metadata=result.metadata,
        )
        return dg.SensorResult(asset_events=[evaluation], cursor=state)

    return watch


def stale_days(home: Home, awaits: Awaits) -> tuple[Days, Days]:
    """Landing dates per source that a run would take in: those after all that was taken in, others.

    Only those that await nothing.
    """
    try:
        with reading(open_home(home.root)) as session:
            stale = session.stale_landing_dates(awaits)
            taken = session.manifest.landing_dates
    except TidemarkError:
        # Nothing was run yet, or the manifest cannot be used: a run will say so.
        return {name: _arrived(home, name, awaits) for name in registry.SOURCES}, {}
    newest = {
        source: max((day for name, day in taken if name == source), default=date.min)
        for source in stale
    }
    new = {name: [day for day in days if day > newest[name]] for name, days in stale.items()}
    late = {name: [day for day in days if day <= newest[name]] for name, days in stale.items()}
    return new, late


def _arrived(home: Home, source: str, awaits: Awaits) -> list[date]:
    arrivals = find_arrivals(home.landing / source, [])
    return [day for day, arrival in arrivals.items() if not awaits(arrival)]


def _request(
    home: Home, partitions: dg.DailyPartitionsDefinition, days: Days, otherwise: str
) -> dg.RunRequest | dg.SkipReason:
    """A run for these landing dates, once for each state in which they lie there."""
    asked = [
        f"{source}/{day} {last_change(home.landing / source / str(day))}"
        for source in days
        for day in days[source]
    ]
    if not asked:
        return dg.SkipReason(otherwise)
    key = digest_of([each.encode() for each in asked]).hex()
    tags = tags_of_night(partitions, datetime.now(UTC), home.settings)
    return dg.RunRequest(run_key=key, tags=tags)


def _is_at_work(instance: dg.DagsterInstance) -> bool:
    return bool(instance.get_runs_count(_UNFINISHED))


def _default_status(home: Home) -> dg.DefaultSensorStatus:
    """Without a rule nobody knows when a landing is complete."""
    knows = home.settings.landing_marker or home.settings.landing_quiet_minutes
    return dg.DefaultSensorStatus.RUNNING if knows else dg.DefaultSensorStatus.STOPPED
