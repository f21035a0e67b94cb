"""Dagster with its storage in a real PostgreSQL gives what the command line gives."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import dagster as dg
import pytest
from homes import published, tables_of
from postgres import connect, only_if_asked_for, postgres

from pipelines.checks import CHECKS
from pipelines.home import Home
from pipelines.orchestration.judgements import IS_FRESH
from pipelines.orchestration.nightly import run_in_process
from pipelines.orchestration.prepare import prepare
from pipelines.orchestration.retention import drop_old_logs
from pipelines.run import run
from pipelines.sample import write_sample

pytestmark = only_if_asked_for
PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    root = tmp_path_factory.mktemp("postgres") / "home"
    write_sample(root / "landing", root / "truths.json", days=6, users=20)
    return Home(root)


@pytest.fixture(scope="module")
def server(home: Home) -> Iterator[dict[str, str]]:
    """Environment of a server on which Dagster was prepared and one night was run."""
    with postgres() as environment, patch.dict(os.environ, environment):
        place = home.root.parent / "dagster"
        prepare(PROJECT, place, home)
        with dg.DagsterInstance.from_config(str(place)) as instance:
            assert run_in_process(home, instance).success
        yield environment


def ask(server: dict[str, str], question: str) -> list[tuple[Any, ...]]:
    connection = connect(server)
    try:
        with connection.cursor() as cursor:
            cursor.execute(question)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows
    finally:
        connection.close()


def test_runs_tables_and_checks_are_in_the_database(home: Home, server: dict[str, str]) -> None:
    assert ask(server, "SELECT pipeline_name, status FROM runs") == [("nightly", "SUCCESS")]
    materialized = ask(
        server,
        "SELECT DISTINCT asset_key FROM event_logs "
        "WHERE dagster_event_type = 'ASSET_MATERIALIZATION'",
    )
    tables = {dg.AssetKey.from_db_string(key).path[-1] for (key,) in materialized}
    assert {spec.name for spec in tables_of("events")} <= tables
    checks = ask(server, "SELECT check_name, execution_status FROM asset_check_executions")
    assert {check.name for check in CHECKS} <= {name for name, _ in checks}
    # The sample is of a year that is over.
    assert [name for name, status in checks if status != "SUCCEEDED"] == [IS_FRESH]
    # Nothing of it went to SQLite.
    assert list((home.root.parent / "dagster").rglob("*.db")) == []


def test_the_published_bytes_are_those_of_the_command_line(
    home: Home, server: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "tidemark.toml").write_text(f'paths.landing = "{home.landing}"\n')
    assert run(Home(tmp_path)).publication
    assert published(home.root) == published(tmp_path)


def test_old_log_lines_go_and_what_was_materialized_stays(
    home: Home, server: dict[str, str]
) -> None:
    kinds = "SELECT dagster_event_type, count(*) FROM event_logs GROUP BY 1"
    before = dict(ask(server, kinds))
    with dg.DagsterInstance.from_config(str(home.root.parent / "dagster")) as instance:
        assert drop_old_logs(instance, datetime.now(UTC)) == 0
        assert dict(ask(server, kinds)) == before
        dropped = drop_old_logs(instance, datetime.now(UTC) + timedelta(days=91))
    kept = dict(ask(server, kinds))
    assert kept == {"ASSET_MATERIALIZATION": before["ASSET_MATERIALIZATION"]}
    assert dropped >= sum(before.values()) - sum(kept.values())
