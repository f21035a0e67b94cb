"""Wrong settings: the key at fault, what was found, and what is allowed."""

from pathlib import Path

import pytest
from homes import command, event, make_home

from pipelines.errors import TidemarkError
from pipelines.settings import Settings, load_settings


def fault(folder: Path, text: str) -> str:
    """What is said of a settings file."""
    (folder / "tidemark.toml").write_text(text, encoding="utf-8")
    with pytest.raises(TidemarkError) as told:
        load_settings(folder / "tidemark.toml")
    message = str(told.value)
    assert str(folder / "tidemark.toml") in message
    return message


def test_without_a_file_or_with_an_empty_one_every_default_holds(folder: Path) -> None:
    assert load_settings(folder / "tidemark.toml") == Settings()
    (folder / "tidemark.toml").write_text("")
    assert load_settings(folder / "tidemark.toml") == Settings()


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = Settings()
    assert (settings.timezone, settings.week_start) == ("UTC", "monday")
    assert (settings.mau_window_days, settings.wau_window_days) == (28, 7)
    assert (settings.duplicate_days, settings.stitch_days) == (7, 30)
    assert settings.dimensions == ["platform", "country", "channel", "plan"]
    assert settings.retention_periods == (90, 52, 36)
    assert (settings.landing_lag_days, settings.refused_rows_limit) == (0, 0.05)
    assert settings.identical_rows == "keep"


def test_a_funnel_s_step_may_be_the_name_of_an_event(folder: Path) -> None:
    text = '[[funnels]]\nname = "a"\nsteps = ["b", { name = "c", events = ["d", "e"] }]\n'
    (folder / "tidemark.toml").write_text(text, encoding="utf-8")
    (funnel,) = load_settings(folder / "tidemark.toml").funnels
    assert [(step.name, step.events) for step in funnel.steps] == [("b", ["b"]), ("c", ["d", "e"])]
    assert funnel.window_hours == 168


def test_every_setting_says_what_it_means() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


