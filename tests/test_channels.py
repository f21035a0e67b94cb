"""Where sessions come from: precedence, referrers, and GA4's rules one by one."""

from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError

from pipelines.settings import Settings
from transforms.channels import is_direct, with_channels

TOLD = ("channel", "utm_source", "utm_medium", "campaign", "referrer", "landing_url")
PAGE = "https://www.tide.example/prices?size=2"
SEARCH = "https://www.google.com/search?q=tide"


def of(*sessions: dict[str, str], **settings: list[str]) -> list[tuple[Any, ...]]:
    """Channel, source and medium of sessions."""
    rows = [{name: session.get(name) for name in TOLD} for session in sessions]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(TOLD, pl.String))
    chosen = {"own_domains": [], "payment_providers": [], **settings}
    return with_channels(frame, **chosen).select("channel", "source", "medium").rows()


def tagged(source: str | None, medium: str | None, campaign: str | None = None) -> Any:
    return {"utm_source": source, "utm_medium": medium, "campaign": campaign}


def channel(**session: Any) -> Any:
    return of(session)[0][0]


def test_the_source_s_own_channel_goes_before_utm_and_utm_before_click_ids_and_the_referrer() -> (
    None
):
    bare = {"referrer": "https://blog.example/", "landing_url": PAGE}
    clicked = {**bare, "landing_url": f"{PAGE}&gclid=Cj0"}
    utm = {**clicked, **tagged("letter", "email")}
    assert of({}, bare, clicked, utm, {**utm, "channel": "Partners"}) == [
        ("Direct", "(direct)", "(none)"),
        ("Referral", "blog.example", "referral"),
        ("Paid Search", "google", "cpc"),
        ("Email", "letter", "email"),
        ("Partners", "letter", "email"),
    ]


def test_half_of_a_utm_pair_is_not_completed_from_elsewhere() -> None:
    from_search = {"referrer": SEARCH}
    assert of(
        {**from_search, **tagged("letter", None)},
        {**from_search, **tagged(None, "email")},
        # A campaign alone does not say by what it was brought.
        {**from_search, **tagged(None, None, "spring")},
    ) == [
        ("Unassigned", "letter", "(not set)"),
        ("Email", "(not set)", "email"),
        ("Organic Search", "google", "organic"),
    ]


@pytest.mark.parametrize(
    ("referrer", "expected"),
    [
        (SEARCH, ("Organic Search", "google", "organic")),
        ("https://google.co.uk", ("Organic Search", "google", "organic")),
        ("//www.google.de:443/url?sa=t", ("Organic Search", "google", "organic")),
        ("HTTPS://User@WWW.Google.COM./", ("Organic Search", "google", "organic")),
        (
            "android-app://com.google.android.googlequicksearchbox/",
            ("Organic Search", "google", "organic"),
        ),
        ("http://r.duckduckgo.com/l/", ("Organic Search", "duckduckgo", "organic")),
        ("https://de.search.yahoo.com/", ("Organic Search", "yahoo", "organic")),
        # Neither a mailbox nor somebody who calls himself so is a search engine.
        ("https://mail.google.com/", ("Referral", "mail.google.com", "referral")),
        ("https://google.com.evil.example/", ("Referral", "google.com.evil.example", "referral")),
        ("https://notbing.com/", ("Referral", "notbing.com", "referral")),
        ("https://l.facebook.com/l.php", ("Organic Social", "facebook", "social")),
        ("https://t.co/x", ("Organic Social", "twitter", "social")),
        ("https://kufli.blogspot.com/", ("Organic Social", "blogger", "social")),
        ("https://chatgpt.com/", ("AI Assistant", "chatgpt", "ai-assistant")),
        ("https://gemini.google.com/app", ("AI Assistant", "gemini", "ai-assistant")),
        ("https://www.youtube.com/watch?v=1", ("Organic Video", "youtube.com", "referral")),
        ("https://www.amazon.co.uk/dp/1", ("Organic Shopping", "amazon.co.uk", "referral")),
        ("https://News.Example/a", ("Referral", "news.example", "referral")),
        # A path alone, or a word, is no address of somebody else.
        ("/prices", ("Direct", "(direct)", "(none)")),
        ("google.com", ("Direct", "(direct)", "(none)")),
        ("", ("Direct", "(direct)", "(none)")),
    ],
)
def test_a_referrer_gives_source_and_medium(referrer: str, expected: tuple[str, ...]) -> None:
    assert of({"referrer": referrer, "landing_url": PAGE}) == [expected]


