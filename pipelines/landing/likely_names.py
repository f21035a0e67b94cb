"""Which column of a file might be which of a source, by what they are called."""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any

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
    "score": "rating answer nps csat ces stars grade recommend satisfied satisfaction effort",
    "respondent_id": "userid customerid user customer respondent person email",
    "comment": "text feedback review message",
    "asked_ts": "sentat askedat invitedat",
    "answered_ts": "answeredat submittedat createdat respondedat timestamp date time",
    "subscription_id": "id subscription contractid contract",
    "customer_id": "customer userid user clientid accountid buyer email requesterid",
    "plan": "planname product tier planid",
    "amount": "total totalamount totalprice price revenue sum mrr sales value fee net gross"
    " charge charges monthlycharges monthlyprice",
    "currency": "currencycode curr",
    "interval": "billinginterval billingperiod period cycle",
    "quantity": "seats units qty",
    "started_ts": "startedat startdate start createdat begin",
    "ended_ts": "endedat enddate end canceledat cancelledat",
    "order_id": "id order ordernumber invoice invoiceno orderno receipt transaction",
    "line_id": "lineitemid item sku stockcode",
    "ordered_ts": "orderedat orderdate createdat invoicedate purchasedat date timestamp time",
    "ticket_id": "id ticket ticketnumber caseid case issue number",
    "opened_ts": "openedat createdat created opendate date timestamp",
    "first_reply_ts": "firstreplyat firstresponseat respondedat",
    "resolved_ts": "resolvedat resolved solvedat solved",
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
# What people write behind what a thing is called, and what they mean by it all the same.
_TAILS = ("number", "num", "nr", "no", "id", "key", "code", "ref")
_NEAR = 0.8


def likely(names: Iterable[str], contract: dict[str, Any]) -> Iterator[tuple[float, str, str]]:
    """How likely (0 to 1) a column of the contract is one of the file, with both names."""
    for place, name in enumerate(contract):
        known = [plain(name), *_OTHER_NAMES.get(name, "").split()]
        for theirs in names:
            chance = _chance(theirs, name, known)
            if chance == 1:
                yield 1.0, name, theirs
            elif chance:
                # Required columns come first.
                yield chance + (0 if contract[name].nullable else 0.05) - place * 1e-4, name, theirs


def _chance(theirs: str, name: str, known: list[str]) -> float:
    whole, last = plain(theirs), plain(theirs.rsplit(".", 1)[-1])
    if theirs == name or whole == known[0]:
        return 1.0
    for called in (last, whole):
        if called in known:
            # The first name of the list is the likeliest.
            return 0.9 - 0.001 * max(known.index(called) - 1, 0)
    near = difflib.SequenceMatcher(None, whole, known[0]).ratio()
    if near >= _NEAR:
        return near * 0.8
    bare = _without_tail(plain(re.sub(r"[(\[].*?[)\]]", "", theirs)))
    if bare in known:
        return 0.6
    words = [word.lower() for word in re.findall(r"[A-Z]?[a-z0-9]+|[A-Z]+", theirs)]
    return 0.4 if len(words) > 1 and any(word in known for word in words) else 0.0


def _without_tail(name: str) -> str:
    tail = next((each for each in _TAILS if name.endswith(each) and name != each), "")
    return name.removesuffix(tail)


def plain(name: str) -> str:
    """The letters and digits of a name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
