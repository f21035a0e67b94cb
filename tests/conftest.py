"""What all tests share: places for homes, and how much Hypothesis tries."""

import os
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

# A worker for each core already: threads of engines would only wait for one another.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("POLARS_MAX_THREADS", "1")

import pytest
import real_data
from homes import LONG, only_tables, scratch
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

settings.register_profile(
    "tidemark",
    deadline=None,
    derandomize=not LONG,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("tidemark")

# Files that read the same homes, each of which takes long to make.
_TOGETHER = dict.fromkeys(["test_real_input", "test_real_alerts"], "commits and clicks")
# What takes longest: started last, it would keep one core idle at the end.
_LONGEST = [
    "test_real_input",
    "test_real_alerts",
    "test_law",
    "test_night_cost",
    "test_dagster",
    "test_kill",
    "test_real_sessions",
    "test_real_product",
    "test_readers",
    "test_cli",
    "test_demo",
    "test_sample_sql",
    "test_law_of_sources",
    "test_bad_input",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the others stay in their order."""
    ranks = {name: rank for rank, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: ranks.get(item.path.stem, len(ranks)))


class _ByHomes(LoadFileScheduling):
    """Gives the tests of a file to one worker, where they share homes, and some files together."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _TOGETHER.get(Path(file).stem, file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling | None:
    """The scheduler of ``--dist loadfile``."""
    return _ByHomes(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder, in memory where there is such a place."""
    with scratch() as path:
        yield path


@pytest.fixture(scope="module")
def module_folder() -> Iterator[Path]:
    """An empty folder that the tests of a module share."""
    with scratch() as path:
        yield path


@pytest.fixture(scope="session")
def git_home() -> Iterator[Path]:
    """Twenty-six years of commits, taken in at once; no test changes it."""
    with real_data.git_home() as home:
        yield home


@pytest.fixture(scope="session")
def oulad_home() -> Iterator[Path]:
    """The clicks of two courses, taken in at once; no test changes it."""
    with real_data.oulad_home() as home:
        yield home


@pytest.fixture(scope="session", autouse=True)
def undrawn() -> Iterator[None]:
    """Runs of commands write a report without charts: drawing takes seconds for each."""
    with patch("pipelines.report.write._page", lambda *said: said[-1]):
        yield


@pytest.fixture(scope="module", autouse=True)
def smaller_house(request: pytest.FixtureRequest) -> Iterator[None]:
    """Some tables in modules that are marked so: they test what is done to tables, not which."""
    mark = request.node.get_closest_marker("only_tables")
    with only_tables(*mark.args) if mark else nullcontext():
        yield


@pytest.fixture
def whole_house() -> Iterator[None]:
    """All tables, for one test of a module with fewer."""
    with only_tables():
        yield
