"""How the cost of Tidemark grows: ``python -m benchmarks.growth``.

*history*: a night after so many days, and a run with nothing to do; *late*: a night of which such
a share of rows is late; *users*: a night of as many events by more people; *old*: a night with one
row of the first day, against that night without it; *file*: the peak memory when one file of such
a size lands; *backfill*: all tables from nothing, and how much of it is bookkeeping; *help*: the
start of the command.

Homes have all sources and are all alike but for what is asked about. Every measurement is a whole
process, on a fresh copy of a home that was up to date before the night.
"""

import gzip
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from benchmarks.cost import Cost, cost_of, measured, tidemark
from benchmarks.inputs import copy_of, is_new, new_home
from benchmarks.large_files import write_large_file
from benchmarks.measurements import OURS, Measurements
from benchmarks.suite import growth_code, options
from pipelines.sample import ALL_SOURCES
from pipelines.sample.options import LAST_DAY
from pipelines.sample.sample import write_sample

KINDS = ("history", "late", "users", "old", "file", "backfill", "help")
DIRT = 0.01
_LATE_SHARES = (0.0, 0.01, 0.02, 0.04, 0.08)


class Scale(NamedTuple):
    """Lengths of history, events a day, sizes of files."""

    days: Sequence[int]
    per_day: int
    gigabytes: Sequence[float]


SCALES = {
    "quick": Scale((30, 90, 365), 500, (0.13, 0.26, 0.39)),
    "full": Scale((30, 365, 1095), 20_000, (0.25, 0.5, 1.0)),
}


class Shape(NamedTuple):
    """A home: so many days before the night, of those made up the last, and what they are like."""

    days: int
    made_up_days: int
    per_day: int
    users: int
    late_share: float

    @property
    def landing(self) -> str:
        """Name of the folder of what lands."""
        return f"landing-{self.made_up_days}-{self.per_day}-{self.users}-{self.late_share}"

    @property
    def home(self) -> str:
        """Name of the folder of the home; it is one of this code."""
        return f"{self.days}-of-{self.landing}-{OURS}"

    def is_before_the_night(self, day: str) -> bool:
        """Whether the home has a landing date from the first."""
        return str(LAST_DAY - timedelta(days=self.days)) <= day < str(LAST_DAY)


class Homes:
    """Homes that are up to date but for their last landing date; made once and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "homes"

    def landing(self, shape: Shape) -> Path:
        """What lands over all days, the night's included."""
        folder = self._folder / shape.landing
        if is_new(folder):
            days = shape.made_up_days + 1
            write_sample(
                folder / "landing",
                folder / "truths.json",
                days=days,
                users=shape.users,
                events=shape.per_day * days,
                dirt=shape.late_share,
                file_format="parquet",
                sources=ALL_SOURCES,
            )
            (folder / "done").touch()
        return folder / "landing"

    def before_the_night(self, shape: Shape) -> Path:
        """The home that is up to date with all days but the last."""
        folder = self._folder / shape.home
        if is_new(folder):
            home = folder / "home"
            home.mkdir()
            link_landing(self.landing(shape), home, shape.is_before_the_night)
            cost_of(tidemark("--home", str(home), "run"))
            (folder / "done").touch()
        return folder / "home"

    def with_the_night(self, shape: Shape, copy: Path) -> Path:
        """A copy of it in which the last day has landed."""
        home = copy_of(self.before_the_night(shape), copy)
        link_landing(self.landing(shape), home, lambda day: day == str(LAST_DAY))
        return home


def link_landing(landing: Path, home: Path, is_wanted: Callable[[str], bool]) -> None:
    """Put landing dates in place as links."""
    for source in landing.iterdir():
        (home / "landing" / source.name).mkdir(parents=True, exist_ok=True)
        for day in source.iterdir():
            if is_wanted(day.name):
                (home / "landing" / source.name / day.name).symlink_to(day.absolute())


