import re
from pathlib import Path
from typing import Any

import pytest
from homes import command, event, make_home, run_home, tidemark

from pipelines.home import open_home
from pipelines.report import write
from pipelines.report.report import report_page
from pipelines.report.write import REPORT, refresh_report


@pytest.fixture
def home(folder: Path) -> Path:
    return make_home(folder / "home", files={"2025-03-01": [event("a", "2025-03-01T09:00:00")]})


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What pages were made from, without the seconds that it takes to draw them."""
    pages: list[str] = []

    def page(home: Any, folder: Path, made_from: str) -> str:
        pages.append(made_from)
        return made_from

    monkeypatch.setattr(write, "_page", page)
    return pages


def test_a_report_is_written_once_per_publication(home: Path, made: list[str]):
    opened = open_home(home)
    assert not refresh_report(opened)
    run_home(home, select=["active_users_daily"])
    assert refresh_report(opened)
    assert (home / "bi" / REPORT).read_text() == made[0]
    run_home(home, select=["active_users_daily"])
    assert not refresh_report(opened)
    run_home(home, select=["lifecycle"])
    assert refresh_report(opened)
    assert len(made) == len(set(made)) == 2
    assert refresh_report(opened, force=True)


def test_a_publication_without_its_report_yet_shows_none(home: Path, made: list[str]):
    run_home(home, select=["active_users_daily"])
    refresh_report(open_home(home))
    run_home(home, select=["lifecycle"])
    assert not (home / "bi" / REPORT).is_symlink()


def test_a_setting_leaves_the_report_out(home: Path, made: list[str]):
    (home / "tidemark.toml").write_text("report = false\n")
    run_home(home, select=["active_users_daily"])
    assert not refresh_report(open_home(home))
    assert not (home / "bi" / REPORT).exists()


def test_the_command_says_what_to_do_where_nothing_is_published(home: Path):
    told = tidemark(home, "report")
    assert told.status == 1
    assert "nothing is published" in told.err


def test_the_command_writes_the_same_bytes_wherever_the_machine_stands(home: Path):
    run_home(home, select=["active_users_daily", "lifecycle", "cohort_retention"])
    told = tidemark(home, "report", TZ="Pacific/Kiritimati")
    assert (told.status, told.err) == (0, "")
    page = (home / "bi" / REPORT).read_text(encoding="utf-8")
    made_from = re.search(r'data-made-from="(\w+)"', page)
    assert made_from
    folder = (home / "bi" / ".current").resolve()
    again = report_page(folder, timezone="UTC", currency="EUR", made_from=made_from[1])
    assert page == again


def test_a_report_that_cannot_be_drawn_takes_no_table_back(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    def fails(*said: Any) -> str:
        raise TypeError("no such chart")

    monkeypatch.setattr(write, "_page", fails)
    told = command(home, "run", "--select", "active_users_daily")
    assert told.status == 0
    assert "the tables are published, but" in told.err
    assert "no such chart" in told.err
    assert (home / "bi" / "active_users_daily.parquet").exists()
