"""``tidemark nightly``: a run on the terms of a night, its record, and who is told."""

from contextlib import suppress
from datetime import UTC, datetime

from pipelines.commands.console import console, errors
from pipelines.commands.run import progress_bars, tell_report
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.messages import messages_of_night, send, tell_of_data
from pipelines.nightly import nightly
from pipelines.nights import Night, recorded


def nightly_and_report(home: Home) -> int:
    """Run the night and say what happened; the exit status."""
    with progress_bars() as tell:
        night, report = nightly(home, progress=tell, say=errors.print)
    if report is None:
        errors.print(f"tidemark: {night.problem}")
    else:
        for waiting in night.waiting:
            console.print(f"waits: {waiting}")
        tell_report(home, report)
    tell_people(home, night)
    return night.status or 0


def tell_people(home: Home, night: Night) -> None:
    """Messages of the night and of what it published."""
    send(messages_of_night(home, night), errors.print)
    # A home that no run has finished yet has no data to tell of; a full disk the night has told of.
    with suppress(TidemarkError):
        tell_of_data(home, datetime.now(UTC), say=errors.print)


def show_nights(home: Home) -> None:
    """The last night, and the last good one where that is another."""
    nights = recorded(home)
    if not nights:
        return
    last = nights[-1]
    console.print(_said("last night", last))
    good = [night for night in nights if night.is_good]
    if not last.is_good:
        console.print(_said("last good night", good[-1]) if good else "no night was good yet")


def _said(name: str, night: Night) -> str:
    began = f"{name}: began {night.started_at:%Y-%m-%d %H:%M} UTC"
    if night.ended_at is None:
        return f"{began}, and is at work or was killed"
    took = night.ended_at - night.started_at
    ended = f"{began}, took {took.total_seconds():,.0f} seconds, exit status {night.status}"
    if night.problem:
        return f"{ended}; nothing was published: {night.problem}"
    counts = ", ".join(f"{count:,} of {source}" for source, count in night.took_in.items())
    restated = f", {night.restated:,} numbers restated" if night.restated else ""
    waiting = f"; waiting: {', '.join(night.waiting)}" if night.waiting else ""
    return (
        f"{ended}; landing dates taken in: {counts or 'none'}; "
        f"{len(night.changed)} tables changed{restated}{waiting}"
    )
