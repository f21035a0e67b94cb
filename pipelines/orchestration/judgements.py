"""Asset checks: what each published table promises, and what must hold between tables.

They block what depends on their table. A check that reads a table which is made from its own cannot
block in between; the publication refuses what it finds all the same.
"""

from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipelines import registry
from pipelines.checks import CHECKS, Check, broken
from pipelines.freshness import days_late, late_tables, today_of
from pipelines.orchestration.publication import NAME as PUBLICATION
from pipelines.orchestration.steps import looking
from pipelines.session import Session
from pipelines.warehouse.promises import BrokenPromiseError, check_promise
from pipelines.warehouse.specs import Spec

PROMISE = "keeps_its_promise"
IS_FRESH = "is_fresh"


def asset_checks(root: Path) -> list[dg.AssetChecksDefinition]:
    """Every check, each of which can also be run by itself."""
    promises = [_promise_check(spec, root) for spec in registry.PUBLISHED]
    between = [_between_tables(check, root) for check in CHECKS]
    return [*promises, *between, _freshness_check(root)]


def _freshness_check(root: Path) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=IS_FRESH,
        asset=PUBLICATION,
        description="No published table reaches less far than fresh_days before today. By the days "
        "of the data, so that the backfill of an old day makes nothing fresh.",
    )
    def judge() -> dg.AssetCheckResult:
        return judge_freshness(root, datetime.now(UTC))

    return judge


def judge_freshness(root: Path, now: datetime) -> dg.AssetCheckResult:
    """How many days each published table lies behind today, and which too many."""
    with looking(root) as session:
        late = days_late(session, today_of(session.home, now))
        found = late_tables(late, session.home.settings.fresh_days)
    said = ", ".join(f"{name} by {days} days" for name, days in found.items())
    return dg.AssetCheckResult(
        passed=bool(late) and not found,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"late: {said}" if found else None if late else "nothing is published yet",
        metadata={"days_late": late},
    )


def _promise_check(spec: Spec, root: Path) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        name=PROMISE,
        asset=spec.name,
        blocking=True,
        description=f"Types, values and rules hold; unique: {', '.join(spec.promise.key)}.",
    )
    def judge() -> dg.AssetCheckResult:
        with looking(root) as session:
            frame = session.scan(spec.name).collect()
        try:
            check_promise(frame, spec.name, spec.model)
        except BrokenPromiseError as error:
            return dg.AssetCheckResult(passed=False, description=str(error))
        return dg.AssetCheckResult(passed=True, metadata={"rows": frame.height})

    return judge


def _between_tables(check: Check, root: Path) -> dg.AssetChecksDefinition:
    table = registry.BY_NAME[check.table]
    made_from = [registry.upstream_of(registry.BY_NAME[name]) for name in check.others]
    is_circular = any(table in specs for specs in made_from)

    @dg.asset_check(
        name=check.name,
        asset=check.table,
        additional_deps=check.others,
        blocking=not is_circular,
        description=check.description,
    )
    def judge() -> dg.AssetCheckResult:
        with looking(root) as session:
            behind = _not_up_to_date(session, check)
            if behind:
                return dg.AssetCheckResult(
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    description=f"not judged, because it is not up to date: {', '.join(behind)}",
                )
            fault = broken(check, {name: session.scan(name) for name in check.tables})
        return dg.AssetCheckResult(passed=fault is None, description=fault)

    return judge


def _not_up_to_date(session: Session, check: Check) -> list[str]:
    tables = [registry.BY_NAME[name] for name in check.tables]
    names = {each.name for spec in tables for each in (*registry.upstream_of(spec), spec)}
    for spec in registry.TABLES:
        if spec.name in names:
            session.builder.survey(spec)
    return [name for name in check.tables if session.builder.still_stale[name]]
