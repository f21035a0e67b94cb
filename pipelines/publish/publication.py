"""Publishing: a Parquet file per table, catalogue and dictionary, all of a run together or none."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipelines.dictionary.page import mend_dictionary
from pipelines.publish.catalog import CATALOG, catalog_digest, replace_catalog
from pipelines.publish.personal import without_addresses
from pipelines.publish.restatements import LOG, LOG_SPEC, Occasion, is_compared, log_of, restated
from pipelines.publish.segments import Rendering, opened
from pipelines.publish.shelf import Shelf
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.disk import write
from pipelines.warehouse.filing import Filing
from pipelines.warehouse.parquet import parquet_bytes
from pipelines.warehouse.records import Published
from pipelines.warehouse.specs import Spec
from pipelines.warehouse.store import Store

CONTENTS = "publication.json"


@dataclass
class Publication:
    """What publishing came to. ``restated`` counts numbers that readers had seen otherwise."""

    id: str
    written: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    restated: int = 0


class Publisher:
    """Publishes the tables of a warehouse; ``definitions`` digest what each of them means now.

    E-mail and IP addresses have stand-ins in what is published, unless ``with_addresses`` is set.
    """

    def __init__(
        self,
        store: Store,
        shelf: Shelf,
        filings: Mapping[str, Filing],
        definitions: Mapping[str, bytes],
        occasion: Occasion,
        *,
        with_addresses: bool = False,
    ) -> None:
        self._store = store
        self._shelf = shelf
        self._filings = filings
        self._definitions = definitions
        self._occasion = occasion
        self._with_addresses = with_addresses
        self._had_addresses = _tables_with_addresses(shelf.path_of(CONTENTS))
        self._restated: list[pl.DataFrame] = []

    def publish(
        self,
        specs: Sequence[Spec],
        data_through: Mapping[str, date | None],
        behind: Sequence[str] = (),
    ) -> Publication:
        """Publish every table that has a horizon. Those ``behind`` stay as they were published.

        Nothing happens where readers already see just this.
        """
        before = self._seen_by_readers(specs)
        tables: dict[str, Published] = {}
        written: list[str] = []
        for spec in specs:
            through = data_through[spec.name]
            former = before.get(spec.name)
            if spec.name in behind:
                if former:
                    tables[spec.name] = former
            elif through is not None:
                digest, definition = self._digest(spec), self._definitions[spec.name]
                if former and former.digest == digest:
                    tables[spec.name] = former._replace(definition=definition, data_through=through)
                else:
                    checksum, rows = self._render(spec, former is not None)
                    tables[spec.name] = Published(digest, definition, checksum, rows, through)
                    written.append(spec.name)
        publication = Publication(self._id(tables), sorted(written), behind=list(behind))
        publication.restated = sum(found.height for found in self._restated)
        publication.kept = sorted(set(tables) - set(written))
        shown = [*(spec for spec in specs if spec.name in tables), LOG_SPEC]
        if written or publication.id != self._shelf.current_id:
            self._show(publication, tables, shown)
        else:
            folder = self._shelf.folder_of(publication.id)
            self._mend_catalog(shown, folder)
            mend_dictionary(shown, folder, CONTENTS)
            self._shelf.link(publication.id)
        if not self._exposed(publication):
            self._shelf.drop_others(lambda folder: _may_have_addresses(folder / CONTENTS))
        if tables != self._store.manifest.published or self._store.manifest.news:
            self._store.manifest.commit_published(tables)
        return publication

    def _seen_by_readers(self, specs: Sequence[Spec]) -> dict[str, Published]:
        """What stands in its place; of what a killed run showed, but did not record, not from what.

        So nothing of it passes for up to date, and a narrow run keeps it as it is.
        """
        names = {spec.name for spec in specs}
        seen = {}
        for name, shown in _read_contents(self._shelf.path_of(CONTENTS)).items():
            if name in names and _opens(self._shelf.path_of(f"{name}.parquet")):
                recorded = self._store.manifest.published.get(name)
                is_recorded = recorded is not None and recorded.sha256 == shown.sha256
                if recorded and is_recorded:
                    shown = shown._replace(digest=recorded.digest, definition=recorded.definition)
                seen[name] = shown
        return seen

    def _version(self, spec: Spec) -> bytes:
        # Descriptions stand in the footer, so that what the schema says is part of the file.
        version = code_version(f"schemas.{spec.name}")
        return digest_of([version, str(self._with_addresses).encode()])

    def _digest(self, spec: Spec) -> bytes:
        return digest_of([self._version(spec), self._store.manifest.state(spec.name).content])

    def _render(self, spec: Spec, was_seen: bool) -> tuple[str, int]:
        """Put a table into the draft; gives the SHA-256 of its file and its rows."""
        name = f"{spec.name}.parquet"
        former = opened(self._shelf.path_of(name)) if was_seen else None
        rendering = Rendering(
            self._store,
            self._filings[spec.name],
            self._version(spec),
            with_addresses=self._with_addresses,
            is_compared=former is not None and is_compared(spec),
        )
        checksum, rows = rendering.write(self._draft / name, former)
        if former and is_compared(spec):
            now = pl.concat([pl.DataFrame(schema=spec.schema), *rendering.made])
            self._restated.append(self._changes(spec, former.without(rendering.left), now))
        return checksum, rows

    @cached_property
    def _draft(self) -> Path:
        return self._shelf.draft()

    def _changes(self, spec: Spec, before: pl.DataFrame, now: pl.DataFrame) -> pl.DataFrame:
        """Restated numbers; that addresses are hidden, or shown, makes no other row of a row."""
        if self._with_addresses != (spec.name in self._had_addresses):
            before, now = without_addresses(before), without_addresses(now)
        return restated(spec, before, now)

    def _id(self, tables: Mapping[str, Published]) -> str:
        """Name of a publication: what is in it."""
        parts = (
            f"{name}={tables[name].sha256}/{tables[name].data_through}" for name in sorted(tables)
        )
        return digest_of(part.encode() for part in parts).hex()[:16]

    def _show(
        self,
        publication: Publication,
        tables: Mapping[str, Published],
        specs: Sequence[Spec],
    ) -> None:
        draft = self._draft
        for table in publication.kept:
            self._shelf.keep(f"{table}.parquet", draft)
        _write_contents(draft / CONTENTS, publication.id, tables, self._exposed(publication))
        self._write_log(draft)
        folder = self._shelf.place(publication.id, draft)
        self._mend_catalog(specs, folder)
        mend_dictionary(specs, folder, CONTENTS)
        self._shelf.turn(publication.id)

    def _write_log(self, draft: Path) -> None:
        before = self._shelf.path_of(LOG)
        is_hidden_now = bool(self._had_addresses) and not self._with_addresses
        if before.exists() and not (is_hidden_now or any(f.height for f in self._restated)):
            self._shelf.keep(LOG, draft)
            return
        log = log_of(before, self._restated, self._occasion)
        log = without_addresses(log) if is_hidden_now else log
        write(draft / LOG, parquet_bytes(log.sort(LOG_SPEC.promise.key), LOG_SPEC.model))

    def _exposed(self, publication: Publication) -> set[str]:
        """Tables that hold addresses as they are: written so now, or kept from such a one."""
        kept = self._had_addresses & set(publication.kept)
        return kept | set(publication.written) if self._with_addresses else kept

    def _mend_catalog(self, specs: Sequence[Spec], folder: Path) -> None:
        """Write the catalogue where there is none, or one of another place or other columns."""
        digest = catalog_digest(specs, folder).hex()
        if self._store.manifest.about("catalog") != digest or not (folder / CATALOG).exists():
            replace_catalog(specs, folder)
            self._store.manifest.note("catalog", digest)


def _write_contents(
    path: Path, publication_id: str, tables: Mapping[str, Published], exposed: Collection[str]
) -> None:
    said = {
        "publication": publication_id,
        "tables": {
            name: {
                "data_through": table.data_through.isoformat(),
                "rows": table.rows,
                "sha256": table.sha256,
                "with_addresses": name in exposed,
            }
            for name, table in sorted(tables.items())
        },
    }
    write(path, (json.dumps(said, indent=2) + "\n").encode())


def _tables_with_addresses(path: Path) -> set[str]:
    """Tables that were published with addresses as they are: all that do not say otherwise."""
    try:
        tables = json.loads(path.read_bytes())["tables"]
        return {name for name, said in tables.items() if said.get("with_addresses", True)}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return set()


def _may_have_addresses(path: Path) -> bool:
    """Whether a publication shows addresses, or does not tell."""
    return bool(_tables_with_addresses(path)) or not _read_contents(path)


def _opens(path: Path) -> bool:
    """Whether a published file is there and has its footer; one that was cut off has not."""
    try:
        pq.read_schema(path)
    except (OSError, ValueError):
        return False
    return True


def _read_contents(path: Path) -> dict[str, Published]:
    """The tables that a publication says it holds; none where it cannot be read."""
    try:
        tables = json.loads(path.read_bytes())["tables"]
        return {
            name: Published(
                b"", b"", said["sha256"], said["rows"], date.fromisoformat(said["data_through"])
            )
            for name, said in tables.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
