"""Which sites are search engines, social networks, video sites, shops and AI assistants.

A compact list, as of November 2026: larger sites of the source categories that Google publishes
beside GA4's default channel group (support.google.com/analytics/answer/9756891), as the package
dbt-ga4 carries them; some that these lack, such as Threads, Bluesky and Startpage; and the
assistants that GA4's channel AI Assistant is reported to know. No rule about channels stands here.

A site has a name and what it is recognised by, which is a host without ``www.`` or a usual value of
utm_source: ``google.*`` is google under the ending of any country, ``*.bing.com`` is bing.com and
everything below it. What is not listed below a host is another site: mail.google.com is no search.
"""

import polars as pl

SEARCH, SOCIAL, VIDEO, SHOPPING, ASSISTANT = "search", "social", "video", "shopping", "assistant"

_SITES = {
    SEARCH: {
        "google": "google.* encrypted.google.com images.google.* cse.google.com "
        "com.google.android.googlequicksearchbox",
        "bing": "*.bing.com",
        "yahoo": "yahoo.* *.search.yahoo.* *.search.yahoo.co.jp",
        "duckduckgo": "*.duckduckgo.com ddg",
        "yandex": "yandex.* images.yandex.* ya.ru",
        "baidu": "baidu.com m.baidu.com image.baidu.com",
        "ecosia": "*.ecosia.org",
        "qwant": "*.qwant.com",
        "startpage": "*.startpage.com",
        "brave": "search.brave.com",
        "ask": "ask.com",
        "aol": "*.search.aol.com search.aol.co.uk suche.aol.de",
        "msn": "msn.com ntp.msn.com",
        "naver": "naver.com m.naver.com *.search.naver.com",
        "daum": "daum.net *.search.daum.net",
        "seznam": "seznam.cz search.seznam.cz",
        "sogou": "*.sogou.com",
        "360.cn": "*.so.com",
        "rambler": "rambler.ru nova.rambler.ru",
        "mail.ru": "go.mail.ru",
        "lycos": "*.lycos.com",
        "dogpile": "*.dogpile.com",
        "onet": "onet.pl",
    },
    SOCIAL: {
        "facebook": "*.facebook.com fb fb.me fb.com meta com.facebook.katana",
        "instagram": "*.instagram.com ig com.instagram.android",
        "messenger": "*.messenger.com m.me",
        "threads": "*.threads.net *.threads.com",
        "twitter": "*.twitter.com *.x.com t.co x com.twitter.android",
        "linkedin": "*.linkedin.com lnkd.in com.linkedin.android",
        "reddit": "*.reddit.com com.reddit.frontpage",
        "pinterest": "*.pinterest.* pin.it com.pinterest",
        "tiktok": "*.tiktok.com",
        "snapchat": "*.snapchat.com",
        "whatsapp": "*.whatsapp.com wa.me",
        "telegram": "*.telegram.org t.me telegram.me",
        "wechat": "*.wechat.com",
        "weibo": "*.weibo.com *.weibo.cn",
        "vk": "*.vk.com vkontakte.ru",
        "odnoklassniki": "odnoklassniki.ru ok.ru",
        "line": "*.line.me",
        "kakao": "*.kakao.com",
        "xing": "*.xing.com",
        "quora": "*.quora.com",
        "tumblr": "*.tumblr.com",
        "discord": "*.discord.com",
        "mastodon": "mastodon.social",
        "bluesky": "bsky.app go.bsky.app",
        "flickr": "*.flickr.com",
        "foursquare": "*.foursquare.com",
        "goodreads": "*.goodreads.com",
        "hackernews": "news.ycombinator.com",
        "stackoverflow": "*.stackoverflow.com",
        "stackexchange": "*.stackexchange.com superuser.com serverfault.com askubuntu.com",
        "medium": "*.medium.com",
        "blogger": "*.blogger.com *.blogspot.* blogspot",
        "wordpress": "*.wordpress.com",
        "livejournal": "*.livejournal.com",
        "slashdot": "*.slashdot.org",
        "digg": "*.digg.com",
        "meetup": "*.meetup.com",
        "yelp": "*.yelp.com yelp.co.uk",
        "tripadvisor": "*.tripadvisor.com",
    },
    VIDEO: {
        "youtube": "*.youtube.com youtu.be com.google.android.youtube",
        "vimeo": "*.vimeo.com",
        "twitch": "*.twitch.tv",
        "dailymotion": "*.dailymotion.com",
        "netflix": "*.netflix.com",
        "hulu": "*.hulu.com",
        "disneyplus": "*.disneyplus.com",
        "iqiyi": "*.iqiyi.com *.iq.com",
        "youku": "*.youku.com",
        "ted": "*.ted.com",
        "wistia": "*.wistia.com *.wistia.net",
    },
    SHOPPING: {
        "google shopping": "shopping.google.com",
        "amazon": "amazon.* smile.amazon.com",
        "ebay": "ebay.*",
        "etsy": "*.etsy.com",
        "alibaba": "*.alibaba.com",
        "aliexpress": "*.aliexpress.com",
        "walmart": "*.walmart.com",
        "shopify": "*.shopify.com shop.app",
        "mercadolibre": "*.mercadolibre.com *.mercadolibre.com.ar *.mercadolibre.com.mx",
        "shopzilla": "*.shopzilla.com",
        "igshopping": "",
    },
    ASSISTANT: {
        "chatgpt": "*.chatgpt.com chat.openai.com",
        "gemini": "gemini.google.com bard.google.com",
        "claude": "claude.ai",
        "copilot": "copilot.microsoft.com",
        "grok": "grok.com",
        "deepseek": "chat.deepseek.com",
    },
}
_ANY_COUNTRY, _AND_BELOW = "*", "*."
_NAMES = {
    form: name
    for category in _SITES.values()
    for name, forms in category.items()
    for form in (name, *forms.split())
}
_CATEGORIES = {name: category for category, sites in _SITES.items() for name in sites}


def site_of(sources: pl.Series) -> pl.Series:
    """Names of the sites that hosts or utm_sources, in lower case, stand for; null for others."""
    names = {source: _site(source) for source in sources.unique() if source is not None}
    return sources.replace_strict(names, default=None, return_dtype=pl.String)


def category_of(site: pl.Expr) -> pl.Expr:
    """What a site is, by the name that :func:`site_of` gives; null for none."""
    return site.replace_strict(_CATEGORIES, default=None, return_dtype=pl.String)


def _site(source: str) -> str | None:
    labels = source.split(".")
    forms = [".".join(form) for form in (labels, *_of_any_country(labels))]
    below = [
        _AND_BELOW + ".".join(form[place:])
        for place in range(len(labels))
        for form in (labels, *_of_any_country(labels))
        if form[place:]
    ]
    return next((_NAMES[form] for form in (*forms, *below) if form in _NAMES), None)


def _of_any_country(labels: list[str]) -> list[list[str]]:
    """The name with a star for its ending, which is that of a country: de, com, co.uk, com.au."""
    last = labels[-1]
    if len(labels) < 2 or len(last) not in (2, 3) or not (last.isascii() and last.isalpha()):
        return []
    endings = [1, 2] if len(labels) > 2 and labels[-2] in ("co", "com") else [1]
    return [[*labels[:-ending], _ANY_COUNTRY] for ending in endings]
