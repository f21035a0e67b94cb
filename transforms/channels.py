"""Where a session comes from: channel, source, medium and campaign.

What the source itself says goes before utm parameters, these before the click ids of advertising
networks, and these before the referrer. The channels are those of GA4's default channel group
(support.google.com/analytics/answer/9756891), as far as source, medium and campaign tell them, as
guides and open implementations gave its rules by June 2026. Where AI Assistant stands among them is
our own choice. Which sites are what stands in :mod:`.traffic_sites`.
"""

from collections.abc import Sequence

import polars as pl

from transforms.traffic_sites import (
    ASSISTANT,
    SEARCH,
    SHOPPING,
    SOCIAL,
    VIDEO,
    category_of,
    site_of,
)

SOURCE_COLUMNS = ("channel", "source", "medium", "campaign")
DIRECT = "Direct"
NO_SOURCE, NO_MEDIUM, NOT_SET = "(direct)", "(none)", "(not set)"

# Parameter of the landing page, and the source and medium that it stands for. Facebook adds its own
# to links that nobody paid for as well.
_CLICK_SOURCES = {
    "gclid": "google",
    "gbraid": "google",
    "wbraid": "google",
    "msclkid": "bing",
    "fbclid": "facebook",
}
_CLICK_MEDIUMS = dict.fromkeys(_CLICK_SOURCES, "cpc") | {"fbclid": "social"}
_REFERRED = {SEARCH: "organic", SOCIAL: "social", ASSISTANT: "ai-assistant"}
_HOST = r"^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//(?:[^/?#@]*@)?([^/?#:]+)"
_PAID = r"^(.*cp.*|ppc|retargeting|paid.*)$"
_SHOP = r"^(.*(([^a-df-z]|^)shop|shopping).*)$"
_MAIL = ("email", "e-mail", "e_mail", "e mail")
_TOLD_BY = ["channel", "utm_source", "utm_medium", "campaign", "referrer", "landing_url"]
_KINDS = ["channel", "utm_source", "utm_medium", "campaign", "host", "click_id"]


def with_channels(
    sessions: pl.DataFrame, *, own_domains: Sequence[str], payment_providers: Sequence[str]
) -> pl.DataFrame:
    """Sessions with channel, source and medium, which are never null; the order is kept.

    Reads channel, campaign, utm_source, utm_medium, ``referrer`` and ``landing_url``, the page
    that the referrer led to. Few sessions differ in what tells their channel: each combination is
    looked at once.
    """
    told = sessions.select(_TOLD_BY)
    host = _foreign_host([*own_domains, *payment_providers])
    own, click_id = _host(pl.col("landing_url")), _click_id(pl.col("landing_url"))
    told = _with_each(told, "referrer", host=host)
    told = _with_each(told, "landing_url", own=own, click_id=click_id)
    is_own = (pl.col("host") == pl.col("own")) | pl.col("host").str.ends_with("." + pl.col("own"))
    told = told.with_columns(host=pl.when(~is_own.fill_null(False)).then("host"))
    kinds = told.select(_KINDS).unique().pipe(_with_source).pipe(_with_own_channel)
    known = told.join(kinds, on=_KINDS, how="left", nulls_equal=True, maintain_order="left")
    channel = pl.coalesce("channel", "own_channel").alias("channel")
    return sessions.with_columns(known.select(channel, "source", "medium"))


def _with_each(sessions: pl.DataFrame, column: str, **expressions: pl.Expr) -> pl.DataFrame:
    """The sessions with what is made of one column, each of its values looked at once."""
    values = sessions.select(column).unique().with_columns(**expressions)
    return sessions.join(values, on=column, how="left", nulls_equal=True, maintain_order="left")


def is_direct() -> pl.Expr:
    """Whether nothing is known to have led to a session: its channel says so, in any case."""
    return pl.col("channel").str.to_lowercase() == DIRECT.lower()


def _host(url: pl.Expr) -> pl.Expr:
    """Host of an address, in lower case, without ``www.``; null for a path alone."""
    return (
        url.str.extract(_HOST, 1)
        .str.to_lowercase()
        .str.strip_chars_end(".")
        .str.strip_prefix("www.")
    )


def _foreign_host(ignored: Sequence[str]) -> pl.Expr:
    """Host of the referrer, unless it is one of the domains that are none, or below one."""
    host = _host(pl.col("referrer"))
    if not ignored:
        return host
    names = "|".join(domain.removeprefix("www.").replace(".", r"\.") for domain in ignored)
    return pl.when(~host.str.contains(rf"^(?:.+\.)?(?:{names})$")).then(host)


