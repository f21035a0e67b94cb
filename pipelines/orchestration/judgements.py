"""Asset checks: what each published table promises, what must hold between tables, freshness.

A table's step judges what the table promises, and what it breaks blocks what depends on it. Checks
between tables are judged in one step, because most read tables that are made from their own and so
cannot block in between; the publication refuses what they find.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from pipelines.checks import CHECKS, Check
from pipelines.freshness import days_late, late_tables, today_of
from pipelines.orchestration.publication import NAME as PUBLICATION
from pipelines.orchestration.steps import changing, looking
from pipelines.run import newly_broken
from pipelines.session import Session
from pipelines.warehouse.digests import code_version, digest_of
from pipelines.warehouse.promises import BrokenPromiseError, check_promise
from pipelines.warehouse.specs import Spec

PROMISE, BETWEEN = "keeps_its_promise", "between_tables"
IS_FRESH = "is_fresh"


def asset_checks(root: Path) -> list[dg.AssetChecksDefinition]:
    """Checks with steps of their own, each of which can also be run by itself."""
    return [_between_tables(root), _freshness_check(root)]


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


def promise_spec(spec: Spec) -> dg.AssetCheckSpec:
    """The check that a published table's own step makes."""
    return dg.AssetCheckSpec(
        PROMISE,
        asset=spec.name,
        blocking=True,
        description=f"Types, values and rules hold; unique: {', '.join(spec.promise.key)}.",
    )


def judge_promise(session: Session, spec: Spec) -> dg.AssetCheckResult:
    """Whether a whole table keeps its promise; what has held of the same rows is not read again.

    What is rebuilt keeps it, or is not stored. Rows that a narrowed run left as they were may be of
    an older promise: they block nothing, and are not published before they are up to date.
    """
    content = session.content_digest([spec.name])
    digest = digest_of([code_version(f"schemas.{spec.name}"), content]).hex()
    note = f"promise {spec.name}"
    fault = None
    if session.manifest.about(note) != digest:
        try:
            check_promise(session.scan(spec.name).collect(), spec.name, spec.model)
            session.manifest.note(note, digest)
        except BrokenPromiseError as error:
            fault = str(error)
    is_behind = bool(session.builder.still_stale[spec.name])
    return dg.AssetCheckResult(
        check_name=PROMISE,
        passed=fault is None,
        severity=dg.AssetCheckSeverity.WARN if is_behind else dg.AssetCheckSeverity.ERROR,
        description=f"{fault}; it is not up to date" if fault and is_behind else fault,
    )


def _between_tables(root: Path) -> dg.AssetChecksDefinition:
    specs = {check.name: _spec_between(check) for check in CHECKS}

    @dg.multi_asset_check(name=BETWEEN, specs=list(specs.values()), can_subset=True)
    def judge(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        chosen = context.selected_asset_check_keys
        with changing(root, context) as session:
            session.survey()
            for check in CHECKS:
                if specs[check.name].key in chosen:
                    yield _judged(session, check)

    return judge


def _spec_between(check: Check) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        check.name,
        asset=check.table,
        additional_deps=check.others,
        description=f"{check.description} Where it does not hold, nothing is published.",
    )


def _judged(session: Session, check: Check) -> dg.AssetCheckResult:
    behind = [name for name in check.tables if session.builder.still_stale[name]]
    if behind:
        return dg.AssetCheckResult(
            asset_key=check.table,
            check_name=check.name,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"not judged, because it is not up to date: {', '.join(behind)}",
        )
    fault = newly_broken(session, check)
    return dg.AssetCheckResult(
        asset_key=check.table, check_name=check.name, passed=fault is None, description=fault
    )
