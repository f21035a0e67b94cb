"""The README and the pages are true: what they show is done here."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from itertools import chain
from pathlib import Path

import polars as pl
import pytest

from pipelines.commands.settings_page import settings_page
from pipelines.settings import Settings

PROJECT = Path(__file__).parent.parent
SETTINGS = Settings.model_json_schema()["properties"]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
METRIC = "events_per_user_daily"


def test_the_settings_page_is_written_from_the_settings():
    page = (PROJECT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert page == settings_page()


def test_every_link_of_the_readme_leads_somewhere():
    targets = [t for t in re.findall(r"\]\(([^)#]+)\)", README) if not t.startswith("http")]
    assert targets
    assert [target for target in targets if not (PROJECT / target).exists()] == []


@pytest.mark.parametrize("page", ["README.md", "docs/mapping.md"])
def test_the_settings_that_are_shown_can_be_used(page: str):
    blocks = re.findall(
        r"```toml\n(.*?)```", (PROJECT / page).read_text(encoding="utf-8"), re.DOTALL
    )
    assert blocks
    for block in blocks:
        text = textwrap.dedent(block)
        # A line that stands alone is one of a feed's columns.
        is_line = "[" not in text.splitlines()[0] and "=" in text.splitlines()[0]
        table = "[sources.events.columns]\n" if is_line and "timezone" not in text else ""
        Settings(**tomllib.loads(table + text))


def test_the_rules_that_settings_give_as_examples_can_be_used():
    told = {name: spec.get("description", "") for name, spec in SETTINGS.items()}
    shown = {name: re.search(r"\{ .* \}", text) for name, text in told.items()}
    examples = {name: found[0] for name, found in shown.items() if found}
    assert set(examples) == {"excluded_traffic", "retentions"}
    for name, example in examples.items():
        assert getattr(Settings(**tomllib.loads(f"{name} = [{example}]")), name)


def test_every_dependency_has_its_reason_in_the_readme():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    declared = {re.match(r"[a-z-]+", package)[0] for package in packages}
    table = README.split("## What it is made of")[1]
    assert {name for name in declared if name not in table} == set()


def test_a_metric_is_added_in_the_four_steps_of_the_readme(tmp_path):
    checkout = _checkout(tmp_path)
    _follow_the_readme(checkout)
    _land(tmp_path / "home", ["ann", "ann", "ann", "bob"])

    run = _python(checkout, "-m", "pipelines.cli", "--home", str(tmp_path / "home"), "run")
    assert run.returncode == 0, run.stdout + run.stderr
    # Three events of ann and one of bob: 4 / 2 = 2 per user.
    metric = pl.read_parquet(tmp_path / "home" / "bi" / f"{METRIC}.parquet")
    assert metric.drop("event_date").rows() == [(4, 2, 2.0)]

    own_test = _python(checkout, "-m", "pytest", "-q", f"tests/test_{METRIC}.py")
    assert own_test.returncode == 0, own_test.stdout


def _checkout(folder: Path) -> Path:
    """A copy of the project, as a new user would have."""
    checkout = folder / "checkout"
    for name in ("pipelines", "schemas", "transforms"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PROJECT / name, checkout / name, ignore=ignore)
    (checkout / "tests").mkdir()
    return checkout


def _follow_the_readme(checkout: Path) -> None:
    section = README.split("## Add a metric in four steps")[1].split("\n## ")[0]
    steps = re.findall(r"\*\*\d\. .*?`([\w/.]+)`.*?```python\n(.*?)```", section, re.DOTALL)
    assert [path for path, _ in steps] == [
        f"schemas/{METRIC}.py",
        f"transforms/{METRIC}.py",
        f"tests/test_{METRIC}.py",
        "pipelines/registry.py",
    ]
    for path, code in steps[:3]:
        (checkout / path).write_text(code, encoding="utf-8")
    registry = checkout / steps[3][0]
    lines = registry.read_text(encoding="utf-8").replace(
        "\n)\n# fmt: on", f"\n{steps[3][1]})\n# fmt: on"
    )
    registry.write_text(lines, encoding="utf-8")


def _land(home: Path, people: list[str]) -> None:
    folder = home / "landing" / "events" / "2025-03-31"
    folder.mkdir(parents=True)
    rows = [
        {"event_name": "click", "event_ts": f"2025-03-31T08:00:0{at}Z", "user_id": person}
        for at, person in enumerate(people)
    ]
    (folder / "events.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows))


def _python(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=checkout, env=environment, capture_output=True, text=True
    )
