"""``tidemark report``: writes ``bi/report.html`` anew, and tells where it lies."""

from pipelines.commands.console import console, errors
from pipelines.errors import HomeBusyError, TidemarkError
from pipelines.home import Home
from pipelines.report.write import REPORT, refresh_report, report_after_publication
from pipelines.warehouse.lock import writer_lock


def rewrite_report(home: Home) -> None:
    """Write the report on what is published.

    Raises TidemarkError where nothing is published yet.
    """
    with writer_lock(home.warehouse):
        if not refresh_report(home, force=True):
            raise TidemarkError(
                f"nothing is published in {home.bi} yet: `tidemark --home {home.root} run` "
                "does it, "
                "and writes the report too"
            )
    console.print(f"{home.bi / REPORT} is written.")


def report_after_run(home: Home) -> None:
    """Write the report of what a run published."""
    try:
        with writer_lock(home.warehouse):
            problem = report_after_publication(home)
    except HomeBusyError:
        # The run that is at work writes it when it ends.
        return
    if problem:
        errors.print(f"note: {problem}")
