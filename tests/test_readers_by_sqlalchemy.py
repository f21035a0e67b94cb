"""The catalogue as Superset opens it, through SQLAlchemy, while runs publish."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import polars as pl
import pytest
from homes import event, land, make_home, run_home
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool, QueuePool

from pipelines.publish.catalog import CATALOG

pytestmark = pytest.mark.only_tables("active_users_daily", "lifecycle")
FIRST = date(2025, 1, 1)


def night(home: Path, number: int) -> date:
    """A day on which as many people come as days have passed, published."""
    day = FIRST + timedelta(days=number)
    rows = [event(f"{day}-{n}", f"{day}T10:00:00", user_id=f"u{n}") for n in range(number + 1)]
    land(home, str(day), rows)
    run_home(home)
    return day


@pytest.fixture
def home(folder: Path) -> Path:
    root = make_home(folder / "home")
    night(root, 0)
    return root


def superset(home: Path, pool: type[Any]) -> Engine:
    """Superset connects anew for every question; others keep their connections in a pool."""
    return create_engine(
        f"duckdb:///{home / 'bi' / CATALOG}",
        poolclass=pool,
        connect_args={"read_only": True, "config": {"threads": 1}},
    )


@pytest.fixture
def fresh(home: Path) -> Iterator[Engine]:
    engine = superset(home, NullPool)
    yield engine
    engine.dispose()


def people(engine: Engine) -> dict[str, int]:
    """Active people by day, and the same from another table of the publication."""
    with engine.connect() as connection:
        days = connection.execute(
            text("SELECT date, dau FROM active_users_daily WHERE dimension = 'all'")
        ).all()
        lives = connection.execute(
            text(
                "SELECT period_start, active_users FROM lifecycle"
                " WHERE dimension = 'all' AND grain = 'day'"
            )
        ).all()
    assert sorted(days) == sorted(lives)
    return {str(day): count for day, count in sorted(days)}


def test_every_view_is_found_and_gives_the_values_of_its_file(home: Path, fresh: Engine) -> None:
    names = inspect(fresh).get_view_names()
    assert set(names) == {"active_users_daily", "lifecycle", "restatements"}
    with fresh.connect() as connection:
        for name in names:
            rows = [tuple(row) for row in connection.execute(text(f"SELECT * FROM {name}"))]
            assert rows == pl.read_parquet(home / "bi" / f"{name}.parquet").rows()


def test_questions_asked_while_runs_publish_are_answered_of_one_night_each(
    home: Path, fresh: Engine
) -> None:
    is_over, seen = Event(), []

    def ask() -> None:
        while not is_over.is_set():
            seen.append(people(fresh))

    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(ask)
        for number in range(1, 5):
            night(home, number)
        is_over.set()
        asking.result(timeout=60)
    # On the first day one person came, on the second two, and so on: no night is half there.
    assert all(list(days.values()) == list(range(1, len(days) + 1)) for days in seen)
    assert len({len(days) for days in seen}) > 1
    assert people(fresh)["2025-01-05"] == 5


def test_a_pool_keeps_its_night_until_its_connections_are_closed(home: Path) -> None:
    engine = superset(home, QueuePool)
    assert people(engine) == {"2025-01-01": 1}
    night(home, 1)
    assert people(engine) == {"2025-01-01": 1}
    engine.dispose()
    assert people(engine) == {"2025-01-01": 1, "2025-01-02": 2}
    engine.dispose()
