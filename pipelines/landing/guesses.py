"""A mapping for files of no known kind: the nearest names whose values can be read.

What is found is a proposal for a person to look at: every line says why it is there.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from pipelines.landing.casts import Value, cast
from pipelines.landing.glimpse import Glimpse
from pipelines.landing.sources import Source
from pipelines.landing.timestamps import UTC_MICROSECONDS, TimeRule
from schemas.base import dtypes

# Names under which others keep what a canonical column means; letters and digits only.
_OTHER_NAMES: dict[str, str] = {
    "event_id": "id uuid messageid insertid",
    "event_name": "event name action type eventtype kind activity",
    "event_ts": "timestamp time ts date datetime createdat eventtime occurredat when",
    "user_id": "user userid customerid customer uid accountid memberid login username author",
    "anonymous_id": "anonymousid deviceid visitorid cookieid clientid sessionuser",
    "received_ts": "receivedat ingestedat serverts",
    "platform": "os system",
    "page_url": "url page location path uri",
    "page_title": "title",
    "referrer": "referer refererurl",
    "user_agent": "useragent ua browser",
    "value": "revenue amount price total",
    "response_id": "id responseid token",
    "survey": "surveyname form questionnaire",
    "score": "rating answer nps csat stars grade",
    "respondent_id": "userid customerid user customer respondent person email",
    "comment": "text feedback review message",
    "asked_ts": "sentat askedat invitedat",
    "answered_ts": "answeredat submittedat createdat respondedat timestamp date time",
    "subscription_id": "id subscription contractid",
    "customer_id": "customer userid user clientid accountid buyer email requesterid",
    "plan": "planname product tier planid",
    "amount": "total price revenue sum totalprice mrr sales value",
    "currency": "currencycode curr",
    "interval": "billinginterval billingperiod period cycle",
    "quantity": "seats units qty",
    "started_ts": "startedat startdate start createdat begin",
    "ended_ts": "endedat enddate end canceledat cancelledat",
    "order_id": "id order ordernumber invoice invoiceno orderno",
    "line_id": "lineitemid item sku stockcode",
    "ordered_ts": "orderedat orderdate createdat invoicedate purchasedat date timestamp time",
    "ticket_id": "id ticket caseid number",
    "opened_ts": "openedat createdat created opendate date timestamp",
    "first_reply_ts": "firstreplyat firstresponseat respondedat",
    "resolved_ts": "resolvedat solvedat",
    "closed_ts": "closedat closed",
    "reopened_count": "reopens reopencount",
    "updated_ts": "updatedat modifiedat lastmodified",
    "post_id": "id post permalink",
    "posted_ts": "postedat createdat publishedat publishtime date",
    "snapshot_day": "date day snapshotdate",
    "account": "accountname page profile handle username",
    "cost_day": "date day",
    "cost": "spend amount costs",
    "campaign": "campaignname",
    "created_ts": "createdat created signupdate joinedat",
    "day": "date",
}
_FORMATS = (
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d",
    "%Y-%m-%d %H:%M:%S %z",
)
_SPELLED = {
    "interval": {"daily": "day", "weekly": "week", "monthly": "month", "yearly": "year"}
    | {"annual": "year", "annually": "year", "months": "month", "years": "year"},
    "status": {"cancelled": "canceled", "expired": "canceled", "trial": "trialing"},
    "kind": {"sale": "purchase", "order": "purchase", "return": "refund"},
}
_NEAR = 0.8
_READABLE = 0.9


@dataclass(frozen=True)
class Guess:
    """A mapping, with a reason per column, and the required columns that nothing was found for."""

    columns: dict[str, Any] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)
    lacking: tuple[str, ...] = ()


def guess_mapping(look: Glimpse, source: Source, timezone: str) -> Guess:
    """Columns of the file for those of the source; each is taken for one at most."""
    contract = source.contract.to_schema().columns
    found: dict[str, tuple[Any, str]] = {}
    taken: set[str] = set()
    for score, name, theirs in sorted(_likely(look, contract), key=lambda each: (-each[0], each)):
        if name in found or theirs in taken:
            continue
        read = _readable(look, name, theirs, dtypes(source.contract)[name], timezone)
        if read is not None:
            expression, how = read
            said = "called the same" if score == 1 else "by its name"
            found[name] = (expression, f"{said}; {how}")
            taken.add(theirs)
    filled = {*source.defaults, source.content_id, source.received}
    lacking = [
        name
        for name, spec in contract.items()
        if not spec.nullable and name not in found and name not in filled
    ]
    ordered = {name: found[name] for name in contract if name in found}
    return Guess(
        {name: expression for name, (expression, _) in ordered.items()},
        {name: why for name, (_, why) in ordered.items()},
        tuple(lacking),
    )


def _likely(look: Glimpse, contract: dict[str, Any]) -> Iterator[tuple[float, str, str]]:
    for place, name in enumerate(contract):
        others = _OTHER_NAMES.get(name, "").split()
        for theirs in look.values:
            plain, last = _plain(theirs), _plain(theirs.rsplit(".", 1)[-1])
            if theirs == name or plain == _plain(name):
                yield 1.0, name, theirs
            elif plain in others or last == _plain(name) or last in others:
                # The first name of the list is the likeliest, and required columns come first.
                rank = others.index(last) if last in others else 0
                bonus = 0 if contract[name].nullable else 0.05
                yield 0.9 + bonus - rank * 0.001 - place * 0.0001, name, theirs
            elif (near := difflib.SequenceMatcher(None, plain, _plain(name)).ratio()) >= _NEAR:
                yield near * 0.8, name, theirs


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _readable(
    look: Glimpse, name: str, theirs: str, dtype: pl.DataType, timezone: str
) -> tuple[Any, str] | None:
    """The expression with which the values can be read, and how many of them; else None."""
    values = pl.Series(look.values[theirs], dtype=pl.String)
    known = len(values) - values.null_count()
    if not known:
        return None
    for said in _ways(name, values, dtype):
        rule = TimeRule(timezone, said.get("zone"), said.get("epoch"), said.get("format"))
        spelled = said.get("values", {})
        text = values.replace(spelled) if spelled else values
        read = known - sum(int(bad.sum()) for _, bad in cast(Value(text), dtype, rule).problems)
        if read >= _READABLE * known:
            how = f"{read} of {known} values can be read"
            notes = [how, *(_doubts(said) if said else ())]
            return ({"column": theirs, **said} if said else theirs), "; ".join(notes)
    return None


def _ways(name: str, values: pl.Series, dtype: pl.DataType) -> Iterator[dict[str, Any]]:
    if name in _SPELLED:
        there = set(values.str.to_lowercase().drop_nulls())
        table = {
            v: _SPELLED[name][v.lower()]
            for v in values.drop_nulls().unique().sort()
            if v.lower() in _SPELLED[name]
        }
        yield {"values": table, "others": "keep"} if there & set(_SPELLED[name]) else {}
        return
    if dtype not in (UTC_MICROSECONDS, pl.Date()):
        yield {}
        return
    numbers = values.cast(pl.Float64, strict=False)
    if numbers.null_count() == values.null_count() and dtype == UTC_MICROSECONDS:
        size = float(numbers.abs().median() or 0)  # type: ignore[arg-type]
        units = (("s", 1e8, 1e11), ("ms", 1e11, 1e14), ("us", 1e14, 1e17))
        yield from ({"epoch": unit} for unit, low, high in units if low <= size < high)
        return
    yield {}
    if dtype == UTC_MICROSECONDS:
        yield {"zone": "UTC"}
    yield from ({"format": each} for each in _FORMATS if "%z" in each or "%H" not in each)
    yield from ({"format": each, "zone": "UTC"} for each in _FORMATS if "%H" in each)


def _doubts(said: dict[str, Any]) -> Iterator[str]:
    if "zone" in said:
        yield "they have no offset: is UTC their zone?"
    if said.get("format", "").startswith(("%d/%m", "%m/%d")):
        yield "is it the day that comes first, or the month?"