@pytest.mark.parametrize(
    ("text", "key", "allowed"),
    [
        ('timezones = "UTC"', "timezones", "did you mean timezone?"),
        ("colour = 1", "colour", "there are: active_events, "),
        ('timezone = "Europe/Berln"', "timezone", "did you mean 'Europe/Berlin'?"),
        ('timezone = "CEST"', "timezone", "IANA"),
        ("timezone = 1", "timezone", "string"),
        ('week_start = "Mon"', "week_start", "'monday', 'tuesday'"),
        ("mau_window_days = 0", "mau_window_days", "greater than or equal to 1"),
        ("wau_window_days = 32", "wau_window_days", "less than or equal to 31"),
        ('stitch_days = "many"', "stitch_days", "integer"),
        ("refused_rows_limit = 5", "refused_rows_limit", "less than or equal to 1"),
        ('dimensions = ["shoe_size"]', "dimensions.0", "'platform', 'country'"),
        ('dimensions = ["plan", "plan"]', "dimensions", "twice"),
        ('identical_rows = "merge"', "identical_rows", "'keep' or 'drop'"),
        ('active_events = "click"', "active_events", "list"),
        ("retention_periods = [1, 2]", "retention_periods.2", "required"),
        ("retention_periods = [0, 1, 1]", "retention_periods.0", "greater than or equal to 1"),
        ("retention_periods = {days = 1}", "retention_periods", "days, weeks and months"),
        ('[[retentions]]\nname = "activity"', "retentions.0.name", "built-in"),
        ('[[retentions]]\nnames = "a"', "retentions.0.names", "did you mean name?"),
        ('[[retentions]]\nentry = "recurring"', "retentions.0.name", "required"),
        ('[[retentions]]\nname = "a"\nentry = "once"', "retentions.0.entry", "'first_time'"),
        ('[[retentions]]\nname = "a"\n[[retentions]]\nname = "a"', "retentions", "one name: a"),
        ('[[funnels]]\nname = "a"\nsteps = ["b"]', "funnels.0.steps", "at least 2 items"),
        ('[[funnels]]\nname = "a"\nsteps = ["b", {}]', "funnels.0.steps.1.name", "required"),
        (
            '[[funnels]]\nname = "a"\nsteps = ["b", "c"]\nwindow_hours = 0',
            "funnels.0.window_hours",
            "greater than or equal to 1",
        ),
        (
            '[[funnels]]\nname = "a"\nsteps = ["b", { name = "c", event = ["d"] }]',
            "funnels.0.steps.1.event",
            "did you mean events?",
        ),
        (
            '[[funnels]]\nname = "a"\nsteps = ["b", "c"]\n' * 2,
            "funnels",
            "one name: a, a",
        ),
        ("[benchmarks.npss]\nlow = 1", "benchmarks", "did you mean 'nps'?"),
        ("[benchmarks.nps]\nlow = 2\nhigh = 1", "benchmarks.nps", "low 2 lies above high 1"),
        ("[benchmarks.nps]\nlow = nan", "benchmarks.nps.low", "finite"),
        ("[benchmarks.nps]\nlevels = {a = 1, b = 1}", "benchmarks.nps", "two levels"),
        ('[paths]\nlandings = "x"', "paths.landings", "did you mean landing?"),
        ('[sources.event]\npath = "*"', "sources", "there is no source 'event'; there are: events"),
        ('[sources.events]\nformat = "xml"', "sources.events.0.format", "'csv', 'ndjson'"),
        ('[sources.events]\ncolumns.user = "uid"', "sources", "columns.user"),
        ("[sources.events]\nxyz = 1", "sources.events.0.xyz", "there are: columns, decimal"),
        (
            "[sources.events]\nfilters = [{col = 1}]",
            "sources.events.0.filters.0.col",
            "column?",
        ),
        ('[sources.events]\nencoding = "klingon"', "sources.events.0.encoding", "klingon"),
    ],
)
def test_a_wrong_setting_names_its_key_and_what_is_allowed(
    folder: Path, text: str, key: str, allowed: str
) -> None:
    message = fault(folder, text)
    assert f"  {key}: " in message
    assert allowed in message


def test_a_benchmark_takes_the_place_of_its_own_default_and_of_no_other(folder: Path) -> None:
    (folder / "tidemark.toml").write_text("[benchmarks.nps]\nlow = 30\n[benchmarks.csat_1_7]\n")
    benchmarks = load_settings(folder / "tidemark.toml").benchmarks
    assert (benchmarks["nps"].low, benchmarks["nps"].levels) == (30, {})
    assert benchmarks["churn_rate"] == Settings().benchmarks["churn_rate"]
    assert benchmarks["csat_1_7"].low is None


def test_all_wrong_settings_are_told_at_once(folder: Path) -> None:
    message = fault(folder, 'colour = 1\nweek_start = "never"\nstitch_days = 0\n')
    assert len(message.splitlines()) == 4


def test_what_is_no_toml_names_the_line(folder: Path) -> None:
    assert "line 2" in fault(folder, 'timezone = "UTC"\nweek_start = \n')
    (folder / "tidemark.toml").write_bytes(b'timezone = "\xff"')
    with pytest.raises(TidemarkError, match="not valid TOML"):
        load_settings(folder / "tidemark.toml")


def test_a_wrong_setting_stops_a_command_before_it_touches_anything(folder: Path) -> None:
    home = make_home(
        folder / "home", 'timezone = "Mars"', {"2025-01-01": [event("a", "2025-01-01T00:00:00")]}
    )
    for name in ("run", "status", "verify"):
        outcome = command(home, name)
        assert outcome.status == 1
        assert "timezone: 'Mars' is no IANA time zone" in outcome.err
        assert "Traceback" not in outcome.err
    assert not (home / "warehouse").exists()


def test_the_environment_changes_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("timezone", "Asia/Tokyo")
    assert Settings().timezone == "UTC"
