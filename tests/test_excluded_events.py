"""Which events are left out, and by which rule."""

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from frames import assert_rows, at, day, frame

from pipelines.errors import TidemarkError
from pipelines.references import REFERENCES
from pipelines.settings import Settings, load_settings
from schemas.duplicate_events import DuplicateEvents
from schemas.excluded_events import ExcludedEvents
from schemas.landed_events import LandedEvents
from schemas.staff import Staff
from transforms.excluded_events import excluded_events

TODAY = day("2025-03-01")
WHERE = {"event_date": TODAY, "landing_date": TODAY, "file": "f.csv"}
PATTERNS = pl.DataFrame({"pattern": ["Bot/", "^curl"], "is_literal": [True, False]})
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36"


def landed(line: int, **more: object) -> dict[str, object]:
    return {
        "event_id": f"e{line}",
        "event_name": "page_view",
        "event_ts": at("2025-03-01 12:00"),
        "user_id": "ann",
        "received_ts": at("2025-03-01 12:00"),
        "line": line,
        **WHERE,
        **more,
    }


def traffic(**rule: Any) -> list[dict[str, Any]]:
    """Rules as the settings hand them over."""
    return Settings(excluded_traffic=[{"name": "test", **rule}]).model_dump()["excluded_traffic"]


def left_out(
    *rows: dict[str, object],
    twins: Sequence[int] = (),
    staff: Sequence[str] = (),
    exclude_bots: bool = True,
    rules: Sequence[dict[str, Any]] = (),
) -> pl.LazyFrame:
    return excluded_events(
        frame(LandedEvents, rows),
        frame(DuplicateEvents, [{**WHERE, "line": line, "event_id": "e"} for line in twins]),
        frame(Staff, [{"staff_id": each} for each in staff]),
        exclude_bots=exclude_bots,
        excluded_traffic=rules,
        crawler_patterns=PATTERNS,
    )


def told(*rows: dict[str, object], **options: Any) -> dict[int, str]:
    return dict(left_out(*rows, **options).collect().select("line", "rule").rows())


def test_a_flagged_event_is_left_out_with_what_it_takes_to_find_it_again() -> None:
    rows = [landed(1, is_bot=True, anonymous_id="x"), landed(2, is_bot=False), landed(3)]
    assert_rows(
        left_out(*rows),
        ExcludedEvents,
        [
            {
                **WHERE,
                "line": 1,
                "item": 1,
                "rule": "flag",
                "event_id": "e1",
                "event_ts": at("2025-03-01 12:00"),
                "user_id": "ann",
                "anonymous_id": "x",
            }
        ],
    )


def test_user_agents_are_judged_by_text_and_by_expression() -> None:
    agents = ["Tide Bot/1.0", "curl/8.1", "my curl/8.1", "tide bot/1.0", BROWSER, "", None]
    rows = [landed(line, user_agent=agent) for line, agent in enumerate(agents, 1)]
    assert told(*rows) == {1: "user_agent", 2: "user_agent"}


def test_machines_are_kept_where_the_setting_says_so_and_staff_is_not() -> None:
    rows = [landed(1, is_bot=True), landed(2, user_agent="Bot/1"), landed(3, user_id="bob")]
    assert told(*rows, staff=["bob"], exclude_bots=False) == {3: "staff"}


def test_events_that_name_a_user_of_staff_are_left_out() -> None:
    rows = [
        landed(1, user_id="bob"),
        landed(2, user_id="ann"),
        landed(3, user_id=None, anonymous_id="bob"),
    ]
    assert told(*rows, staff=["bob", "c7"]) == {1: "staff"}


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ({"equals": "qa"}, [1]),
        ({"equals": ["qa", "QA lab"]}, [1, 2]),
        ({"contains": "qa."}, [3]),
        ({"matches": "qa."}, [3, 4]),
        ({"matches": "(?i)^qa"}, [1, 2, 3]),
    ],
)
def test_a_rule_looks_at_the_text_of_a_column(rule: dict[str, Any], lines: list[int]) -> None:
    texts = ["qa", "QA lab", "qa.example", "web qax", None]
    rows = [landed(line, platform=text) for line, text in enumerate(texts, 1)]
    found = told(*rows, rules=traffic(column="platform", **rule))
    assert found == dict.fromkeys(lines, "test")


