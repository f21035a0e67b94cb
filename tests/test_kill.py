"""``kill -9`` at any moment: every table readable, old or new, and the next run ends the same.

A server process imports everything and forks a child for each run, before polars has started a
thread of its own; so a kill hits the run, not the import. The server itself computes nothing.
"""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from homes import LONG, ROOT, assert_same_state, event, land, make_home, run_home, stored

from pipelines.home import open_home
from pipelines.session import MANIFEST, reading
from pipelines.warehouse.disk import sha256_of

KILLS = 500 if LONG else 20
STEPS = 200 if LONG else 10
# Of every kind one: by day, by month and whole, in parts, with a past of its own.
TABLES = () if LONG else ("ingest_ledger", "active_users_daily", "sessions_daily", "lifecycle")
pytestmark = pytest.mark.only_tables(*TABLES)
SERVER = """
import json, os, signal, sys, time
from pathlib import Path
from homes import only_tables
from pipelines import registry
from pipelines.home import open_home
from pipelines.pages.templates import _environment
from pipelines.run import run
from pipelines.settings import Settings
from pipelines.warehouse.digests import definition

CHANGES = {"os.rename", "os.remove", "os.link", "os.symlink", "os.mkdir", "os.rmdir"}


def die_at(step):
    def count(event, arguments):
        nonlocal step
        if event in CHANGES:
            step -= 1
            if step == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(count)
    return lambda: step


house = only_tables(*sys.argv[1:])
house.__enter__()
for spec in registry.TABLES:
    spec.transform, spec.model.to_schema(), definition(spec, Settings())
for name in _environment().list_templates(["html"]):
    _environment().get_template(name)
for line in sys.stdin:
    home, seconds, step = json.loads(line)
    child = os.fork()
    if not child:
        try:
            left = die_at(step)
            run(open_home(Path(home)))
            print(-left(), flush=True)
            os._exit(0)
        except BaseException as error:
            print(repr(error), flush=True)
            os._exit(1)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    print("status", os.waitpid(child, 0)[1], flush=True)
"""
VIEWS = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
FIRST = date(2025, 1, 27)


class Server:
    """Runs homes, each in a fresh child that can be killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, home: Path, seconds: float | None = None, step: int = 0) -> list[str]:
        """Run, and kill the run after so many seconds, or right before it changes a name on the
        disk for the ``step``-th time. What it said; nothing where the kill came before its end.
        """
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([str(home), seconds, step]) + "\n")
        self._process.stdin.flush()
        said = []
        while not (line := self._process.stdout.readline()).startswith("status"):
            assert line, "the server has died"
            said.append(line.strip())
        assert int(line.split()[1]) in (0, signal.SIGKILL), said
        return said


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, *TABLES],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "tests"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Server(process)
        assert process.stdin
        process.stdin.close()


def fill(home: Path, first: int, days: int) -> None:
    """Days of events across the end of January; every third day some land late."""
    for number in range(first, first + days):
        day = FIRST + timedelta(days=number)
        rows = [
            event(
                f"{number}-{each}",
                f"{day}T{each % 24:02}:10:00",
                user_id=f"u{(each * (number + 3)) % 11}",
                platform=["web", "ios"][each % 2],
            )
            for each in range(30)
        ]
        land(home, day, rows[5:])
        land(home, day + timedelta(days=6 if number % 3 else 0), rows[:6], f"late-{number}.ndjson")


class Case:
    """A home before a run, killed in that run again and again, and as the run should leave it."""

    def __init__(self, server: Server, home: Path) -> None:
        self.server, self.home = server, home
        self._before = home.with_name(f"{home.name}-before")
        shutil.copytree(home, self._before, symlinks=True)
        self.old = seen(home)
        started = time.monotonic()
        self.steps = int(server.run(home)[0])
        self.seconds = time.monotonic() - started
        self.new, self.state = seen(home), stored(home)

    def restore(self) -> None:
        shutil.rmtree(self.home)
        shutil.copytree(self._before, self.home, symlinks=True)

    def kill(self, **moment: float) -> bool:
        """Kill a run and look at what is left; whether the kill came before the run's end."""
        was_killed = not self.server.run(self.home, **moment)
        assert seen(self.home) in (self.old, self.new)
        if self.old:
            assert_catalog_opens(self.home)
        manifest = self.home / "warehouse" / MANIFEST
        # A first run killed in its first moments leaves a manifest without content.
        if manifest.exists() and manifest.stat().st_size:
            assert_files_are_whole(self.home)
        return was_killed

    def finish(self) -> None:
        """The next run ends as an undisturbed one does."""
        run_home(self.home)
        assert_same_state(stored(self.home), self.state)
        assert_catalog_opens(self.home)


def seen(home: Path) -> dict[str, Any]:
    """What readers see: the publication, every table of which is what it says."""
    contents = home / "bi" / ".current" / "publication.json"
    if not contents.exists():
        return {}
    said = json.loads(contents.read_text())
    for name, each in said["tables"].items():
        assert sha256_of(home / "bi" / f"{name}.parquet") == each["sha256"]
    return dict(said)


def assert_catalog_opens(home: Path) -> None:
    with duckdb.connect(str(home / "bi" / "catalog.duckdb"), read_only=True) as connection:
        for (name,) in connection.execute(VIEWS).fetchall():
            connection.execute(f"SELECT count(*) FROM {name}").fetchall()


def assert_files_are_whole(home: Path) -> None:
    with reading(open_home(home)) as session:
        for file in session.manifest.files.values():
            assert sha256_of(home / "warehouse" / file.path) == file.sha256
        session.stale()


@pytest.fixture(scope="module")
def cases(server: Server, module_folder: Path) -> list[Case]:
    """A home's first run, and the run of a night."""
    new = make_home(module_folder / "new")
    fill(new, 0, 8)
    night = make_home(module_folder / "night")
    fill(night, 0, 8)
    run_home(night)
    fill(night, 8, 2)
    return [Case(server, new), Case(server, night)]


def test_a_kill_at_any_time_leaves_every_table_whole_and_the_next_run_ends_the_same(
    cases: list[Case],
) -> None:
    dice = random.Random() if LONG else random.Random(20)
    killed = attempts = 0
    while killed < KILLS:
        case = dice.choice(cases)
        case.restore()
        seconds = case.seconds
        for _ in range(dice.randint(1, 3)):
            if not case.kill(seconds=seconds * dice.random()):
                break
            killed += 1
            # What was done is not done again.
            seconds *= 0.7
        case.finish()
        attempts += 1
        assert attempts < 5 * KILLS, "most runs end before they are killed"


def test_a_kill_between_any_two_changes_on_the_disk_is_made_good_by_the_next_run(
    cases: list[Case],
) -> None:
    for case in cases:
        count = min(case.steps, STEPS // 2)
        for number in range(count):
            case.restore()
            assert case.kill(step=1 + (2 * number + 1) * case.steps // (2 * count))
            case.finish()