@pytest.mark.parametrize(
    ("referrer", "landing_url", "source"),
    [
        ("https://tide.example/a", PAGE, "(direct)"),
        ("https://shop.tide.example/a", PAGE, "(direct)"),
        ("https://lowtide.example/a", PAGE, "lowtide.example"),
        ("https://tide.example/a", "https://shop.tide.example/", "tide.example"),
        ("https://tide.example/a", "/prices", "tide.example"),
        ("https://tide.example/a", None, "tide.example"),
        ("https://a.ours.example/", "/prices", "(direct)"),
        ("https://ours.example/", PAGE, "(direct)"),
        ("https://yours.example/", PAGE, "yours.example"),
        ("https://www.paypal.com/done", PAGE, "(direct)"),
        ("https://checkout.pay.example/", PAGE, "(direct)"),
    ],
)
def test_one_s_own_pages_and_payment_providers_are_no_referrers(
    referrer: str, landing_url: str, source: str
) -> None:
    found = of(
        {"referrer": referrer, "landing_url": landing_url},
        own_domains=["www.ours.example"],
        payment_providers=["paypal.com", "pay.example"],
    )
    assert found[0][1] == source


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?gclid=1", ("Paid Search", "google", "cpc")),
        ("?a=1&wbraid=2#top", ("Paid Search", "google", "cpc")),
        ("?msclkid=1", ("Paid Search", "bing", "cpc")),
        # Facebook adds it to links that nobody paid for, too.
        ("?fbclid=1", ("Organic Social", "facebook", "social")),
        ("?gclid=", ("Direct", "(direct)", "(none)")),
        ("?notgclid=1", ("Direct", "(direct)", "(none)")),
        ("#?gclid=1", ("Direct", "(direct)", "(none)")),
    ],
)
def test_click_ids_of_the_landing_page_tell_source_and_medium(
    query: str, expected: tuple[str, ...]
) -> None:
    assert of({"landing_url": f"https://tide.example/{query}"}) == [expected]


@pytest.mark.parametrize(
    ("source", "medium", "campaign", "expected"),
    [
        ("(direct)", "(none)", None, "Direct"),
        ("(direct)", None, None, "Direct"),
        ("google", "cpc", "Cross-Network | all", "Cross-network"),
        ("etsy", "cpc", None, "Paid Shopping"),
        ("google", "cpc", "summer shopping", "Paid Shopping"),
        # "shop" at the start of a word, or after an e: neither a workshop nor a bishop is one.
        ("google", "cpc", "shop now", "Paid Shopping"),
        ("google", "cpc", "the eshop", "Paid Shopping"),
        ("google", "cpc", "workshop", "Paid Search"),
        ("GOOGLE", "CPC", None, "Paid Search"),
        ("www.bing.com", "ppc", None, "Paid Search"),
        ("google", "cpm", None, "Paid Search"),
        ("facebook", "paid_social", None, "Paid Social"),
        ("ig", "retargeting", None, "Paid Social"),
        ("youtube", "cpv", None, "Paid Video"),
        ("partner", "banner", None, "Display"),
        ("partner", "cpm", None, "Display"),
        ("partner", "paid-links", None, "Paid Other"),
        ("chatgpt.com", "ai-assistant", None, "AI Assistant"),
        ("amazon", "any", None, "Organic Shopping"),
        ("letter", "email", "shop", "Organic Shopping"),
        ("fb", "post", None, "Organic Social"),
        ("partner", "social-media", None, "Organic Social"),
        ("partner", "videos", None, "Organic Video"),
        ("google", "any", None, "Organic Search"),
        ("partner", "organic", None, "Organic Search"),
        ("partner", "app", None, "Referral"),
        ("letter", "E-Mail", None, "Email"),
        ("email", "any", None, "Email"),
        ("partner", "affiliate", None, "Affiliates"),
        ("partner", "audio", None, "Audio"),
        ("sms", "any", None, "SMS"),
        ("partner", "sms", None, "SMS"),
        ("partner", "webpush", None, "Mobile Push Notifications"),
        ("firebase", "any", None, "Mobile Push Notifications"),
        ("partner", "poster", None, "Unassigned"),
    ],
)
def test_the_first_rule_of_ga4_s_that_holds_names_the_channel(
    source: str, medium: str, campaign: str, expected: str
) -> None:
    assert channel(**tagged(source, medium, campaign)) == expected


@pytest.mark.parametrize("domain", ["https://ours.example", "ours.example/shop", "*.ours.example"])
def test_a_domain_of_the_settings_is_a_name_and_nothing_else(domain: str) -> None:
    for key in ("own_domains", "payment_providers"):
        assert getattr(Settings(**{key: ["ours.example"]}), key) == ["ours.example"]
        with pytest.raises(ValidationError):
            Settings(**{key: [domain]})


def test_sessions_keep_their_order_and_none_is_lost() -> None:
    sessions = [{"referrer": SEARCH}, {}, {"referrer": SEARCH}, {"channel": "Partners"}] * 500
    found = of(*sessions)
    names = ["Organic Search", "Direct", "Organic Search", "Partners"] * 500
    assert [row[0] for row in found] == names


def test_no_sessions_have_no_channels() -> None:
    assert of() == []


def test_direct_is_whose_channel_says_so_in_any_case() -> None:
    names = pl.DataFrame({"channel": ["Direct", "direct", "Directory", "Referral"]})
    assert names.select(is_direct()).to_series().to_list() == [True, True, False, False]
