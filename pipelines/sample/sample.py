"""Make a sample: plan it, land it file by file, and write down what is true of it."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from pipelines.sample.dice import Dice
from pipelines.sample.landing import LandingDate, landing_dates
from pipelines.sample.options import LAST_DAY, FileFormat, Options
from pipelines.sample.plan import make_plan
from pipelines.sample.sources import ALL_SOURCES, EVENTS, Written, write_sources
from pipelines.sample.truths import Tally, truths
from pipelines.sample.write import write_file


@dataclass(frozen=True)
class SampleSummary:
    """What was written: ``files`` and ``bytes`` of all sources.

    ``rows`` are rows of events, ``events`` the distinct events of people, without those of
    machines, staff and tests; ``other_rows`` are the rows of each source beside.
    """

    first_day: date
    last_day: date
    files: int
    bytes: int
    rows: int
    events: int
    duplicate_rows: int
    quarantined_rows: int
    bot_rows: int
    left_out_rows: int
    late_rows: int
    other_rows: Mapping[str, int] = field(default_factory=dict)


def write_sample(
    landing: Path,
    truths_file: Path,
    *,
    days: int = 90,
    users: int = 2000,
    seed: int = 7,
    last_day: date = LAST_DAY,
    events: int | None = None,
    dirt: float = 0.01,
    file_format: FileFormat = "mixed",
    sources: Collection[str] = (EVENTS,),
    progress: Callable[[int, int], None] | None = None,
) -> SampleSummary:
    """Fill ``landing`` with made-up files, and ``truths_file`` with what is true of them.

    ``sources`` are ``events`` alone, or with any others of ``ALL_SOURCES``, which leave the events
    as they are. The other arguments are those of :class:`Options`; the same ones give the same
    bytes. ``progress`` is told after each landing date of events how many of how many are done.
    Raises ValueError on an argument out of its range and FileExistsError where anything of the
    sources has landed already: the truths of a sample hold for nothing else.
    """
    options = Options(
        days=days,
        users=users,
        seed=seed,
        last_day=last_day,
        events=events,
        dirt=dirt,
        file_format=file_format,
    )
    _check(sources, landing)
    dice, tally = Dice(seed), Tally()
    plan = make_plan(options, dice)
    events_folder = landing / EVENTS
    written = _land(
        landing_dates(plan, options, dice), events_folder, options, dice, tally, progress
    )
    others = write_sources(sources, landing, plan, options, dice)
    truths_file.parent.mkdir(parents=True, exist_ok=True)
    told = truths(plan, tally, options, dice)
    if others:
        told["sources"] = {source: each.truths for source, each in others.items()}
    truths_file.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return _summary(options, tally, written, others)


def _check(sources: Collection[str], landing: Path) -> None:
    for source in sources:
        if source not in ALL_SOURCES:
            raise ValueError(f"sources must be of {', '.join(ALL_SOURCES)}; {source!r} is none")
        folder = landing / source
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty; a sample needs a new home")
    if EVENTS not in sources:
        raise ValueError("sources must have events among them: the others are made from their plan")


def _land(
    dates: Iterator[LandingDate],
    folder: Path,
    options: Options,
    dice: Dice,
    tally: Tally,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Write all files, one landing date while the next is made, and tell their bytes."""
    written = 0
    pending: list[Future[int]] = []
    with ThreadPoolExecutor(max_workers=2) as writers:
        for landed in dates:
            landing_date = options.date(landed.day)
            tally.add(landed, landing_date)
            written += sum(future.result() for future in pending)
            pending = _write(landed, folder / str(landing_date), dice, writers)
            if progress:
                progress(landed.day + 1, options.days)
        return written + sum(future.result() for future in pending)


def _write(
    landed: LandingDate, folder: Path, dice: Dice, writers: ThreadPoolExecutor
) -> list[Future[int]]:
    folder.mkdir(parents=True)
    return [writers.submit(write_file, rows, folder / name, dice) for name, rows in landed.files]


def _summary(
    options: Options, tally: Tally, written: int, others: Mapping[str, Written]
) -> SampleSummary:
    return SampleSummary(
        first_day=options.first_day,
        last_day=options.last_day,
        files=len(tally.files) + sum(each.files for each in others.values()),
        bytes=written + sum(each.bytes for each in others.values()),
        rows=tally.totals["read_rows"],
        events=tally.totals["events"],
        duplicate_rows=tally.totals["duplicate_rows"],
        quarantined_rows=tally.totals["quarantined_rows"],
        bot_rows=tally.totals["bot_rows"],
        left_out_rows=tally.totals["left_out_rows"],
        late_rows=tally.totals["late_1d_rows"],
        other_rows={source: each.rows for source, each in others.items()},
    )
