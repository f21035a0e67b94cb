"""Messages from Dagster: of a run that failed, and of what a run published."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.home import Home
from pipelines.messages import message_of_failure, message_of_files, send, tell_of_data
from pipelines.orchestration.landing import FILES_CHECK, REFUSED

FAILED_RUNS, NEW_DATA = "tell_of_failed_runs", "tell_of_new_data"


def telling(home: Home) -> list[dg.SensorDefinition]:
    """Sensors that tell people; without an address in the environment they tell nobody."""
    return [_failed_runs(home), _new_data(home)]


def page_of_run(home: Home, run_id: str) -> str:
    """The page of a run, where ``alert_page`` says what Dagster's address is."""
    page = home.settings.alert_page
    return f"{page.rstrip('/')}/runs/{run_id}" if page else ""


def refused_files(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Files that a run could not read to their end, by source."""
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION
    found = []
    for entry in instance.all_logs(run_id, of_type=kind):
        said = entry.get_dagster_event().asset_check_evaluation_data
        if said.check_name == FILES_CHECK and not said.passed:
            source = said.asset_key.path[-1].removeprefix("landed_")
            names = str(said.metadata[REFUSED].value).splitlines()
            found += [f"{source}/{name.removeprefix('- ')}" for name in names]
    return found


def _failed_runs(home: Home) -> dg.SensorDefinition:
    @dg.run_failure_sensor(
        name=FAILED_RUNS,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the webhook and Slack of every run that failed.",
    )
    def tell(context: dg.RunFailureSensorContext) -> None:
        steps = context.get_step_failure_events()
        said = [event.step_failure_data.error_display_string.split("\n")[0] for event in steps]
        problem = "; ".join(said) or context.failure_event.message or "without a word"
        page = page_of_run(home, context.dagster_run.run_id)
        send([message_of_failure(home, problem, page)], context.log.warning)

    return tell


def _new_data(home: Home) -> dg.SensorDefinition:
    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name=NEW_DATA,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the webhook and Slack of files that could not be read, and of alerts "
        "and late tables that are new.",
    )
    def tell(context: dg.RunStatusSensorContext) -> None:
        run_id = context.dagster_run.run_id
        page = page_of_run(home, run_id)
        refused = refused_files(context.instance, run_id)
        if refused:
            began = context.instance.get_run_stats(run_id).start_time or 0
            started_at = datetime.fromtimestamp(began, UTC)
            send([message_of_files(home, refused, started_at, page)], context.log.warning)
        tell_of_data(home, datetime.now(UTC), page, context.log.warning)

    return tell
