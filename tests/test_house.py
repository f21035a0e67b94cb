"""Rules of the house, enforced by a machine: which way imports run, what a table is made of."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import ROOT

from pipelines import registry
from pipelines.references import REFERENCES
from pipelines.settings import Settings
from pipelines.warehouse.specs import SourceTables, Spec
from schemas.base import Table, dtypes, promise_of
from schemas.quarantine import Quarantine
from schemas.receipts import Receipts

LAYERS = ("schemas", "transforms", "pipelines")
CODE = sorted(path for layer in LAYERS for path in (ROOT / layer).rglob("*.py"))
TEXTS = sorted(
    path
    for folder in (*LAYERS, "tests", "docs", "benchmarks", ".ci")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".toml", ".sql", ".yaml", ".txt", ""} and path.is_file()
) + sorted(path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".yaml", ".txt"})
# What a pure function may lean on.
PURE = {"collections.abc", "dataclasses", "datetime", "functools", "itertools", "math", "typing"}
# Arrays and special functions for maximum likelihood, which expressions cannot do.
NUMERIC = {"numpy", "numpy.typing", "scipy.optimize", "scipy.special"}
# Regression, imported where it is used: it takes as long to import as all the rest.
REGRESSION = {"sklearn.linear_model", "threadpoolctl"}
WORLD = re.compile(r"^(read|scan|sink|write)_|^(now|today|utcnow|open|print|input|collect|fetch)$")
# Goes over its input twice, so that what it holds are hashes: one plan would hold the rows.
TWICE = {("duplicate_events", "collect")}

code = pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
tables = pytest.mark.parametrize("spec", registry.TABLES, ids=lambda spec: spec.name)
MODELS: list[type[Table]] = [
    *(spec.model for spec in registry.TABLES),
    *(source.contract for source in registry.SOURCES.values()),
    *(source.landed for source in registry.SOURCES.values()),
    Quarantine,
    Receipts,
]


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Modules that a file imports, wherever in it."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""


@code
def test_imports_run_one_way(path: Path) -> None:
    layer = LAYERS.index(path.relative_to(ROOT).parts[0])
    below = {name.split(".")[0] for name in imports(path)} & set(LAYERS)
    assert below <= set(LAYERS[: layer + 1])


@pytest.mark.parametrize("path", sorted((ROOT / "transforms").glob("*.py")), ids=lambda p: p.stem)
def test_transforms_touch_nothing_of_the_world(path: Path) -> None:
    foreign = {
        name
        for name in imports(path)
        if name not in PURE | NUMERIC | REGRESSION
        and name.split(".")[0] not in {"polars", "schemas", "transforms"}
    }
    assert not foreign
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            function = node.func
            name = getattr(function, "attr", None) or getattr(function, "id", "")
            is_allowed = (path.stem, name) in TWICE or not WORLD.search(name)
            assert is_allowed, f"line {node.lineno} calls {name}"


@pytest.mark.parametrize("path", sorted((ROOT / "schemas").glob("*.py")), ids=lambda p: p.stem)
def test_schemas_lean_on_polars_and_pandera_alone(path: Path) -> None:
    foreign = {
        name
        for name in imports(path)
        if name not in PURE and name.split(".")[0] not in {"polars", "pandera", "schemas"}
    }
    assert not foreign


def test_nothing_but_dagster_s_own_modules_imports_dagster() -> None:
    """So that the command line works, and quickly, without it."""
    users = [
        path for path in CODE if any(name.split(".")[0] == "dagster" for name in imports(path))
    ]
    allowed = (ROOT / "pipelines" / "orchestration", ROOT / "pipelines" / "definitions.py")
    assert [path for path in users if not any(path.is_relative_to(each) for each in allowed)] == []


@tables
def test_a_table_is_four_things_of_one_name(spec: Spec) -> None:
    for place in ("schemas", "transforms", "tests"):
        name = f"test_{spec.name}.py" if place == "tests" else f"{spec.name}.py"
        assert (ROOT / place / name).exists()
    assert spec.model.__name__.lower() == spec.name.replace("_", "")
    assert spec.transform.__name__ == spec.name
    lines = (ROOT / "pipelines" / "registry.py").read_text(encoding="utf-8").splitlines()
    assert sum(line.strip().startswith(f'Spec("{spec.name}"') for line in lines) == 1


@tables
def test_the_parameters_of_a_transform_are_its_upstream_tables(spec: Spec) -> None:
    parameters = inspect.signature(spec.transform).parameters.values()
    read = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    # The ledger reads every source, and takes its tables by name.
    if not any(p.kind is p.VAR_KEYWORD for p in parameters):
        assert read == list(spec.reads)
    options = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
    assert options <= set(Settings.model_fields) | {"data_through", *REFERENCES}


@tables
def test_a_table_is_registered_after_what_it_is_made_from(spec: Spec) -> None:
    known = {name for source in registry.SOURCES for name in SourceTables(source).names}
    known |= {each.name for each in registry.TABLES[: registry.TABLES.index(spec)]}
    assert set(spec.reads) - {spec.name} <= known


@tables
def test_every_transform_says_what_it_gives(spec: Spec) -> None:
    assert len((spec.transform.__doc__ or "").split()) > 5


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_column_is_described_by_more_than_its_name(model: type[Table]) -> None:
    assert (model.__doc__ or "").strip()
    assert promise_of(model).grain.startswith("one row per ")
    for name, column in model.to_schema().columns.items():
        words = re.findall(r"[a-z]+", (column.description or "").lower())
        assert set(words) - set(name.split("_")), name
    assert set(promise_of(model).key) <= set(dtypes(model))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_counts_and_shares_say_their_units(model: type[Table]) -> None:
    for name, column in model.to_schema().columns.items():
        said = column.metadata or {}
        if name.endswith("_rate") or name in {"stickiness"}:
            assert said.get("unit") == "fraction", name
            assert said.get("formula"), name
        if name.endswith(("_users", "_rows", "_events")) and not name.startswith("is_"):
            assert said.get("unit"), name


@code
def test_rooms_are_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 350
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@code
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_only_one_place_says_what_a_file_of_the_warehouse_is_called() -> None:
    """Slices, files, staleness and publication are the plumbing's affair: no table repeats them."""
    for path in (*(ROOT / "schemas").glob("*.py"), *(ROOT / "transforms").glob("*.py")):
        text = path.read_text(encoding="utf-8")
        assert ".parquet" not in text, path
        assert "manifest" not in text, path


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a path of somebody's machine", r"(?<![\w.])/(?:root|Users|work|home/[a-z]+)/\w"),
        ("a host of packages", r"https?://[^\s\"')]*(?:/simple\b|pypi|index\.)"),
        ("work left to do", r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
        ("a number of a ticket", r"\b[Ii]ssue #?\d+\b(?<!14332)"),
    ],
)
def test_texts_are_free_of(what: str, pattern: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in TEXTS
        for match in re.finditer(pattern, path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not found, f"{what} in {found}"
