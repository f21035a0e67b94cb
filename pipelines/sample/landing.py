"""What arrives on each landing date, file by file, in which order."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import polars as pl

from pipelines.sample.active import active_events
from pipelines.sample.background import bots, mail_and_ads
from pipelines.sample.dice import Dice
from pipelines.sample.dirt import received, refused, twins
from pipelines.sample.mails import clicks, mails
from pipelines.sample.options import Options
from pipelines.sample.plan import Plan, Stretch
from pipelines.sample.write import kind_of

_SECOND_FILE_SHARE = 0.3
# The second file of a landing date, in turns, so that every reader is put to work.
_SECOND_FORMATS = ("csv", "parquet", "csv.gz", "ndjson.zst", "csv.zst", "ndjson")
_MAIN_FORMAT = "ndjson.gz"

_Waiting = dict[int, list[pl.DataFrame]]
# Rows, and what people do in them.
_Made = tuple[pl.DataFrame, pl.DataFrame]


@dataclass(frozen=True)
class LandingDate:
    """What lands on a day, counted from 0: the rows, and of each file its name and its rows.

    ``deeds`` are what people do on that day, whenever their events land.
    """

    day: int
    deeds: pl.DataFrame
    rows: pl.DataFrame
    files: tuple[tuple[str, pl.DataFrame], ...]


def landing_dates(plan: Plan, options: Options, dice: Dice) -> Iterator[LandingDate]:
    """One landing date after the other.

    Only a stretch of events is held in memory, and those rows of earlier days that are on their
    way.
    """
    waiting: _Waiting = defaultdict(list)
    names = [file_names(day, options) for day in range(options.days)]

    def made(stretch: Stretch) -> _Made:
        return _on_their_way(plan, stretch, names, options, dice)

    for stretch, (rows, deeds) in _ahead(made, plan.stretches(options.days)):
        none = rows.clear()
        _set_out(rows, waiting)
        del rows
        for day in stretch.days:
            arrived = pl.concat([*waiting.pop(day, []), none], rechunk=True)
            arrived = arrived.sort("part", "received_ts", "key", "is_twin")
            files = tuple(_files(arrived, names[day]))
            yield LandingDate(day, deeds.filter(event_day=day), arrived, files)


def _ahead(
    made: Callable[[Stretch], _Made], stretches: Iterator[Stretch]
) -> Iterator[tuple[Stretch, _Made]]:
    """Each stretch with its rows, the next one being made while this one is used."""
    pending: deque[tuple[Stretch, Future[_Made]]] = deque()
    with ThreadPoolExecutor(max_workers=1) as maker:
        for stretch in stretches:
            pending.append((stretch, maker.submit(made, stretch)))
            if len(pending) > 1:
                yield _done(*pending.popleft())
        yield _done(*pending.popleft())


def _done(stretch: Stretch, rows: Future[_Made]) -> tuple[Stretch, _Made]:
    return stretch, rows.result()


def _files(arrived: pl.DataFrame, names: list[str]) -> Iterator[tuple[str, pl.DataFrame]]:
    """The rows, which are sorted by part, as slices of their frame."""
    start = 0
    for part, rows in arrived.group_by("part").len().sort("part").iter_rows():
        yield names[part], arrived[start : start + rows]
        start += rows


def file_names(day: int, options: Options) -> list[str]:
    """The files of a landing date; the last holds what is sent again, and is read last."""
    if options.file_format == "mixed":
        second = _SECOND_FORMATS[day % len(_SECOND_FORMATS)]
        return [f"events-0.{_MAIN_FORMAT}", f"events-1.{second}", f"sent-again.{_MAIN_FORMAT}"]
    return [f"events-0.{options.file_format}", f"sent-again.{options.file_format}"]


def _on_their_way(
    plan: Plan, stretch: Stretch, names: list[list[str]], options: Options, dice: Dice
) -> _Made:
    """All rows that the days of the stretch give, whenever they land."""
    clicked = clicks(mails(plan, stretch.days, options, dice), stretch.activity)
    active, deeds = active_events(stretch, clicked, options, dice)
    made = pl.concat(
        [
            active,
            mail_and_ads(plan, stretch.days, options, dice),
            bots(plan, stretch.days, options, dice),
        ]
    )
    last = len(names[0]) - 1
    second = pl.lit(last > 1) & dice.chance(_SECOND_FILE_SHARE, pl.col("key"), "second file")
    events = received(made, options, dice).with_columns(second.cast(pl.Int32).alias("part"))
    kinds = [[kind_of(files[part]) for files in names] for part in range(last)]
    again = twins(events, last, options, dice)
    malformed = refused(events, kinds, options, dice)
    return pl.concat([events, again, malformed], rechunk=True), deeds


def _set_out(rows: pl.DataFrame, waiting: _Waiting) -> None:
    for (day,), frame in rows.partition_by("landing_day", as_dict=True).items():
        waiting[day].append(frame)
