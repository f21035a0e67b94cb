"""One run: take in what landed, bring the tables up to date, check, publish."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import polars as pl

from pipelines import registry
from pipelines.checks import CHECKS, Check, broken
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.publish.publication import Publication
from pipelines.session import Session, no_progress, writing
from pipelines.warehouse.bring_up import Built, Days, Progress
from pipelines.warehouse.land import FORGOTTEN, Landed
from pipelines.warehouse.readiness import Awaits, at_once
from pipelines.warehouse.records import SliceKey
from pipelines.warehouse.specs import SourceTables, Spec

ALL_DAYS = Days()


@dataclass(frozen=True)
class Terms:
    """On what terms a run works: how it treats what is not complete, other runs, and time.

    ``wait_minutes`` is how long it waits for another run to end; ``is_over`` is asked before each
    table whether the time is up.
    """

    awaits: Awaits = at_once
    wait_minutes: float = 0
    is_over: Callable[[], bool] = lambda: False


WHENEVER = Terms()


@dataclass
class Report:
    """What a run did. ``withheld`` says why nothing was published, where that is so.

    ``is_unfinished``: the time was up before all tables were up to date.
    """

    landed: list[Landed] = field(default_factory=list)
    built: list[Built] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    publication: Publication | None = None
    is_unfinished: bool = False

    @property
    def refused_files(self) -> list[str]:
        """Files that could not be read to their end."""
        return [f"{each.source}/{name}" for each in self.landed for name in each.refused_files]

    @property
    def waiting(self) -> list[str]:
        """Landing dates that are not complete, and why each is taken not to be."""
        return [f"{each.source}/{said}" for each in self.landed for said in each.waiting]


def run(
    home: Home,
    *,
    days: Days = ALL_DAYS,
    select: Sequence[str] = (),
    force: bool = False,
    accept_removed: bool = False,
    progress: Progress = no_progress,
    terms: Terms = WHENEVER,
) -> Report:
    """Bring a home up to date.

    ``days`` narrows which event days are rebuilt, ``select`` which tables (with all they are made
    from). Raises TidemarkError for what its reader can mend.
    """
    chosen = chosen_tables(select)
    with writing(home, progress, wait_minutes=terms.wait_minutes) as session:
        landed = session.land(accept_removed=accept_removed, awaits=terms.awaits)
        report = Report(landed=landed)
        _require_files(session, report)
        for spec in chosen:
            if terms.is_over():
                report.withheld = [f"the time was up before {spec.name}: the next run goes on"]
                report.is_unfinished = True
                return report
            report.built.append(session.bring_up(spec, days, force=force))
        report.withheld = [*over_limit(session), *newly_broken_checks(session)]
        if not report.withheld:
            report.publication = session.publish([s for s in chosen if s.promise.published])
    return report


def chosen_tables(select: Sequence[str]) -> list[Spec]:
    """The named tables and everything they are made from; all where none is named."""
    unknown = [name for name in select if name not in registry.BY_NAME]
    if unknown:
        known = ", ".join(registry.BY_NAME)
        raise TidemarkError(f"there is no table {', '.join(unknown)}; there are: {known}")
    if not select:
        return list(registry.TABLES)
    names = set(select)
    for name in select:
        names |= {spec.name for spec in registry.upstream_of(registry.BY_NAME[name])}
    return [spec for spec in registry.TABLES if spec.name in names]


def broken_checks(session: Session) -> list[str]:
    """Checks between tables that do not hold, of those whose tables are up to date."""
    return [text for check in _ready(session) if (text := _judged(session, check))]


def newly_broken_checks(session: Session) -> list[str]:
    """The same, without judging again what has held of just these tables before."""
    return [text for check in _ready(session) if (text := newly_broken(session, check))]


def newly_broken(session: Session, check: Check) -> str | None:
    """What breaks a check; None where it holds, or has held of just these tables before."""
    note, digest = f"check {check.name}", session.content_digest(check.tables).hex()
    if session.manifest.about(note) == digest:
        return None
    text = _judged(session, check)
    if text is None:
        session.manifest.note(note, digest)
    return text


def _ready(session: Session) -> list[Check]:
    stale = session.builder.still_stale
    return [check for check in CHECKS if all(not stale.get(name, [1]) for name in check.tables)]


def _judged(session: Session, check: Check) -> str | None:
    return broken(check, {name: session.scan(name) for name in check.tables})


def over_limit(session: Session) -> list[str]:
    """Sources of whose rows too many were refused since the last publication."""
    limit = session.home.settings.refused_rows_limit
    said = []
    for source in registry.SOURCES:
        # What forgetting a person left of a landing date was judged when it landed.
        news = {n for n in session.manifest.news if n.subject == source and n.cause != FORGOTTEN}
        if not news:
            continue
        receipts = SourceTables(source).receipts
        slices = [SliceKey(each.day) for each in news]
        counts = session.store.scan(registry.FILINGS[receipts], slices).select(
            pl.col("read_rows").sum(), pl.col("quarantined_rows").sum()
        )
        read, refused = counts.collect().row(0)
        if read and refused / read > limit:
            said.append(
                f"{source}: {refused} of {read} rows landed since the last publication were "
                f"refused, {refused / read:.1%}, above refused_rows_limit = {limit}: `tidemark "
                "status` shows why; mend the mapping or the files, or raise the limit"
            )
    return said


def _require_files(session: Session, report: Report) -> None:
    if not session.manifest.landing_dates:
        folder = session.home.landing
        if report.waiting:
            raise TidemarkError(
                f"nothing in {folder} is complete yet: {', '.join(report.waiting)}; `tidemark run` "
                "takes in what lies there"
            )
        raise TidemarkError(
            f"nothing has landed in {folder}: put files under {folder}/<source>/YYYY-MM-DD/, "
            "or fill a new home with `tidemark sample`"
        )
