"""``tidemark replay``: a run, and what it took back in of the quarantine of a source."""

from pipelines.commands.console import console
from pipelines.commands.quarantine import known_source
from pipelines.commands.run import progress_bars, tell_report
from pipelines.commands.status import show_restatements
from pipelines.home import Home
from pipelines.publish.restatements import LOG
from pipelines.replay import Replayed, replay


def replay_and_report(home: Home, source: str) -> int:
    """Replay and say what came of it; the exit status."""
    known_source(source)
    with progress_bars() as tell:
        done = replay(home, source, progress=tell)
    if done.report is None:
        console.print(
            f"nothing of {source} is in quarantine, and all of it was read by today's mapping: "
            "there is nothing to replay"
        )
        return 0
    status = tell_report(home, done.report)
    _say(source, done)
    publication = done.report.publication
    if publication and publication.restated:
        show_restatements(home.bi / LOG)
    return status


def _say(source: str, done: Replayed) -> None:
    console.print(
        f"{source}: {done.rows_before:,} rows and {done.files_before:,} files were in quarantine; "
        f"{done.landed_rows:,} rows and {done.landed_files:,} files came back."
    )
    if not done.stale_dates:
        console.print(
            "  every landing date was read by today's mapping and rules before, so that what is "
            f"refused stays refused: mend [sources.{source}] in tidemark.toml first"
        )
    if done.other_rows:
        console.print(
            f"  {done.other_rows:,} rows are refused no more and did not land: filters leave them "
            "out, their whole file is refused now, or it is gone"
        )
    console.print(
        f"  refused now: {done.refused_rows:,} rows and {done.refused_files:,} files; "
        f"`tidemark quarantine {source}` shows them"
    )
    if done.newly_refused_rows:
        console.print(
            f"  {done.newly_refused_rows:,} of these rows were not refused before: they had "
            "landed, or have come since"
        )
    for reason, rows in done.reasons:
        console.print(f"  refused {rows:,}: {reason}")