class Growth:
    """Everything that is measured here, on homes of one scale."""

    def __init__(self, folder: Path, scale: Scale, rounds: int, again: bool) -> None:
        self._homes = Homes(folder)
        self._folder = folder
        self._scale = scale
        self._per_day = scale.per_day
        self._rounds = rounds
        self._again = again
        self._measurements = Measurements(folder)

    def run(self, kinds: Iterable[str]) -> None:
        """Measure what has not been measured with this code."""
        for kind in kinds:
            getattr(self, f"_{kind}")()

    def _shape(
        self, days: int = 30, made_up: int = 0, users: int = 0, late_share: float = DIRT
    ) -> Shape:
        users = users or max(200, self._per_day)
        return Shape(days, made_up or days, self._per_day, users, late_share)

    def _todo(self, kind: str, at: Any, **more: Any) -> Iterator[tuple[dict[str, Any], int]]:
        """Rounds of a question that are to be measured."""
        question = {"kind": kind, "at": at, "per_day": self._per_day, **more}
        for number in range(1, self._rounds + 1):
            if self._again or not self._measurements.has(
                question, "tidemark", number, growth_code()
            ):
                print(f"{kind:<9} {at:<8} round {number}", end=" ", flush=True)
                yield question, number

    def _add(self, question: dict[str, Any], number: int, cost: Cost | None, **more: Any) -> None:
        self._measurements.add(question, "tidemark", number, growth_code(), cost, **more)
        print(cost or "", *(f"{name} {value}" for name, value in more.items()), flush=True)

    def _night(self, kind: str, at: Any, shape: Shape) -> None:
        for question, number in self._todo(kind, at):
            home = self._homes.with_the_night(shape, self._folder / "out" / "night")
            self._add(question, number, _cost(home))

    def _history(self) -> None:
        for days in self._scale.days:
            # The same night after all of them: what is made up for longer has fuller days.
            shape = self._shape(days, made_up=self._scale.days[-1])
            self._night("history", days, shape)
            for question, number in self._todo("nothing", days):
                settled = self._homes.before_the_night(shape)
                home = copy_of(settled, self._folder / "out" / "nothing")
                # A copy has files of other times, and its catalogue another place.
                cost_of(tidemark("--home", str(home), "run"))
                command = [sys.executable, "-m", "benchmarks.growth", "--run", str(home)]
                cost, printed = measured(command)
                self._add(question, number, cost, after_import=float(printed.split()[-1]))

    def _late(self) -> None:
        for share in _LATE_SHARES:
            self._night("late", share, self._shape(late_share=share))

    def _users(self) -> None:
        for times in (1, 4, 16):
            users = times * self._per_day // 4
            self._night("users", users, self._shape(users=users))

    def _old(self) -> None:
        days = self._scale.days[-1]
        for at in ("without", "with"):
            for question, number in self._todo("old", at, days=days):
                home = self._homes.with_the_night(self._shape(days), self._folder / "out" / "night")
                _land_beside(home, str(LAST_DAY - timedelta(days=days)) if at == "with" else "")
                self._add(question, number, _cost(home))

    def _file(self) -> None:
        for size in self._scale.gigabytes:
            for form in ("ndjson", "csv.gz", "parquet"):
                folder = self._large_file(form, size)
                events = int((folder / "done").read_text(encoding="ascii"))
                for question, number in self._todo(f"file {form}", events):
                    home = new_home(self._folder / "out" / "file", folder / "landing")
                    self._add(question, number, _cost(home))

    def _large_file(self, form: str, size: float) -> Path:
        """A landing of one file of at least so many GB unpacked; ``done`` tells its events.

        Files come in whole blocks of rows, so that their size is no measure of what is in them.
        """
        folder = self._folder / "files" / f"{size}-{form}"
        if is_new(folder):
            path = write_large_file(folder / "landing" / "events", form, int(size * 1e9), days=30)
            (folder / "done").write_text(str(events_in(path)), encoding="ascii")
        return folder

    def _backfill(self) -> None:
        days = self._scale.days[-1]
        for question, number in self._todo("backfill", days):
            landing = self._homes.landing(self._shape(days))
            home = new_home(self._folder / "out" / "backfill", landing)
            told = self._folder / "out" / "phases.json"
            module = [sys.executable, "-m", "benchmarks.profile_run"]
            cost, _ = measured([*module, str(home), "--json", str(told)])
            phases = json.loads(told.read_text(encoding="utf-8"))
            self._add(question, number, cost, bookkeeping_share=bookkeeping_share(phases))

    def _help(self) -> None:
        for question, number in self._todo("help", "--help"):
            self._add(question, number, measured(tidemark("--help"))[0])


def bookkeeping_share(phases: list[dict[str, Any]]) -> float:
    """CPU seconds beside reading, computing, checking and writing data, of all of them.

    Landing reads in threads beside filing, and so is taken for reading as a whole.
    """
    rest = sum(each["rest"] for each in phases if each["phase"] != "landing")
    return float(rest / sum(each["cpu"] for each in phases))


def events_in(path: Path) -> int:
    """Rows of a file of events: lines, less the header of CSV."""
    if path.suffix == ".parquet":
        return int(pq.read_metadata(path).num_rows)
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 22), b""))
    return lines - (".csv" in path.name)


def _cost(home: Path) -> Cost:
    cost, _ = measured(tidemark("--home", str(home), "run"))
    shutil.rmtree(home)
    return cost


def _land_beside(home: Path, day: str) -> None:
    """A file of one event of an old day beside those of the night; an empty one for no day."""
    folder = home / "landing" / "events" / str(LAST_DAY)
    files = [file.resolve() for file in folder.iterdir()]
    folder.unlink()
    folder.mkdir()
    for file in files:
        (folder / file.name).symlink_to(file)
    row = {"event_id": "old", "event_name": "page_view", "event_ts": f"{day}T12:00:00Z"}
    row["user_id"] = "somebody old"
    content = json.dumps(row) + "\n" if day else ""
    (folder / "old.ndjson").write_text(content, encoding="utf-8")


def _run_after_import(home: Path) -> None:
    from pipelines.home import open_home
    from pipelines.run import run

    started = time.perf_counter()
    run(open_home(home))
    print(time.perf_counter() - started)


def main() -> None:
    """Measure, and say what came out."""
    parser = options(__doc__)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--scale", choices=SCALES, default="quick")
    for name, kind in (("days", int), ("gigabytes", float)):
        parser.add_argument(
            f"--{name}", type=kind, nargs="+", help="others than those of the scale"
        )
    parser.add_argument("--per-day", type=int, help="events a day [500, or 20,000 at full scale]")
    parser.add_argument("--run", type=Path, help="run a home, and print seconds after import")
    said = parser.parse_args()
    if said.run:
        _run_after_import(said.run)
        return
    chosen = {name: given for name in Scale._fields if (given := getattr(said, name))}
    scale = SCALES[said.scale]._replace(**chosen)
    Growth(said.folder, scale, said.rounds, said.again).run(said.kinds)


if __name__ == "__main__":
    main()
