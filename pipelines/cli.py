"""The command line. What a command needs is imported when it runs, so that help is quick."""

import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.errors import FAILED, TidemarkError

if TYPE_CHECKING:
    from pipelines.home import Home

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="TIDEMARK_HOME",
    default=Path("home"),
    show_default=True,
    help="Folder that holds everything of one company.",
)
@click.option("--debug", is_flag=True, help="Show tracebacks.")
@click.version_option(package_name="tidemark")
@click.pass_context
def cli(context: click.Context, home: Path, debug: bool) -> None:
    """Engagement metrics that can be trusted: raw events in, Parquet tables for BI out."""
    context.obj = {"home": home, "debug": debug}


@cli.command()
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.pass_obj
def init(options: dict[str, Any], folder: Path | None) -> None:
    """Write a commented tidemark.toml, and propose a mapping for what lies in landing."""
    from pipelines.commands.init import init_home

    click.echo(init_home(folder or options["home"]))


@cli.command()
@click.option("--days", type=click.IntRange(1), default=90, show_default=True)
@click.option("--users", type=click.IntRange(1), default=2_000, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True)
@click.pass_obj
def sample(options: dict[str, Any], days: int, users: int, seed: int) -> None:
    """Fill a new home with made-up data: lifelike, dirty, with planted truths beside it."""
    from pipelines.commands.sample import fill_new_home

    click.echo(fill_new_home(options["home"], days=days, users=users, seed=seed))


@cli.command()
@click.option("--from", "first", type=_DAY, help="First event day to rebuild.")
@click.option("--to", "last", type=_DAY, help="Last event day to rebuild.")
@click.option("--select", multiple=True, metavar="TABLE", help="Only this table and what it needs.")
@click.option("--force", is_flag=True, help="Rebuild what is not stale too.")
@click.option("--accept-removed", is_flag=True, help="Landed files that are gone count no more.")
@click.pass_obj
def run(
    options: dict[str, Any],
    first: datetime | None,
    last: datetime | None,
    select: tuple[str, ...],
    force: bool,
    accept_removed: bool,
) -> None:
    """Take in what landed, bring the tables up to date, publish them together.

    Exit status 0: all of it worked. 1: something did not, nothing was published. 3: published, but
    some files could not be read.
    """
    from pipelines.commands.run import run_and_report

    if first and last and first > last:
        raise click.UsageError(f"--from {first:%Y-%m-%d} lies after --to {last:%Y-%m-%d}")
    status = run_and_report(
        _home(options),
        first=_day(first),
        last=_day(last),
        select=select,
        force=force,
        accept_removed=accept_removed,
    )
    sys.exit(status)


@cli.command()
@click.pass_obj
def nightly(options: dict[str, Any]) -> None:
    """Run for what is complete and arrived since the last run: for cron.

    Exit status as of run, and 75: another run is at work, or the time was up; the next night goes
    on.
    """
    from pipelines.commands.nightly import nightly_and_report

    sys.exit(nightly_and_report(_home(options)))


@cli.command()
@click.pass_obj
def status(options: dict[str, Any]) -> None:
    """Freshness, gaps, late and quarantined rows, and what a run would do."""
    from pipelines.commands.status import show_status

    show_status(_home(options))


@cli.command()
@click.argument("source", required=False)
@click.option("--landing-date", type=_DAY, help="Only what landed on this day.")
@click.option("--reason", default="", metavar="TEXT", help="Only reasons that contain this text.")
@click.option(
    "--samples",
    type=click.IntRange(0),
    default=3,
    show_default=True,
    help="Rows that are shown of each reason.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people, or every refused row as a line of JSON.",
)
@click.pass_obj
def quarantine(
    options: dict[str, Any],
    source: str | None,
    landing_date: datetime | None,
    reason: str,
    samples: int,
    form: str,
) -> None:
    """Which rows and files were refused, why, and what some of them say."""
    from pipelines.commands.quarantine import show_quarantine
    from pipelines.refusals import Wanted

    wanted = Wanted(_day(landing_date), reason)
    show_quarantine(_home(options), source, wanted, count=samples, as_json=form == "json")


@cli.command()
@click.argument("source")
@click.pass_obj
def replay(options: dict[str, Any], source: str) -> None:
    """Take refused rows of a source back in, after its mapping or a rule was mended.

    Exit status as of run.
    """
    from pipelines.commands.replay import replay_and_report

    sys.exit(replay_and_report(_home(options), source))


@cli.command()
@click.argument("person_id", metavar="ID", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and change nothing.")
@click.option("--sweep", is_flag=True, help="Of people already forgotten: clean what landed since.")
@click.pass_obj
def forget(
    options: dict[str, Any], person_id: str | None, yes: bool, dry_run: bool, sweep: bool
) -> None:
    """Remove a person everywhere, keep them out, and prove it.

    Exit status 0: the ids of the person are nowhere in the home. 1: they are, and it says where.
    """
    from pipelines.commands.forget import forget_person, sweep_landing

    if sweep == (person_id is not None):
        raise click.UsageError("name one ID, or --sweep")
    if sweep:
        sys.exit(sweep_landing(_home(options)))
    assert person_id is not None
    sys.exit(forget_person(_home(options), person_id, is_sure=yes, dry_run=dry_run))


@cli.command()
@click.pass_obj
def report(options: dict[str, Any]) -> None:
    """Write bi/report.html anew: one page on what is published, for people."""
    from pipelines.commands.report import rewrite_report

    rewrite_report(_home(options))


@cli.command()
@click.pass_obj
def verify(options: dict[str, Any]) -> None:
    """Check checksums, conservation of rows, identities between tables, staleness."""
    from pipelines.commands.verify import verify_home

    sys.exit(verify_home(_home(options)))


@cli.command()
@click.pass_obj
def dictionary(options: dict[str, Any]) -> None:
    """Write the data dictionary of what is published again: bi/dictionary.html."""
    from pipelines.commands.dictionary import rewrite_dictionary

    rewrite_dictionary(_home(options))


@cli.command()
@click.argument("table")
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx"]), required=True, help="Kind of file."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, or to replace.  [default: TABLE.csv or TABLE.xlsx in this folder]",
)
@click.option("--from", "first", type=_DAY, help="First day, of tables with a day in their key.")
@click.option("--to", "last", type=_DAY, help="Last day, likewise.")
@click.pass_obj
def export(
    options: dict[str, Any],
    table: str,
    form: str,
    output: Path | None,
    first: datetime | None,
    last: datetime | None,
) -> None:
    """Write a published table for a spreadsheet.

    In CSV, text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    from pipelines.commands.export import export_table

    export_table(_home(options), table, form, output, _day(first), _day(last))


def main() -> None:
    """Entry point: problems are told in one line, tracebacks only with --debug."""
    if "--debug" in sys.argv:
        cli()
    _quietly(cli)


def _quietly(command: Callable[[], Any]) -> None:
    try:
        command()
    except TidemarkError as error:
        _fail(str(error))
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}: make room or permissions, then run again")
    except Exception as error:
        _fail(f"{type(error).__name__}: {error} (this is a fault of Tidemark; --debug shows where)")


def _fail(message: str) -> None:
    click.echo(f"tidemark: {message}", err=True)
    sys.exit(FAILED)


def _home(options: dict[str, Any]) -> "Home":
    from pipelines.home import open_home

    return open_home(options["home"])


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


if __name__ == "__main__":
    main()
