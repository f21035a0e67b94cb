"""Make a sample: plan it, land it file by file, and write down what is true of it."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.sample.dice import Dice
from pipelines.sample.landing import LandingDate, landing_dates
from pipelines.sample.options import LAST_DAY, FileFormat, Options
from pipelines.sample.plan import make_plan
from pipelines.sample.truths import Tally, truths
from pipelines.sample.write import write_file

SOURCE = "events"


@dataclass(frozen=True)
class SampleSummary:
    """What was written. ``events`` are the distinct events of people, without those of machines."""

    first_day: date
    last_day: date
    files: int
    bytes: int
    rows: int
    events: int
    duplicate_rows: int
    quarantined_rows: int
    bot_rows: int
    late_rows: int


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
    progress: Callable[[int, int], None] | None = None,
) -> SampleSummary:
    """Fill ``landing``/events with made-up files, and ``truths_file`` with what is true of them.

    The arguments are those of :class:`Options`; the same ones give the same bytes. ``progress`` is
    told after each landing date how many of how many are done. Raises ValueError on an argument
    out of its range and FileExistsError where events have landed already: the truths of a sample
    hold for nothing else.
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
    folder = landing / SOURCE
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty; a sample needs a new home")
    dice, tally = Dice(seed), Tally()
    plan = make_plan(options, dice)
    written = _land(landing_dates(plan, options, dice), folder, options, dice, tally, progress)
    truths_file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(truths(plan, tally, options), indent=1)
    truths_file.write_text(text + "\n", encoding="utf-8")
    return _summary(options, tally, written)


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


def _summary(options: Options, tally: Tally, written: int) -> SampleSummary:
    return SampleSummary(
        first_day=options.first_day,
        last_day=options.last_day,
        files=len(tally.files),
        bytes=written,
        rows=tally.totals["read_rows"],
        events=tally.totals["events"],
        duplicate_rows=tally.totals["duplicate_rows"],
        quarantined_rows=tally.totals["quarantined_rows"],
        bot_rows=tally.totals["bot_rows"],
        late_rows=tally.totals["late_1d_rows"],
    )
