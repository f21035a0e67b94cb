"""``python -m pipelines.orchestration.prepare``: Dagster's storage, made ready before it starts.

Several processes that open a fresh storage at once crash each other on its first migration. Nothing
in Dagster forgets old runs, and a run whose process was killed counts as running for ever, which
would hold up every run after it.
"""

import os
import time
from pathlib import Path

import dagster as dg

from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.orchestration.place import home_of_environment
from pipelines.warehouse.lock import writer_lock

CONFIG = "dagster.yaml"
# What was built when is kept for good; only the lines of a run's log are dropped.
_KEEP_LOGS_SECONDS = 90 * 24 * 3600
_PLACES = ("storage:", "local_artifact_storage:", "compute_logs:")
_UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def prepare(project: Path, dagster_home: Path, home: Home) -> None:
    """Set up the storage in ``dagster_home``, with the project's settings where it has none."""
    _configure(project, dagster_home)
    with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
        close_killed_runs(instance, home)
    _drop_old_logs(dagster_home / "history" / "runs")


def _configure(project: Path, dagster_home: Path) -> None:
    dagster_home.mkdir(parents=True, exist_ok=True)
    config = dagster_home / CONFIG
    if not config.exists():
        blocks = (project / CONFIG).read_text(encoding="utf-8").split("\n\n")
        kept = [block for block in blocks if not block.startswith(_PLACES)]
        config.write_text("\n\n".join(kept), encoding="utf-8")


def close_killed_runs(instance: dg.DagsterInstance, home: Home) -> None:
    """Runs that are said to be at work fail, where nothing is at work in the home."""
    runs = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    if not runs:
        return
    try:
        with writer_lock(home.warehouse):
            for run in runs:
                instance.report_run_failed(run, "its process ended before it did; run it again")
    except TidemarkError:
        return


def _drop_old_logs(folder: Path) -> None:
    oldest = time.time() - _KEEP_LOGS_SECONDS
    for log in folder.glob("*.db*"):
        if not log.name.startswith("index.") and log.stat().st_mtime < oldest:
            log.unlink()


if __name__ == "__main__":
    here = Path.cwd()
    prepare(here, Path(os.environ.get("DAGSTER_HOME") or here / ".dagster"), home_of_environment())
