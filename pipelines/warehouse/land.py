"""Taking in what landed: which landing dates are new or changed, and filing their rows."""

from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.landing.collected import Spilled
from pipelines.landing.feeds import Feed, mapping_fingerprint
from pipelines.landing.files import Limits, RawFile
from pipelines.landing.pseudonyms import fingerprint
from pipelines.landing.receipts import notices_of_forgotten
from pipelines.landing.results import Rows, TakenIn
from pipelines.landing.sorted_runs import Spilling
from pipelines.landing.sources import Source
from pipelines.landing.take_in import BLOCK_BYTES, take_in
from pipelines.landing.unmapped import new_columns
from pipelines.warehouse.arrivals import (
    Arrival,
    as_they_lie,
    batches,
    date_digest,
    find_arrivals,
    gone_message,
    settle,
    unchanged,
)
from pipelines.warehouse.bring_up import Progress
from pipelines.warehouse.digests import as_bytes, code_version, digest_of
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.readiness import Awaits, at_once
from pipelines.warehouse.records import Change, LandingFile, News, SliceKey
from pipelines.warehouse.specs import SourceTables
from pipelines.warehouse.store import Store

# Why numbers may change, as restatements say it.
ROWS, REPLAY, REMOVED, FORGOTTEN = "rows", "replay", "files removed", "person forgotten"
# Of batches with more raw bytes than this, one is in work at a time.
_AHEAD_BYTES = 128 << 20
_Waiting = deque[tuple[list[Arrival], Future[TakenIn]]]


@dataclass
class Landed:
    """What taking in one source came to."""

    source: str
    landing_dates: int = 0
    files: int = 0
    refused_files: list[str] = field(default_factory=list)
    read_rows: int = 0
    landed_rows: int = 0
    quarantined_rows: int = 0
    notices: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)


