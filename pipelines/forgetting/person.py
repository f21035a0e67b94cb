"""Who a person is in a home: all their ids, and the landed files that brought rows of theirs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipelines import registry
from pipelines.forgetting.contents import holds
from pipelines.forgetting.matching import Ids
from pipelines.home import Home
from pipelines.landing.feeds import Feed, ending, feed_of
from pipelines.landing.files import RawFile, Unreadable, called
from pipelines.landing.pseudonyms import pseudonymized
from pipelines.landing.sources import CUSTOMERS, EVENTS, SOURCES, Source
from pipelines.publish.personal import without_addresses
from pipelines.session import Session
from pipelines.warehouse.land import Lander
from pipelines.warehouse.specs import SourceTables

_JSON = (".ndjson", ".jsonl", ".json")


@dataclass(frozen=True)
class LandingPath:
    """A file below landing; ``source`` and ``file`` only where a run would read it as such."""

    path: Path
    source: Source | None
    file: RawFile | None
    encoding: str
    is_json: bool


@dataclass
class Person:
    """What a home holds of a person.

    ``ids`` stand in landing, ``forms`` also in tables: pseudonyms and stand-ins. Anonymous ids that
    are ``shared`` with another user stay; an anonymous id may itself be linked to ``users``.
    """

    ids: set[str]
    forms: set[str] = field(default_factory=set)
    shared: list[str] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    files: list[LandingPath] = field(default_factory=list)
    unreadable: dict[Path, str] = field(default_factory=dict)


def find_person(session: Session, person_id: str, known: Collection[str] = ()) -> Person:
    """Everything of the person with this id; ``known`` are ids that are theirs already."""
    home = session.home
    start = _as_landed(home, {person_id, *known})
    landed, shared, users = _closure(session, start)
    rows, places = _landed_rows(session, landed)
    paths = list(landing_paths(home))
    ids = {person_id, *known} | _plain(session, landed, paths, places)
    person = Person(ids, _as_published(landed | ids), shared, users, rows)
    matcher = Ids(ids)
    for each in paths:
        try:
            brought = each.file and each.source and (each.source.name, _place(each.file)) in places
            if brought or holds(each.path, matcher, each.encoding):
                person.files.append(each)
        except (Unreadable, OSError) as error:
            person.unreadable[each.path] = str(error)
    return person


def landing_paths(home: Home) -> Iterator[LandingPath]:
    """Every file below landing, also those that no run reads."""
    for path in sorted(path for path in home.landing.rglob("*") if path.is_file()):
        parts = path.relative_to(home.landing).parts
        source = SOURCES.get(parts[0]) if len(parts) > 2 else None
        day = _day(parts[1]) if source else None
        is_hidden = any(part.startswith((".", "_")) for part in parts)
        is_json = ending(path.name) in _JSON
        if source is None or day is None or is_hidden or path.name.endswith((".tmp", ".part")):
            yield LandingPath(path, None, None, "utf-8", is_json)
            continue
        name = called("/".join(parts[2:]))
        feeds = home.settings.sources.get(source.name) or [Feed()]
        chosen = feed_of(feeds, name)
        feed = Feed() if chosen is None else feeds[chosen]
        is_json = feed.format_of(name) == "ndjson"
        yield LandingPath(path, source, RawFile(day, name, path), feed.encoding, is_json)


def _day(name: str) -> date | None:
    try:
        day = date.fromisoformat(name)
    except ValueError:
        return None
    return day if day.isoformat() == name else None


def _place(file: RawFile) -> tuple[date, str]:
    return file.landing_date, file.name


def _as_landed(home: Home, ids: set[str]) -> set[str]:
    """The ids as the tables have them."""
    key = home.pseudonym_key
    if key is None:
        return set(ids)
    return set(pseudonymized(pl.DataFrame({"id": sorted(ids)}), ["id"], key)["id"])


def _as_published(ids: set[str]) -> set[str]:
    """The ids, and the stand-ins of those that are addresses."""
    return ids | set(without_addresses(pl.DataFrame({"id": sorted(ids)}))["id"])


def _closure(session: Session, start: set[str]) -> tuple[set[str], list[str], list[str]]:
    """All ids of a person; anonymous ids that another user has too; users of an anonymous id."""
    customers = _pairs(session, CUSTOMERS)
    known, before = set(start), 0
    while len(known) > before:
        before = len(known)
        theirs = customers.filter(pl.any_horizontal(pl.all().is_in(list(known)))).collect()
        known.update(*(theirs[name] for name in theirs.columns))
    links = _pairs(session, EVENTS)
    linked = links.filter(pl.col("user_id").is_in(list(known))).select("anonymous_id").unique()
    is_theirs = pl.col("user_id").is_in(list(known)).all()
    by_id = links.join(linked, on="anonymous_id").group_by("anonymous_id").agg(own=is_theirs)
    found = by_id.sort("anonymous_id").collect()
    shared = found.filter(~pl.col("own"))["anonymous_id"].to_list()
    others = links.filter(
        pl.col("anonymous_id").is_in(list(start)), ~pl.col("user_id").is_in(list(known))
    )
    users = others.select(pl.col("user_id").unique().sort()).collect()["user_id"].to_list()
    own = set(found.filter("own")["anonymous_id"])
    return known | own, [each for each in shared if each not in known], users


def _pairs(session: Session, source: Source) -> pl.LazyFrame:
    """Distinct pairs of the ids that a source names together."""
    landed = session.scan(SourceTables(source.name).landed)
    return landed.select(source.person_ids).drop_nulls().unique()


def _landed_rows(
    session: Session, landed: set[str]
) -> tuple[dict[str, int], set[tuple[str, tuple[date, str]]]]:
    """Rows of a person by source, and the files they came with."""
    rows, places = {}, set()
    for name, source in SOURCES.items():
        if not source.person_ids:
            continue
        is_theirs = pl.any_horizontal(pl.col(source.person_ids).is_in(list(landed)))
        table = session.scan(SourceTables(name).landed).filter(is_theirs)
        files = table.group_by("landing_date", "file").len().collect()
        if files.height:
            rows[name] = int(files["len"].sum())
            places |= {(name, (day, file)) for day, file, _ in files.iter_rows()}
    return rows, places


def _plain(
    session: Session,
    landed: set[str],
    paths: list[LandingPath],
    places: set[tuple[str, tuple[date, str]]],
) -> set[str]:
    """The ids as landing has them; where tables hold pseudonyms, read from the files again."""
    key = session.home.pseudonym_key
    if key is None:
        return landed
    lander = Lander(session.home, session.store, registry.FILINGS, lambda *_: None)
    found: set[str] = set()
    for each in paths:
        if not (each.source and each.file and (each.source.name, _place(each.file)) in places):
            continue
        taken = lander.read(each.source, [each.file], is_plain=True).landed
        for name in each.source.person_ids:
            ids = pl.DataFrame({"id": taken[name].unique().drop_nulls()})
            made = pseudonymized(ids.with_columns(made="id"), ["made"], key)
            found |= set(made.filter(pl.col("made").is_in(list(landed)))["id"])
    return found
