from typing import Any

from campaign_rows import happened
from frames import assert_rows, at, collected, day, frame

from schemas.ad_days import AdDays
from schemas.events import Events
from schemas.stitches import Stitches
from transforms.ad_days import ad_days

TODAY = "2025-03-01 10:00"


def of(rows: list[dict[str, Any]], *stitches: dict[str, Any]) -> Any:
    return ad_days(frame(Events, rows), frame(Stitches, stitches))


def test_impressions_clicks_and_the_people_who_clicked_are_counted() -> None:
    # ada clicks twice, bob once: three clicks of two people. Who only saw it did not click.
    names = {"channel": "ads", "campaign": "spring"}
    rows = [
        *(happened("ad_impression", TODAY, user, **names) for user in ("ada", "bob", "cid")),
        *(happened("ad_click", TODAY, user, **names) for user in ("ada", "ada", "bob")),
        happened("ad_impression", "2025-03-02 10:00", **names),
        happened("page_view", TODAY, **names),
    ]
    counts = ["event_date", "impressions", "clicks", "clicking_users"]
    assert collected(of(rows), AdDays).select(counts).rows() == [
        (day("2025-03-01"), 3, 3, 2),
        (day("2025-03-02"), 1, 0, 0),
    ]


def test_an_event_s_campaign_goes_before_utm_campaign_and_none_is_a_name() -> None:
    rows = [
        happened("ad_click", TODAY, channel="ads", campaign="spring", utm_campaign="summer"),
        happened("ad_click", TODAY, channel="ads", utm_campaign="summer"),
        happened("ad_click", TODAY),
    ]
    expected = [("ads", "spring"), ("ads", "summer"), ("(none)", "(none)")]
    assert_rows(
        of(rows),
        AdDays,
        [{"channel": channel, "campaign": campaign, "clicks": 1} for channel, campaign in expected],
    )


def test_a_device_that_is_linked_to_a_user_is_that_user() -> None:
    rows = [
        happened("ad_click", TODAY),
        happened("ad_click", TODAY, None, anonymous_id="phone"),
        happened("ad_click", TODAY, None, anonymous_id="tablet"),
    ]
    link = {"event_date": day("2025-03-01"), "anonymous_id": "phone", "from_ts": at(TODAY)}
    # ada by name and by her phone, and whoever has the tablet
    assert_rows(of(rows, {**link, "user_id": "ada"}), AdDays, [{"clicks": 3, "clicking_users": 2}])


def test_no_ads_are_no_rows() -> None:
    assert collected(of([happened("page_view", TODAY)]), AdDays).is_empty()
