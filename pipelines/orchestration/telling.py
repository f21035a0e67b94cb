"""Messages from Dagster: of a run that failed, and of what a run published."""

from datetime import UTC, datetime

import dagster as dg

from pipelines.home import Home
from pipelines.messages import message_of_failure, send, tell_of_data

FAILED_RUNS, NEW_DATA = "tell_of_failed_runs", "tell_of_new_data"


def telling(home: Home) -> list[dg.SensorDefinition]:
    """Sensors that tell people; without an address in the environment they tell nobody."""
    return [_failed_runs(home), _new_data(home)]


def page_of_run(home: Home, run_id: str) -> str:
    """The page of a run, where ``alert_page`` says what Dagster's address is."""
    page = home.settings.alert_page
    return f"{page.rstrip('/')}/runs/{run_id}" if page else ""


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
        description="Tells the webhook and Slack of alerts and late tables that are new.",
    )
    def tell(context: dg.RunStatusSensorContext) -> None:
        page = page_of_run(home, context.dagster_run.run_id)
        tell_of_data(home, datetime.now(UTC), page, context.log.warning)

    return tell
