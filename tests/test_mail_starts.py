from campaign_rows import mail, mails
from frames import assert_rows, day

from schemas.mail_starts import MailStarts
from transforms.mail_starts import mail_starts


def test_a_month_has_the_first_day_on_which_a_mail_was_delivered() -> None:
    days = mails(
        mail("sent", "2025-03-01 10:00"),
        mail("delivered", "2025-03-09 10:00"),
        mail("delivered", "2025-03-04 10:00", "bob"),
        mail("opened", "2025-04-02 10:00"),
        mail("delivered", "2025-05-31 10:00"),
    )
    assert_rows(
        mail_starts(days),
        MailStarts,
        [
            {"month": day("2025-03-01"), "first_date": day("2025-03-04")},
            {"month": day("2025-05-01"), "first_date": day("2025-05-31")},
        ],
    )
