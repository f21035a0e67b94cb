"""The data that is measured on, made once and kept under build/bench.

``landing`` is what the sample generator writes; ``home`` a home whose events are stored and nothing
that is made from them; ``by_time`` and ``by_person`` the same events, each with its person, one
file a day, for those who have no Tidemark.
"""

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import polars as pl

from benchmarks.cost import cost_of, tidemark
from pipelines.home import open_home
from pipelines.sample.options import LAST_DAY, FileFormat
from pipelines.sample.sample import write_sample
from pipelines.session import MANIFEST, reading
from transforms.people import with_person

STORED = "stitches"
_COLUMNS = [
    "event_date",
    "event_ts",
    "event_id",
    "event_name",
    "person",
    "platform",
    "country",
    "channel",
    "feature",
    "page_url",
]


class Size(NamedTuple):
    """So many active events of so many users over so many days."""

    events: int
    days: int
    users: int

    @property
    def name(self) -> str:
        """As it stands in names of files."""
        return f"{self.events}-{self.days}-{self.users}"


class Inputs:
    """Data of one size in a folder; each part is made when it is first asked for."""

    def __init__(self, folder: Path, size: Size) -> None:
        self.size = size
        self._folder = folder / "data" / size.name

    def landing(self, form: FileFormat) -> Path:
        """Landed files of one form."""
        folder = self._folder / form
        if is_new(folder):
            write_sample(
                folder / "landing",
                folder / "truths.json",
                days=self.size.days,
                users=self.size.users,
                events=self.size.events,
                file_format=form,
            )
            (folder / "done").touch()
        return folder / "landing"

    def stored_home(self) -> Path:
        """A home that has its events, and nothing yet that is made from them."""
        landing = self.landing("parquet")
        folder = self._folder / "stored"
        if is_new(folder):
            home = new_home(folder / "home", landing)
            cost_of(tidemark("--home", str(home), "run", "--select", STORED))
            (folder / "done").touch()
        return folder / "home"

    def stored_events(self, order: str) -> Path:
        """The same events for the others; ``order`` is by_time or by_person."""
        home = self.stored_home()
        folder = self._folder / order
        if is_new(folder):
            sort = ["event_ts"] if order == "by_time" else ["person", "event_ts", "event_id"]
            _export(home, folder, self.size.days, sort)
            (folder / "done").touch()
        return folder


def new_home(home: Path, landing: Path) -> Path:
    """A home over files that have landed elsewhere."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    (home / "landing").symlink_to(landing.absolute())
    return home


def copy_of(home: Path, copy: Path) -> Path:
    """A home like another at little cost: files of the warehouse never change, and are shared."""
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir(parents=True)
    _copy_links(home, copy)
    for path in (home / "warehouse").rglob("*.parquet"):
        target = copy / path.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)
    shutil.copy(home / "warehouse" / MANIFEST, copy / "warehouse" / MANIFEST)
    return copy


def _copy_links(home: Path, copy: Path) -> None:
    """Landing, which is made of links, and what is published, which is written anew."""
    if (home / "landing").is_symlink():
        (copy / "landing").symlink_to((home / "landing").resolve())
    else:
        shutil.copytree(home / "landing", copy / "landing", symlinks=True)
    if (home / "bi").exists():
        shutil.copytree(home / "bi", copy / "bi", symlinks=True)


def is_new(folder: Path) -> bool:
    """Whether a part must be made; what was left half done is cleared away."""
    if (folder / "done").exists():
        return False
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return True


def _export(home: Path, folder: Path, days: int, sort: list[str]) -> None:
    with reading(open_home(home)) as session:
        events, stitches = session.scan("events"), session.scan("stitches")
    for number in range(days):
        day = pl.lit(LAST_DAY - timedelta(days=number))
        is_day = pl.col("event_date") == day
        people = with_person(events.filter(is_day), stitches.filter(is_day))
        rows = people.rename({"user_id": "person"}).select(_COLUMNS).sort(sort).collect()
        if rows.height:
            rows.write_parquet(folder / f"{rows['event_date'][0]}.parquet", compression_level=1)
