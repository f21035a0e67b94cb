"""Event days as Dagster's partitions, and which days a run is asked for.

A run always names a range of partitions, because Dagster fails without one. The first partition
stands for every day before it too and the last for every day after it, so that a range over all
partitions is all of history, however old a row is that lands tomorrow.

A run that is tagged with ``ALL_DAYS`` brings everything stale up to date, whatever its range. The
night is such a run: its range names only the newest days, because Dagster writes an entry of some
20 ms or more for each partition of a range, built or not, every night.

A backfill of assets of which only some have partitions is several runs to Dagster, and those of
assets without partitions name no range: theirs is that of the backfill.
"""

from collections.abc import Mapping
from datetime import date, datetime

import dagster as dg

from pipelines import registry
from pipelines.errors import TidemarkError
from pipelines.home import Home
from pipelines.session import reading
from pipelines.settings import Settings
from pipelines.warehouse.arrivals import find_arrivals
from pipelines.warehouse.bring_up import Days
from pipelines.warehouse.specs import SourceTables

ALL_DAYS = {"tidemark/event_days": "all"}
ONLY_COMPLETE = {"tidemark/landing": "complete"}
RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
_PARTITION = "dagster/partition"
_BACKFILL = "dagster/backfill"
_MAX_RUNTIME = "dagster/max_runtime"
# Where nothing has landed yet. What comes in before it is built all the same, see above.
_FIRST_DAY_OF_AN_EMPTY_HOME = date(2024, 1, 1)


def event_days(home: Home) -> dg.DailyPartitionsDefinition:
    """A partition for every event day that may have rows, today included."""
    return dg.DailyPartitionsDefinition(
        start_date=datetime.combine(_first_day(home), datetime.min.time()),
        timezone=home.settings.timezone,
        end_offset=1,
    )


def tags_of_range(first: str, last: str) -> dict[str, str]:
    """Tags of a run over a range of partitions."""
    return {RANGE_START: first, RANGE_END: last}


def tags_of_night(
    partitions: dg.DailyPartitionsDefinition, now: datetime, settings: Settings
) -> dict[str, str]:
    """Tags of a run that brings everything complete up to date, and ends when its time is up.

    It always reports the two newest days.
    """
    newest = partitions.get_partition_keys(current_time=now)[-2:]
    limit = {_MAX_RUNTIME: str(int(settings.run_hours_limit * 3600))}
    return tags_of_range(newest[0], newest[-1]) | ALL_DAYS | ONLY_COMPLETE | limit


def takes_only_complete(tags: Mapping[str, str]) -> bool:
    """Whether a run with these tags leaves landing dates waiting that are not complete."""
    return ONLY_COMPLETE.items() <= tags.items()


def days_of_run(
    run: dg.DagsterRun, instance: dg.DagsterInstance, partitions: dg.DailyPartitionsDefinition
) -> Days:
    """The event days that a run is to bring up to date."""
    tags: Mapping[str, str] = run.tags
    if _BACKFILL in tags and not {RANGE_START, _PARTITION} & set(tags):
        tags = {**tags, **_range_of_backfill(instance, tags[_BACKFILL])}
    return asked_days(tags, partitions)


def _range_of_backfill(instance: dg.DagsterInstance, backfill_id: str) -> dict[str, str]:
    """Tags of the range of a backfill; none where all of its assets are without partitions."""
    backfill = instance.get_backfill(backfill_id)
    data = backfill.asset_backfill_data if backfill else None
    if data is None:
        return {}
    subsets = data.target_subset.partitions_subsets_by_asset_key.values()
    keys = sorted({key for subset in subsets for key in subset.get_partition_keys()})
    return tags_of_range(keys[0], keys[-1]) if keys else {}


def asked_days(tags: Mapping[str, str], partitions: dg.DailyPartitionsDefinition) -> Days:
    """The event days that the tags of a run ask for."""
    first = tags.get(RANGE_START) or tags.get(_PARTITION)
    last = tags.get(RANGE_END) or tags.get(_PARTITION)
    if first is None or last is None or ALL_DAYS.items() <= tags.items():
        return Days()
    is_from_start = first == partitions.get_first_partition_key()
    is_to_end = last >= (partitions.get_last_partition_key() or last)
    return Days(
        None if is_from_start else date.fromisoformat(first),
        None if is_to_end else date.fromisoformat(last),
    )


def _first_day(home: Home) -> date:
    known = [*_landed_event_days(home), *_landing_dates(home)]
    return min(known, default=_FIRST_DAY_OF_AN_EMPTY_HOME)


def _landed_event_days(home: Home) -> list[date]:
    try:
        with reading(home) as session:
            landed = [SourceTables(source).landed for source in registry.SOURCES]
            slices = session.manifest.slices
            return [key.period for name in landed for key in slices.get(name, {})]
    except TidemarkError:
        # Nothing was run yet, or the manifest cannot be used: a run will say so.
        return []


def _landing_dates(home: Home) -> list[date]:
    folders = [home.landing / source for source in registry.SOURCES]
    return [day for folder in folders for day in find_arrivals(folder, [])]