def _click_id(url: pl.Expr) -> pl.Expr:
    """The first parameter of an address that is a click id with a value."""
    return url.str.extract(rf"^[^#]*?[?&]({'|'.join(_CLICK_SOURCES)})=[^&#]", 1)


def _with_source(kinds: pl.DataFrame) -> pl.DataFrame:
    """Source and medium: of the parameters, else of a click id, else of the referrer."""
    utm_source, utm_medium = pl.col("utm_source"), pl.col("utm_medium")
    is_tagged = utm_source.is_not_null() | utm_medium.is_not_null()
    is_referred = pl.col("host").is_not_null()
    by_click = pl.col("click_id").replace_strict
    medium_of_site = category_of(pl.col("site")).replace_strict(
        _REFERRED, default=None, return_dtype=pl.String
    )
    named = kinds.with_columns(site=site_of(kinds["host"])).with_columns(
        clicked_source=by_click(_CLICK_SOURCES, default=None, return_dtype=pl.String),
        clicked_medium=by_click(_CLICK_MEDIUMS, default=None, return_dtype=pl.String),
        site_medium=medium_of_site,
    )
    is_clicked, is_site = pl.col("click_id").is_not_null(), pl.col("site_medium").is_not_null()
    return named.with_columns(
        source=pl.when(is_tagged)
        .then(utm_source.fill_null(NOT_SET))
        .when(is_clicked)
        .then("clicked_source")
        .when(is_site)
        .then("site")
        .otherwise(pl.col("host").fill_null(NO_SOURCE)),
        medium=pl.when(is_tagged)
        .then(utm_medium.fill_null(NOT_SET))
        .when(is_clicked)
        .then("clicked_medium")
        .when(is_site)
        .then("site_medium")
        .otherwise(pl.when(is_referred).then(pl.lit("referral")).otherwise(pl.lit(NO_MEDIUM))),
    )


def _with_own_channel(kinds: pl.DataFrame) -> pl.DataFrame:
    """What the rules make of source, medium and campaign."""
    site = site_of(kinds["source"].str.to_lowercase().str.strip_prefix("www."))
    return kinds.with_columns(category=category_of(pl.lit(site))).with_columns(
        own_channel=_channel()
    )


def _channel() -> pl.Expr:
    """GA4's rules in their order: the first that holds names the channel."""
    source = pl.col("source").str.to_lowercase()
    medium = pl.col("medium").str.to_lowercase()
    campaign = pl.col("campaign").str.to_lowercase().fill_null("")

    def is_a(category: str) -> pl.Expr:
        return (pl.col("category") == category).fill_null(False)

    is_paid = medium.str.contains(_PAID)
    is_shopping = is_a(SHOPPING) | campaign.str.contains(_SHOP)
    social = ["social", "social-network", "social-media", "sm", "social network", "social media"]
    push = medium.str.ends_with("push") | medium.str.contains("mobile|notification")
    rules = {
        DIRECT: (source == NO_SOURCE) & medium.is_in([NO_MEDIUM, NOT_SET]),
        "Cross-network": campaign.str.contains("cross-network", literal=True),
        "Paid Shopping": is_shopping & is_paid,
        "Paid Search": is_a(SEARCH) & is_paid,
        "Paid Social": is_a(SOCIAL) & is_paid,
        "Paid Video": is_a(VIDEO) & is_paid,
        "Display": medium.is_in(["display", "banner", "expandable", "interstitial", "cpm"]),
        "Paid Other": is_paid,
        "AI Assistant": medium == "ai-assistant",
        "Organic Shopping": is_shopping,
        "Organic Social": is_a(SOCIAL) | medium.is_in(social),
        "Organic Video": is_a(VIDEO) | medium.str.contains("video", literal=True),
        "Organic Search": is_a(SEARCH) | (medium == "organic"),
        "Referral": medium.is_in(["referral", "app", "link"]),
        "Email": source.is_in(_MAIL) | medium.is_in(_MAIL),
        "Affiliates": medium == "affiliate",
        "Audio": medium == "audio",
        "SMS": (source == "sms") | (medium == "sms"),
        "Mobile Push Notifications": push | (source == "firebase"),
    }
    named = [pl.when(holds).then(pl.lit(channel)) for channel, holds in rules.items()]
    return pl.coalesce(*named, pl.lit("Unassigned"))
