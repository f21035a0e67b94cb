"""Why numbers of a table may differ from those that were published last."""

from collections.abc import Mapping
from datetime import date

from pipelines import registry
from pipelines.warehouse.land import ROWS
from pipelines.warehouse.manifest import Manifest
from pipelines.warehouse.records import News
from pipelines.warehouse.specs import SourceTables, Spec

# The table whose days change when an anonymous id comes to belong to a user.
MERGES, MERGED = "stitches", "person merged"
_DEFINITION, _LATE, _NEWER = "definition change", "late rows", "newer rows"


def causes_of(manifest: Manifest, definitions: Mapping[str, bytes]) -> dict[str, str]:
    """Of every published table all that changed since it was published, joined by commas."""
    days = {
        source: _landed_days(manifest, source, {n for n in manifest.news if n.subject == source})
        for source in registry.SOURCES
    }
    return {
        spec.name: ", ".join(_causes(spec, manifest, definitions[spec.name], days))
        for spec in registry.PUBLISHED
        if spec.name in manifest.published
    }


def _causes(
    spec: Spec, manifest: Manifest, definition: bytes, landed: Mapping[str, set[date]]
) -> list[str]:
    before = manifest.published[spec.name]
    sources = registry.sources_of(spec)
    found = {n.cause for n in manifest.news if n.subject in sources and n.cause != ROWS}
    if before.definition != definition:
        found.add(_DEFINITION)
    is_other_reading = bool(found)
    late = {day for source in sources for day in landed[source] if day <= before.data_through}
    if late:
        found.add(_LATE)
    # Rows that came, went or are read otherwise may be what changed whose events are whose.
    if not is_other_reading and MERGES in {each.name for each in registry.upstream_of(spec)}:
        merged = {news.day for news in manifest.news if news.cause == MERGED}
        if any(day <= before.data_through and day not in late for day in merged):
            found.add(MERGED)
    return sorted(found) or [_NEWER]


def _landed_days(manifest: Manifest, source: str, news: set[News]) -> set[date]:
    """Event days of which rows landed since the last publication."""
    fresh = {each.day for each in news if each.cause == ROWS}
    if not fresh:
        return set()
    tables = SourceTables(source)
    slices = manifest.slices.get(tables.landed, {})
    return {key.period for key in slices if tables.landing_date(tables.landed, key) in fresh}
