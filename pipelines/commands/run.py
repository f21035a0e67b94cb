"""``tidemark run``: progress while it works, then a table of what happened."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

from rich.box import SIMPLE
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from pipelines.commands.console import console, errors
from pipelines.commands.report import report_after_run
from pipelines.errors import FAILED, FILES_REFUSED
from pipelines.home import Home
from pipelines.publish.restatements import LOG
from pipelines.run import Report, run
from pipelines.warehouse.bring_up import Days
from pipelines.warehouse.bring_up import Progress as Tell


def run_and_report(
    home: Home,
    *,
    first: date | None,
    last: date | None,
    select: Sequence[str],
    force: bool,
    accept_removed: bool,
) -> int:
    """Run and say what happened; the exit status."""
    with progress_bars() as tell:
        report = run(
            home,
            days=Days(first, last),
            select=select,
            force=force,
            accept_removed=accept_removed,
            progress=tell,
        )
    return tell_report(home, report)


def tell_report(home: Home, report: Report) -> int:
    """Say what a run did; the exit status."""
    console.print(_landing_table(report))
    console.print(_build_table(report))
    return _conclude(home, report)


@contextmanager
def progress_bars() -> Iterator[Tell]:
    """A bar for the work at hand, on a terminal."""
    bars = Progress(
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
        disable=not errors.is_terminal,
    )
    with bars:
        task = bars.add_task("looking")

        def tell(what: str, done: int, total: int) -> None:
            bars.update(task, description=what, completed=done, total=total)

        yield tell


def _landing_table(report: Report) -> Table:
    table = Table(title="Taken in", title_justify="left", box=SIMPLE)
    table.add_column("source")
    for name in (
        "landing dates",
        "files",
        "refused files",
        "rows read",
        "accepted or twins",
        "quarantined",
    ):
        table.add_column(name, justify="right")
    for each in report.landed:
        numbers = (
            each.landing_dates,
            each.files,
            len(each.refused_files),
            each.read_rows,
            each.landed_rows,
            each.quarantined_rows,
        )
        table.add_row(each.source, *(f"{number:,}" for number in numbers))
    return table


def _build_table(report: Report) -> Table:
    table = Table(title="Brought up to date", title_justify="left", box=SIMPLE)
    table.add_column("table")
    for name in ("slices", "rebuilt", "changed", "skipped", "waiting", "rows"):
        table.add_column(name, justify="right")
    for each in report.built:
        skipped = each.slices - each.rebuilt - each.waiting
        numbers = (each.slices, each.rebuilt, each.changed, skipped, each.waiting, each.rows)
        table.add_row(each.table, *(f"{number:,}" for number in numbers))
    return table


def _conclude(home: Home, report: Report) -> int:
    if home.forgotten.is_pending:
        errors.print(f"note: {home.forgotten.said()}")
    for each in report.landed:
        for notice in each.notices:
            errors.print(f"note: {notice}")
    for name in report.refused_files:
        errors.print(f"refused: {home.landing.name}/{name}: `tidemark quarantine` says why")
    if report.publication is None:
        errors.print("nothing was published; readers see the tables of the last run:")
        for reason in report.withheld:
            errors.print(f"  {reason}")
        return FAILED
    report_after_run(home)
    publication = report.publication
    console.print(
        f"Published {publication.id} in {home.bi}: {len(publication.written)} tables written, "
        f"{len(publication.kept)} as they were."
    )
    if publication.restated:
        console.print(
            f"{publication.restated:,} numbers that readers had seen are others now: "
            f"{home.bi / LOG} says which, and why."
        )
    if publication.behind:
        console.print(
            f"As they were, because slices outside of this run are stale or were left out: "
            f"{', '.join(publication.behind)}."
        )
    return FILES_REFUSED if report.refused_files else 0
