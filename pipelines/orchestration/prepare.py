"""``python -m pipelines.orchestration.prepare``: Dagster's storage, made ready before it starts.

Several processes that open a fresh storage at once crash each other on its first migration. A run
whose process was killed counts as running for ever, which would hold up every run after it.
"""

import importlib.util
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from filelock import FileLock

from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.orchestration.place import home_of_environment
from pipelines.orchestration.retention import drop_old_logs
from pipelines.warehouse.lock import writer_lock

CONFIG = "dagster.yaml"
POSTGRES_CONFIG = "deploy/dagster-postgres.yaml"
POSTGRES_HOST = "TIDEMARK_POSTGRES_HOST"
WRITTEN = "# Written anew at every start from the project's files. Without this line it is kept."
_LOCK = ".prepare.lock"
_PLACES = ("storage:", "local_artifact_storage:", "compute_logs:")
_UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def prepare(project: Path, dagster_home: Path, home: Home) -> None:
    """Set up the storage in ``dagster_home``, or in PostgreSQL where the environment names one.

    The project's settings are written there, unless somebody put their own in their place. Safe to
    run several times at once. Raises TidemarkError where PostgreSQL is named and its driver is not
    installed.
    """
    dagster_home.mkdir(parents=True, exist_ok=True)
    with FileLock(dagster_home / _LOCK):
        _configure(project, dagster_home / CONFIG)
        with dg.DagsterInstance.from_config(str(dagster_home)) as instance:
            close_killed_runs(instance, home)
            drop_old_logs(instance, datetime.now(UTC))


def _configure(project: Path, config: Path) -> None:
    if config.exists() and not config.read_text(encoding="utf-8").startswith(WRITTEN):
        return
    blocks = (project / CONFIG).read_text(encoding="utf-8").split("\n\n")
    kept = [block.rstrip() for block in blocks[1:] if not block.startswith(_PLACES)]
    if os.environ.get(POSTGRES_HOST):
        if importlib.util.find_spec("dagster_postgres") is None:
            raise TidemarkError(
                f"{POSTGRES_HOST} is set and dagster-postgres is not installed: "
                "pip install --constraint constraints.txt '.[postgres]'"
            )
        kept.append((project / POSTGRES_CONFIG).read_text(encoding="utf-8").rstrip())
    # Processes that start meanwhile read the old file or the new one.
    new = config.with_suffix(".new")
    new.write_text("\n\n".join([WRITTEN, *kept]) + "\n", encoding="utf-8")
    new.replace(config)


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


def main() -> None:
    """Prepare for the folder in which this is started, and the homes of the environment."""
    here = Path.cwd()
    try:
        prepare(
            here, Path(os.environ.get("DAGSTER_HOME") or here / ".dagster"), home_of_environment()
        )
    except TidemarkError as error:
        sys.exit(f"tidemark: {error}")


if __name__ == "__main__":
    main()
