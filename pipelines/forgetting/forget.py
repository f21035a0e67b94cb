"""Forgetting a person: tombstones, landing rewritten, a run, what is left of old runs removed.

Every step can be killed. The tombstones are on the disk before anything is removed, and pending
until the proof holds: the same command again finishes what was begun.
"""

import sqlite3
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import orjson
import polars as pl

from pipelines import registry
from pipelines.forgetting.matching import Ids
from pipelines.forgetting.person import LandingPath, Person, find_person, landing_paths
from pipelines.forgetting.proof import Proof, checksums, prove
from pipelines.forgetting.requests import replace_file
from pipelines.forgetting.rewriting import Doomed, clear_leavings, rewrite
from pipelines.home import Home
from pipelines.landing.files import Unreadable, path_of
from pipelines.publish.restatements import LOG, LOG_SPEC
from pipelines.publish.shelf import Shelf
from pipelines.run import Report, run
from pipelines.session import MANIFEST, Session, no_progress, reading, writing
from pipelines.warehouse.bring_up import Progress
from pipelines.warehouse.land import Lander
from pipelines.warehouse.parquet import parquet_bytes
from pipelines.warehouse.specs import SourceTables

_READABLE = 0o644


@dataclass
class Forgotten:
    """What forgetting came to; ``problems`` say what is left to be done by hand."""

    landing_files: int = 0
    report: Report | None = None
    proof: Proof | None = None
    kept: int = 0
    changed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether the person is nowhere."""
        return not self.problems and self.proof is not None and not self.proof.found


def look_for(home: Home, person_id: str, progress: Progress = no_progress) -> Person:
    """What a home holds of a person, once all that landed is taken in."""
    known = home.forgotten.ids_of(person_id)
    with writing(home, progress) as session:
        # Landing that is half rewritten is taken in by the run that ends it.
        if not known:
            session.land()
        return find_person(session, person_id, known)


def look_only(home: Home, person_id: str) -> Person:
    """The same of what is taken in already, changing nothing."""
    with reading(home) as session:
        return find_person(session, person_id, home.forgotten.ids_of(person_id))


def forget(home: Home, person: Person, progress: Progress = no_progress) -> Forgotten:
    """Take a person out of a home, keep them out, and prove it."""
    before = checksums(home)
    with writing(home, progress) as session:
        home.forgotten.begun(person.ids).write()
        done = Forgotten(problems=_not_looked_into(person.unreadable.items()))
        _rewrite_landing(session, person.files, Ids(person.ids), done)
    _finish(home, person.ids | person.forms, before, done, progress)
    if done.is_done:
        home.forgotten.done(person.ids).write()
    return done


def sweep(home: Home, progress: Progress = no_progress) -> Forgotten:
    """Take rows of people who were forgotten out of files that landed since."""
    before = checksums(home)
    done, ids = Forgotten(), set[str]()
    with writing(home, progress) as session:
        session.land()
        replace(home.forgotten, is_sweeping=True).write()
        for each in _with_forgotten_rows(session):
            ids |= _rewrite_landing(session, [each], None, done)
    _finish(home, ids, before, done, progress)
    if done.is_done:
        replace(home.forgotten, is_sweeping=False).write()
    return done


def _not_looked_into(paths: Iterable[tuple[Path, str]]) -> list[str]:
    return [
        f"{path} cannot be read and may hold the person: {why}. Mend it or take it away, and run "
        "the same command again"
        for path, why in paths
    ]


def _with_forgotten_rows(session: Session) -> list[LandingPath]:
    """Files of landing of which rows were turned away."""
    found = set()
    for source in registry.SOURCES:
        receipts = session.scan(SourceTables(source).receipts).filter(pl.col("forgotten_rows") > 0)
        places = receipts.select("landing_date", "file").collect()
        found |= {
            path_of(session.home.landing / source / f"{day}", file) for day, file in places.rows()
        }
    return [each for each in landing_paths(session.home) if each.path in found]


def _rewrite_landing(
    session: Session, files: Collection[LandingPath], ids: Ids | None, done: Forgotten
) -> set[str]:
    """Rewrite files of landing; the ids of the rows that went. Without ``ids`` only these go."""
    clear_leavings(session.home.landing)
    lander = Lander(session.home, session.store, registry.FILINGS, no_progress)
    gone: set[str] = set()
    for each in files:
        numbers: set[int] = set()
        theirs: set[str] = set()
        if each.source and each.file:
            away = lander.read(each.source, [each.file], is_plain=True).turned_away
            for line, lines, is_whole, said in away.select(
                "line", "lines", "is_whole", "ids"
            ).iter_rows():
                numbers.update(range(line, line + lines) if is_whole else ())
                theirs.update(said)
        doomed = Doomed(numbers, ids or Ids(theirs), each.encoding, each.is_json)
        try:
            done.landing_files += rewrite(each.path, doomed)
        except Unreadable as error:
            done.problems += _not_looked_into([(each.path, str(error))])
        gone |= theirs
    return gone


def _finish(
    home: Home,
    ids: Collection[str],
    before: dict[Path, str],
    done: Forgotten,
    progress: Progress,
) -> None:
    """Bring the tables up to date, remove what only old runs need, and look through everything."""
    with reading(home) as session:
        has_landed = bool(session.manifest.landing_dates)
    if has_landed:
        done.report = run(home, progress=progress)
        done.problems += done.report.withheld
    with writing(home, progress) as session:
        _drop_old_publications(session.shelf)
        done.problems += _came_meanwhile(session, ids)
        _clean_log(session.shelf, Ids(ids))
        _compact(home.warehouse / MANIFEST)
    after = checksums(home)
    done.kept = sum(after.get(path) == checksum for path, checksum in before.items())
    done.changed = len(before) - done.kept
    done.proof = prove(home, ids)


def _drop_old_publications(shelf: Shelf) -> None:
    """Leave nothing but what readers see; a killed run may have left a draft."""
    shelf.drop_others(lambda _: True)
    shelf.clear_drafts()


def _came_meanwhile(session: Session, ids: Collection[str]) -> list[str]:
    """Files that landed while this was at work, and hold rows of the person."""
    lander = Lander(session.home, session.store, registry.FILINGS, no_progress)
    return [
        f"{each.path} landed meanwhile and holds rows of the person"
        for each in _with_forgotten_rows(session)
        if each.source
        and each.file
        and not set(ids).isdisjoint(
            lander.read(each.source, [each.file], is_plain=True).turned_away["ids"].explode()
        )
    ]


def _clean_log(shelf: Shelf, ids: Ids) -> None:
    """Take what ``restatements`` tells of a person out of it."""
    path = shelf.path_of(LOG)
    if not path.exists():
        return
    log = pl.read_parquet(path)
    theirs = [_names(key, ids) for key in log["key"]]
    if any(theirs):
        left = log.filter(~pl.Series(theirs, dtype=pl.Boolean)).sort(LOG_SPEC.promise.key)
        replace_file(path.resolve(), parquet_bytes(left, LOG_SPEC.model), mode=_READABLE)


def _names(key: str, ids: Ids) -> bool:
    values = orjson.loads(key)
    return any(ids.stand_in(str(value), column) for column, value in values.items())


def _compact(manifest: Path) -> None:
    """Write the manifest anew, so that nothing is left in pages that are free."""
    connection = sqlite3.connect(manifest, isolation_level=None)
    try:
        connection.execute("VACUUM")
    finally:
        connection.close()