class Lander:
    """Takes in the landing folders of sources."""

    def __init__(
        self,
        home: Home,
        store: Store,
        filings: Mapping[str, Filing],
        progress: Progress,
        spilling: Spilling | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """``spilling`` and ``block_bytes`` bound what is in memory; no table shows them."""
        self._home = home
        self._store = store
        self._filings = filings
        self._progress = progress
        self._forgotten = home.forgotten
        self._spilling = spilling or Spilling(store.spilled)
        self._block_bytes = block_bytes

    def land(
        self, source: Source, *, accept_removed: bool = False, awaits: Awaits = at_once
    ) -> Landed:
        """Take in every landing date that is new, changed, or was read by other rules.

        One that awaits something is told in ``waiting``, and stays as it was.
        Raises TidemarkError when files that were taken in are gone, unless that is accepted.
        """
        report = Landed(source.name)
        arrivals = find_arrivals(self._home.landing / source.name, report.notices)
        constant = self._constant(source)
        settled = as_they_lie(arrivals, constant)
        if settled == self._store.manifest.settled_landings.get(source.name):
            return report
        fresh = unchanged(arrivals, self._store.manifest, source.name, constant)
        gone = self._gone(source.name, arrivals, fresh)
        if gone and not accept_removed:
            raise TidemarkError(gone_message(str(self._home.landing / source.name), gone))
        removed = [day for day in self._taken_in(source.name) if day not in arrivals]
        if removed:
            self._file(source, {}, [], removed, constant)
        others = [each for day, each in arrivals.items() if day not in fresh]
        stale = [each for each in others if self._is_stale(source.name, each, constant)]
        days = {each.landing_date for each in stale}
        self._remember(source.name, [each for each in others if each.landing_date not in days])
        todo = _complete(stale, awaits, report)
        for batch, taken in self._read_ahead(source, batches(todo)):
            self._progress(f"landing {source.name}", report.landing_dates, len(todo))
            self._take_in(source, batch, taken, constant, report)
        if todo:
            report.notices += self._news(source, {each.landing_date for each in todo})
        if not report.waiting:
            settle(self._store.manifest, source.name, settled)
        return report

    def _news(self, source: Source, days: Collection[date]) -> list[str]:
        """Notices of columns that came up on these landing dates and that nothing maps."""
        fate = "left out" if self._home.settings.pseudonymize_ids else "kept in extra"
        return [
            f"{self._home.landing / source.name / str(new.landing_date) / new.file} has columns "
            f"that no earlier landing date had and no mapping uses: {new.said(source)}; they are "
            f"{fate}"
            for new in new_columns(self._receipts(source.name))
            if new.landing_date in days
        ]

    def _read_ahead(
        self, source: Source, all_batches: Iterator[list[Arrival]]
    ) -> Iterator[tuple[list[Arrival], TakenIn]]:
        """Each batch with its rows; the next one is read while the one before is filed.

        A large one is read by itself, so that memory never holds two.
        """
        with ThreadPoolExecutor(max_workers=1) as reader:
            waiting: _Waiting = deque()
            for batch in all_batches:
                if sum(arrival.raw_bytes for arrival in batch) > _AHEAD_BYTES:
                    yield from _drained(waiting)
                    yield batch, self._read(source, batch)
                    continue
                waiting.append((batch, reader.submit(self._read, source, batch)))
                if len(waiting) > 1:
                    earlier, future = waiting.popleft()
                    yield earlier, future.result()
            yield from _drained(waiting)

    def stale_landing_dates(self, source: Source, awaits: Awaits = at_once) -> list[date]:
        """Landing dates that a run would take in or take out."""
        arrivals = find_arrivals(self._home.landing / source.name, [])
        constant = self._constant(source)
        fresh = unchanged(arrivals, self._store.manifest, source.name, constant)
        others = [each for day, each in arrivals.items() if day not in fresh]
        stale = [each for each in others if self._is_stale(source.name, each, constant)]
        complete = {each.landing_date for each in stale if not awaits(each)}
        return sorted(complete.union(d for d in self._taken_in(source.name) if d not in arrivals))

    def _taken_in(self, source: str) -> list[date]:
        return sorted(day for name, day in self._store.manifest.landing_dates if name == source)

    def _feeds(self, source: Source) -> Sequence[Feed]:
        """The feeds of a source; what one does not say of identical rows, the settings do."""
        settings = self._home.settings
        feeds = settings.sources.get(source.name) or [Feed()]
        default = {"identical_rows": settings.identical_rows}
        return [
            feed if "identical_rows" in feed.model_fields_set else feed.model_copy(update=default)
            for feed in feeds
        ]

    def _constant(self, source: Source) -> bytes:
        """What decides how files are read, beside the files."""
        settings = self._home.settings
        limits = [settings.max_file_bytes, settings.max_line_bytes]
        rules = [settings.timezone, settings.earliest_event_date, *limits]
        key = self._home.pseudonym_key
        # Ids under two keys are two people: with another key everything is read again.
        rules.append(fingerprint(key) if key else None)
        version = code_version("pipelines.landing.take_in", source.landed.__module__)
        mapping = mapping_fingerprint(self._feeds(source)).encode()
        return digest_of([version, mapping, as_bytes(rules)])

    def _gone(self, source: str, arrivals: Mapping[date, Arrival], fresh: set[date]) -> list[str]:
        """Files whose rows were taken in and that are there no more."""
        recorded = self._store.manifest.landing_files
        gone = [
            f"{day}/{name}"
            for day in self._taken_in(source)
            for name in (sorted(recorded.get((source, day), {})) if day not in fresh else ())
            if day not in arrivals or name not in arrivals[day].stats
        ]
        refused = self._refused(source) if gone else set()
        return [name for name in gone if name not in refused]

    def _refused(self, source: str) -> set[str]:
        """Files that could not be read: nothing of them can be lost."""
        refused = self._receipts(source).filter(status="refused")
        pairs = refused.select("landing_date", "file").collect()
        return {f"{day}/{file}" for day, file in pairs.iter_rows()}

    def _receipts(self, source: str) -> pl.LazyFrame:
        table = SourceTables(source).receipts
        return self._store.scan(self._filings[table], self._store.manifest.slices.get(table, {}))

    def _is_stale(self, source: str, arrival: Arrival, constant: bytes) -> bool:
        key = (source, arrival.landing_date)
        before = self._store.manifest.landing_dates.get(key)
        if before is None:
            return bool(arrival.stats)
        recorded = self._store.manifest.landing_files.get(key, {})
        return before != date_digest(constant, arrival.checksums(recorded))

    def _remember(self, source: str, fresh: Sequence[Arrival]) -> None:
        """Record the times of files that were touched and not changed: they are hashed but once."""
        manifest = self._store.manifest
        touched: dict[tuple[str, date], dict[str, LandingFile]] = {}
        for each in fresh:
            key = (source, each.landing_date)
            before = manifest.landing_files.get(key, {})
            now = {
                name: LandingFile(*each.stats[name], file.sha256) for name, file in before.items()
            }
            if now != before:
                touched[key] = now

        def record(change: Change) -> None:
            change.landing_files.update(touched)
            change.landing_dates.update((key, manifest.landing_dates[key]) for key in touched)

        if touched:
            self._store.commit(record)

    def _read(self, source: Source, batch: Sequence[Arrival]) -> TakenIn:
        return self.read(source, [file for arrival in batch for file in arrival.files])

    def read(self, source: Source, files: Sequence[RawFile], *, is_plain: bool = False) -> TakenIn:
        """Read files of a source and file nothing of them; ``is_plain`` ids are no pseudonyms."""
        settings = self._home.settings
        return take_in(
            files,
            source,
            self._feeds(source),
            timezone=settings.timezone,
            earliest_event_date=settings.earliest_event_date,
            limits=Limits(settings.max_file_bytes, settings.max_line_bytes),
            pseudonym_key=None if is_plain else self._home.pseudonym_key,
            tombstones=self._forgotten.tombstones,
            block_bytes=self._block_bytes,
            spilling=self._spilling,
        )

    def _take_in(
        self,
        source: Source,
        batch: Sequence[Arrival],
        taken: TakenIn,
        constant: bytes,
        report: Landed,
    ) -> None:
        frames = {
            "landed": taken.landed_rows,
            "quarantine": taken.refused_rows,
            "receipts": taken.receipts,
        }
        arrived = [(each, {f.name: taken.digests[f] for f in each.files}) for each in batch]
        try:
            self._file(source, frames, arrived, [], constant)
        finally:
            taken.clear()
        _add(report, batch, taken.receipts)
        report.notices += notices_of_forgotten(self._home.landing / source.name, taken.receipts)

    def _file(
        self,
        source: Source,
        frames: Mapping[str, Rows],
        arrived: Sequence[tuple[Arrival, Mapping[str, str]]],
        removed: Sequence[date],
        constant: bytes,
    ) -> None:
        """File the rows of landing dates in place of what they brought before."""
        tables = SourceTables(source.name)
        days = {arrival.landing_date for arrival, _ in arrived}
        # Compared as text: to read a date from every slice there ever was takes longer.
        touched = {day.isoformat() for day in (*days, *removed)}
        for kind in ("landed", "quarantine", "receipts"):
            filing = self._filings[getattr(tables, kind)]
            frame = frames.get(kind, pl.DataFrame(schema=filing.schema))
            keys = _slices(frame, kind, days)
            old = self._store.manifest.slices.get(filing.table, {})
            # Only landed rows have parts, which are named by their landing dates.
            outdated = {key for key in old if (key.part or str(key.period)) in touched} - keys
            self._store.put(filing, frame, dict.fromkeys(keys, b""), outdated)

        def record(change: Change) -> None:
            for arrival, checksums in arrived:
                key = (source.name, arrival.landing_date)
                change.landing_dates[key] = date_digest(constant, checksums)
                change.news.add(News(*key, self._cause(key, checksums)))
                change.landing_files[key] = {
                    name: LandingFile(*arrival.stats[name], checksum)
                    for name, checksum in checksums.items()
                }
            change.dropped_landing_dates.update((source.name, day) for day in removed)
            change.news.update(News(source.name, day, REMOVED) for day in removed)

        self._store.commit(record)

    def _cause(self, key: tuple[str, date], checksums: Mapping[str, str]) -> str:
        """New rows, the same files under other rules, or fewer files than before."""
        recorded = self._store.manifest.landing_files.get(key, {})
        before = {name: file.sha256 for name, file in recorded.items()}
        if before and before != dict(checksums) and self._forgotten.is_pending:
            return FORGOTTEN
        if before == dict(checksums):
            return REPLAY
        return REMOVED if before.items() > checksums.items() else ROWS


def _drained(waiting: _Waiting) -> Iterator[tuple[list[Arrival], TakenIn]]:
    while waiting:
        batch, future = waiting.popleft()
        yield batch, future.result()


def _complete(stale: list[Arrival], awaits: Awaits, report: Landed) -> list[Arrival]:
    """The arrivals that await nothing; the others are told."""
    reasons = {each.landing_date: awaits(each) for each in stale}
    report.waiting += [f"{day}: {reason}" for day, reason in reasons.items() if reason]
    return [each for each in stale if not reasons[each.landing_date]]


def _slices(rows: Rows, kind: str, days: set[date]) -> set[SliceKey]:
    """Slices of landing dates: landed rows by event day, the rest one a landing date."""
    if kind != "landed":
        return {SliceKey(day) for day in days}
    columns = ("event_date", "landing_date")
    found = rows.distinct(*columns) if isinstance(rows, Spilled) else rows.select(columns).unique()
    return {SliceKey(day, landing_date.isoformat()) for day, landing_date in found.iter_rows()}


def _add(report: Landed, batch: Sequence[Arrival], receipts: pl.DataFrame) -> None:
    report.landing_dates += len(batch)
    report.files += receipts.height
    for name in ("read_rows", "landed_rows", "quarantined_rows"):
        setattr(report, name, getattr(report, name) + int(receipts[name].sum()))
    refused = receipts.filter(status="refused").select("landing_date", "file")
    report.refused_files += [f"{day}/{file}" for day, file in refused.iter_rows()]
