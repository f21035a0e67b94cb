"""A home at work: its warehouse opened, and the few things that can be done with it.

The command line and Dagster both go through here, and so give the same bytes.
"""

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import polars as pl

from pipelines import registry
from pipelines.home import Home
from pipelines.landing.sources import SOURCES
from pipelines.publish.causes import MERGED, MERGES, causes_of
from pipelines.publish.publication import Publication, Publisher
from pipelines.publish.restatements import Occasion
from pipelines.publish.shelf import Shelf
from pipelines.warehouse.arrivals import find_strays
from pipelines.warehouse.bring_up import Builder, Built, Days, Progress
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.land import Landed, Lander
from pipelines.warehouse.lock import writer_lock
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.readiness import Awaits, at_once
from pipelines.warehouse.records import Change, News
from pipelines.warehouse.specs import Spec
from pipelines.warehouse.store import Store

MANIFEST = "manifest.sqlite"


def no_progress(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


class Session:
    """One opening of a home's warehouse."""

    def __init__(self, home: Home, manifest: Manifest, progress: Progress = no_progress) -> None:
        self.home = home
        self.manifest = manifest
        self.store = Store(home.warehouse, manifest)
        self.shelf = Shelf(home.bi)
        self._progress = progress
        self._builder: Builder | None = None

    def land(self, *, accept_removed: bool = False, awaits: Awaits = at_once) -> list[Landed]:
        """Take in what landed, of every source; what awaits something is left."""
        lander = Lander(self.home, self.store, registry.FILINGS, self._progress)
        self._builder = None
        landed = [
            lander.land(source, accept_removed=accept_removed, awaits=awaits)
            for source in SOURCES.values()
        ]
        landed[0].notices += find_strays(self.home.landing, SOURCES)
        return landed

    def stale_landing_dates(self, awaits: Awaits = at_once) -> dict[str, list[date]]:
        """Landing dates per source that a run would take in or out."""
        lander = Lander(self.home, self.store, registry.FILINGS, self._progress)
        return {
            name: lander.stale_landing_dates(source, awaits) for name, source in SOURCES.items()
        }

    @property
    def builder(self) -> Builder:
        """Brings tables up to date with what is landed now."""
        if self._builder is None:
            self._builder = Builder(
                self.store,
                self.home.settings,
                registry.FILINGS,
                self._horizons(registry.TABLES),
                self._progress,
            )
        return self._builder

    def data_through(self, spec: Spec) -> date | None:
        """Last day for which all sources of a table are taken to be whole; None without files.

        Sources that only say what others mean do not hold back a table that has others.
        """
        return self._horizons([spec])[spec.name]

    def _horizons(self, specs: Sequence[Spec]) -> dict[str, date | None]:
        last: dict[str, date] = {}
        for source, day in self.manifest.landing_dates:
            last[source] = max(day, last.get(source, day))
        lag = timedelta(days=self.home.settings.landing_lag_days)
        horizons = {}
        for spec in specs:
            sources = registry.sources_of(spec)
            dated = [name for name in sources if not SOURCES[name].is_reference]
            known = [last[name] for name in dated or sources if name in last]
            horizons[spec.name] = min(known) - lag if known else None
        return horizons

    def bring_up(self, spec: Spec, days: Days, *, force: bool = False) -> Built:
        """Bring one table up to date from what is current; what has stale inputs waits."""
        for upstream in registry.upstream_of(spec):
            if upstream.name not in self.builder.still_stale:
                self.builder.survey(upstream)
        built = self.builder.bring_up(spec, days, force=force)
        if spec.name == MERGES and self.manifest.published:
            news = {News(spec.name, day, MERGED) for day in built.changed_periods}
            if news:
                self.manifest.commit(Change(news=news))
        return built

    def stale(self) -> dict[str, int]:
        """Per table, how many slices a run would rebuild, as far as can be seen before it."""
        for spec in registry.TABLES:
            self.builder.survey(spec)
        return {name: len(periods) for name, periods in self.builder.still_stale.items()}

    def survey(self) -> None:
        """Note what is stale of the tables that were not brought up to date."""
        for spec in registry.TABLES:
            if spec.name not in self.builder.still_stale:
                self.builder.survey(spec)

    def publish(self, tables: Sequence[Spec] = registry.PUBLISHED) -> Publication:
        """Publish the given tables that are up to date; the others stay as readers see them."""
        chosen = {spec.name for spec in tables}
        self.survey()
        behind = [
            spec.name
            for spec in registry.PUBLISHED
            if spec.name not in chosen or self.builder.still_stale[spec.name]
        ]
        definitions = self.definitions()
        occasion = Occasion(datetime.now(UTC), causes_of(self.manifest, definitions))
        publisher = Publisher(
            self.store,
            self.shelf,
            registry.FILINGS,
            definitions,
            occasion,
            with_addresses=self.home.settings.publish_personal_data,
        )
        through = self._horizons(registry.PUBLISHED)
        return publisher.publish(registry.PUBLISHED, through, behind)

    def definitions(self) -> dict[str, bytes]:
        """What each published table means now: its own code and settings, and those it is from."""
        own = {spec.name: self.builder.definition(spec) for spec in registry.TABLES}
        return {
            spec.name: digest_of([own[each.name] for each in (*registry.upstream_of(spec), spec)])
            for spec in registry.PUBLISHED
        }

    def content_digest(self, tables: Sequence[str]) -> bytes:
        """Digest of what the tables hold, and of the checks that judge it."""
        parts = [code_version("pipelines.checks")]
        return digest_of([*parts, *(self.manifest.state(table).content for table in tables)])

    def scan(self, table: str) -> pl.LazyFrame:
        """A whole table of the warehouse as it stands."""
        return self.store.scan(registry.FILINGS[table], self.manifest.slices.get(table, {}))


@contextmanager
def writing(
    home: Home, progress: Progress = no_progress, *, wait_minutes: float = 0
) -> Iterator[Session]:
    """Open a home to change it, alone. What killed runs left behind is cleared away first.

    Raises HomeBusyError where another run is at work there for longer than is waited.
    """
    with writer_lock(home.warehouse, wait_minutes=wait_minutes), _seldom_collecting():
        session = opened(home, progress)
        try:
            yield session
            session.manifest.save()
        finally:
            session.manifest.close()


@contextmanager
def _seldom_collecting() -> Iterator[None]:
    """Let the search for unreachable cycles come seldom.

    A manifest is some hundred thousand records that live as long as the run and hold no cycles: to
    go through them again and again is a tenth of a night.
    """
    before = gc.get_threshold()
    gc.set_threshold(100_000, 20, 20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def opened(home: Home, progress: Progress = no_progress) -> Session:
    """A session for whoever holds the home's lock, and closes its manifest."""
    manifest = Manifest(home.warehouse / MANIFEST, writable=True)
    try:
        session = Session(home, manifest, progress)
        session.store.sweep()
        session.store.heal()
    except BaseException:
        manifest.close()
        raise
    return session


@contextmanager
def reading(home: Home) -> Iterator[Session]:
    """Open a home to look at it, while a run may be at work."""
    manifest = Manifest(home.warehouse / MANIFEST, writable=False)
    try:
        yield Session(home, manifest)
    finally:
        manifest.close()