def test_of_several_rules_the_first_is_told() -> None:
    every = {"is_bot": True, "user_agent": "Bot/1", "user_id": "bob", "platform": "qa"}
    rows = [
        landed(1, **every),
        landed(2, **every | {"is_bot": False}),
        landed(3, **every | {"is_bot": None, "user_agent": None}),
        landed(4, **every | {"is_bot": None, "user_agent": None, "user_id": "ann"}),
    ]
    again = traffic(column="platform", equals="qa", name="second")
    rules = traffic(column="platform", contains="q", name="first") + again
    found = told(*rows, staff=["bob"], rules=rules)
    assert found == {1: "flag", 2: "user_agent", 3: "staff", 4: "first"}


def test_a_duplicate_is_counted_as_one_and_not_here() -> None:
    assert told(landed(1, is_bot=True), landed(2, is_bot=True), twins=[2]) == {1: "flag"}


def test_the_list_of_crawlers_knows_the_known_ones_and_no_browser() -> None:
    patterns = REFERENCES["crawler_patterns"].load()
    # The list holds some 1,500 expressions; nearly all are plain texts.
    assert patterns["is_literal"].sum() > 1_400
    agents = [
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "curl/8.5.0",
        BROWSER,
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1",
    ]
    rows = [landed(line, user_agent=agent) for line, agent in enumerate(agents, 1)]
    table = excluded_events(
        frame(LandedEvents, rows),
        frame(DuplicateEvents),
        frame(Staff),
        exclude_bots=True,
        excluded_traffic=[],
        crawler_patterns=patterns,
    )
    assert sorted(table.collect()["line"].to_list()) == [1, 2, 3]


def test_the_list_means_what_its_library_means() -> None:
    import crawleruseragents

    patterns = REFERENCES["crawler_patterns"].load()
    known = crawleruseragents.CRAWLER_USER_AGENTS_DATA
    agents = sorted({text for each in known for text in each.get("instances", [])[:1]})
    others = [text.lower() for text in agents] + [BROWSER, "x"]
    rows = [landed(line, user_agent=text) for line, text in enumerate(agents + others, 1)]
    table = excluded_events(
        frame(LandedEvents, rows),
        frame(DuplicateEvents),
        frame(Staff),
        exclude_bots=True,
        excluded_traffic=[],
        crawler_patterns=patterns,
    )
    expected = [row["line"] for row in rows if crawleruseragents.is_crawler(str(row["user_agent"]))]
    assert len(expected) > len(agents) * 0.9
    assert sorted(table.collect()["line"].to_list()) == expected


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('column = "platfrom"\nequals = "qa"', "did you mean 'platform'?"),
        ('column = "value"\nequals = "1"', "events have no text column 'value'"),
        ('column = "platform"', "give exactly one of equals, contains, matches: none is given"),
        (
            'column = "platform"\nequals = "a"\ncontains = "b"',
            "give exactly one of equals, contains, matches: equals, contains are given",
        ),
        ('column = "platform"\nmatches = "qa("', "is no regular expression"),
        ('column = "platform"\nequals = "a"\nname = "staff"', "'staff' is a built-in rule"),
        ('column = "platform"\nequalz = "a"', "did you mean equals?"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused_when_settings_load(
    tmp_path: Any, rule: str, said: str
) -> None:
    name = "" if "name" in rule else 'name = "test"\n'
    path = tmp_path / "tidemark.toml"
    path.write_text(f"[[excluded_traffic]]\n{name}{rule}\n", encoding="utf-8")
    with pytest.raises(TidemarkError) as caught:
        load_settings(path)
    assert said in str(caught.value)
    assert "excluded_traffic" in str(caught.value)


def test_two_rules_of_one_name_are_refused() -> None:
    rule = {"name": "test", "column": "platform", "equals": "qa"}
    with pytest.raises(ValueError, match="two definitions have one name"):
        Settings(excluded_traffic=[rule, rule])
