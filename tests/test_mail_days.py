from typing import Any

from campaign_rows import KINDS, happened
from frames import assert_rows, at, collected, day, frame

from schemas.events import Events
from schemas.mail_days import MailDays
from schemas.stitches import Stitches
from transforms.mail_days import mail_days

MORNING, NOON, NIGHT = (f"2025-03-01 {clock}" for clock in ("08:00", "12:00", "23:00"))


def of(rows: list[dict[str, Any]], *stitches: dict[str, Any]) -> Any:
    return mail_days(frame(Events, rows), frame(Stitches, stitches))


def counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    """The counts above zero of the one row that comes out."""
    (row,) = collected(of(rows), MailDays).rows(named=True)
    return {kind: row[f"{kind}_mails"] for kind in KINDS if row[f"{kind}_mails"]}


def test_every_event_of_a_mail_is_one_of_its_kind() -> None:
    names = ["sent", "sent", "delivered", "opened", "clicked", "unsubscribed", "bounced"]
    assert counts([happened(f"email_{name}", NOON) for name in names]) == {
        "sent": 2,
        "delivered": 1,
        "opened": 1,
        "clicked": 1,
        "unsubscribed": 1,
        "bounced": 1,
    }


def test_a_mail_opened_twice_is_two_openings() -> None:
    assert counts([happened("email_opened", NOON), happened("email_opened", NIGHT)]) == {
        "opened": 2
    }


def test_openings_by_machines_are_counted_by_themselves() -> None:
    rows = [
        happened("email_opened", NOON, is_machine_open=flag) for flag in (True, True, False, None)
    ]
    assert counts(rows) == {"opened": 2, "machine_opened": 2}


def test_the_first_mails_of_the_day_have_their_time() -> None:
    rows = [
        happened("email_sent", NOON),
        happened("email_sent", MORNING),
        happened("email_delivered", NIGHT),
        happened("email_opened", NIGHT, "bob"),
    ]
    assert_rows(
        of(rows),
        MailDays,
        [
            {"user_id": "ada", "first_sent_ts": at(MORNING), "first_delivered_ts": at(NIGHT)},
            {"user_id": "bob", "first_sent_ts": None, "first_delivered_ts": None},
        ],
    )


def test_days_people_and_campaigns_have_rows_of_their_own() -> None:
    rows = [
        happened("email_sent", NOON, campaign="spring", utm_campaign="summer"),
        happened("email_sent", NOON, utm_campaign="summer"),
        happened("email_sent", NOON),
        happened("email_sent", NOON, "bob"),
        happened("email_sent", "2025-03-02 12:00"),
        happened("page_view", NOON, campaign="autumn"),
    ]
    expected = [
        ("2025-03-01", "ada", "spring"),
        ("2025-03-01", "ada", "summer"),
        ("2025-03-01", "ada", "(none)"),
        ("2025-03-01", "bob", "(none)"),
        ("2025-03-02", "ada", "(none)"),
    ]
    assert_rows(
        of(rows),
        MailDays,
        [
            {"event_date": day(date), "user_id": user, "campaign": campaign, "sent_mails": 1}
            for date, user, campaign in expected
        ],
    )


def test_an_opening_on_a_linked_device_is_its_user_s() -> None:
    rows = [
        happened("email_sent", MORNING),
        happened("email_opened", NOON, None, anonymous_id="phone"),
    ]
    link = {"event_date": day("2025-03-01"), "anonymous_id": "phone", "from_ts": at(NOON)}
    assert_rows(
        of(rows, {**link, "user_id": "ada"}),
        MailDays,
        [{"user_id": "ada", "sent_mails": 1, "opened_mails": 1}],
    )
