"""What is shipped for servers: nothing listens beyond loopback, and all parts fit together."""

import configparser
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from homes import ROOT

from pipelines.home import PSEUDONYM_KEY
from pipelines.messages import SLACK, WEBHOOK
from pipelines.orchestration.prepare import POSTGRES_HOST

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (DEPLOY / ".env.example").read_text(encoding="utf-8")
DOCUMENTED = set(re.findall(r"^(\w+)=", EXAMPLE, re.MULTILINE))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMMON = DEPLOY / "systemd" / "tidemark-.service.d" / "10-common.conf"
TEXTS = [
    path
    for path in sorted(DEPLOY.rglob("*"))
    if path.is_file() and path.name not in {".env", ".env.example"}
]
LOOPBACK = "127.0.0.1"

services = pytest.mark.parametrize("name", sorted(SERVICES))
units = pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def unit_of(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(interpolation=None, strict=False, comment_prefixes="#")
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string(text(path))
    return parsed


def with_defaults(value: str) -> str:
    """A text of Compose as it is where nothing is set."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


@services
def test_ports_are_open_on_loopback_only(name: str) -> None:
    assert [
        port
        for port in map(with_defaults, SERVICES[name].get("ports", []))
        if not port.startswith(f"{LOOPBACK}:")
    ] == []


def test_nobody_reaches_dagster_from_outside_but_through_the_proxy() -> None:
    open_to = {name: one["ports"] for name, one in SERVICES.items() if "ports" in one}
    assert set(open_to) == {"webserver", "proxy"}
    assert all(port.startswith(f"{LOOPBACK}:") for port in open_to["webserver"])
    assert SERVICES["proxy"]["profiles"] == ["proxy"]
    assert re.search(r"basicauth \{\n.*TIDEMARK_UI_USER", text(DEPLOY / "Caddyfile"))
    hosts = re.findall(r"--host (\S+)", "".join(map(text, UNITS)))
    assert hosts
    assert set(hosts) == {LOOPBACK}


@services
def test_every_service_tells_whether_it_is_well(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[name]["restart"] == "unless-stopped"


@services
def test_images_are_pinned_to_one_version(name: str) -> None:
    image = with_defaults(SERVICES[name]["image"])
    assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", image), image


def test_the_image_is_made_of_a_pinned_one_and_bears_the_version_of_the_project() -> None:
    bases = re.findall(r"^FROM (\S+)|^ARG PYTHON_IMAGE=(\S+)", text(DEPLOY / "Dockerfile"), re.M)
    assert [a or b for a, b in bases] == [
        "python:3.11.14-slim-bookworm",
        "${PYTHON_IMAGE}",
        "${PYTHON_IMAGE}",
    ]
    version = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]["version"]
    assert with_defaults(SERVICES["code"]["image"]) == f"tidemark:{version}"
    assert f"TIDEMARK_VERSION={version}\n" in EXAMPLE


def test_no_process_of_the_image_is_root_or_gains_rights() -> None:
    assert re.search(r"^USER \$\{TIDEMARK_UID\}$", text(DEPLOY / "Dockerfile"), re.MULTILINE)
    for name in ("code", "webserver", "daemon"):
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]


def test_only_the_code_server_sees_the_home() -> None:
    mounts = {
        name: [str(volume) for volume in service.get("volumes", [])]
        for name, service in SERVICES.items()
    }
    assert [name for name in mounts if "/srv/tidemark/home" in "".join(mounts[name])] == ["code"]


def test_what_is_copied_into_the_image_is_there_and_reaches_the_build() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", text(DEPLOY / "Dockerfile"), re.MULTILINE)
    sources = [source for line in copies for source in line.split()]
    assert {"pyproject.toml", "schemas", "dagster.yaml", "deploy/workspace.yaml"} <= set(sources)
    assert [source for source in sources if not (ROOT / source).exists()] == []
    let_in = re.findall(r"^!(\S+)$", text(DEPLOY / "Dockerfile.dockerignore"), re.MULTILINE)
    assert sorted(let_in) == sorted(sources)


def test_every_variable_is_explained_and_none_for_nothing() -> None:
    own = {PSEUDONYM_KEY, WEBHOOK, SLACK, POSTGRES_HOST}
    # What the units and Compose set by themselves.
    given = {"TIDEMARK_CODE_HOST", "TIDEMARK_UI_UPSTREAM"}
    used = {name for path in TEXTS for name in re.findall(r"TIDEMARK_\w+", text(path))} | own
    assert used - given == DOCUMENTED


def test_no_secret_is_shipped() -> None:
    secrets = re.findall(r"^(\w*(?:PASSWORD|KEY|WEBHOOK|HASH))=(.*)$", EXAMPLE, re.MULTILINE)
    assert len(secrets) == 5
    assert {value.strip("'") for _, value in secrets} == {""}


@units
def test_units_start_what_the_project_installs(unit: Path) -> None:
    service = unit_of(unit)["Service"]
    scripts = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]["scripts"]
    installed = {*scripts, "python", "dagster", "dagster-webserver", "dagster-daemon"}
    for name in ("ExecStartPre", "ExecStart"):
        program = service.get(name, "").split(" ")[0]
        if program:
            assert Path(program).parent == Path("/opt/tidemark/current/.venv/bin")
            assert Path(program).name in installed


def test_units_and_containers_run_the_same_commands() -> None:
    by_unit = {
        unit.stem.removeprefix("tidemark-"): unit_of(unit)["Service"]["ExecStart"] for unit in UNITS
    }
    for name in ("code", "webserver", "daemon"):
        command = SERVICES[name]["command"]
        whole = " ".join(command) if isinstance(command, list) else command
        inside = whole.replace("0.0.0.0", LOOPBACK).split("exec ")[-1]
        assert by_unit[name].rsplit("/.venv/bin/", 1)[1] == inside


def test_units_and_containers_prepare_before_anything_else_starts() -> None:
    prepare = "python -m pipelines.orchestration.prepare"
    code = next(unit for unit in UNITS if unit.name == "tidemark-code.service")
    assert unit_of(code)["Service"]["ExecStartPre"].endswith(f"/{prepare}")
    assert SERVICES["code"]["command"][-1].startswith(f"{prepare} && exec ")
    for name in ("webserver", "daemon"):
        assert SERVICES[name]["depends_on"] == {"code": {"condition": "service_healthy"}}
        unit = unit_of(DEPLOY / "systemd" / f"tidemark-{name}.service")["Unit"]
        assert "tidemark-code.service" in unit["After"].split()
        assert "tidemark-code.service" in unit["Wants"].split()


def test_every_unit_is_unprivileged_and_writes_to_the_home_alone() -> None:
    common = unit_of(COMMON)["Service"]
    assert common["User"] == "tidemark"
    assert common["ProtectSystem"] == "strict"
    assert common["ReadWritePaths"] == "/srv/tidemark"
    assert common["NoNewPrivileges"] == "yes"
    assert all(unit.name.startswith("tidemark-") for unit in UNITS)


def test_telemetry_is_off_everywhere() -> None:
    for name in ("code", "webserver", "daemon"):
        assert SERVICES[name]["environment"]["DAGSTER_DISABLE_TELEMETRY"] == "yes"
    assert "Environment=DAGSTER_DISABLE_TELEMETRY=yes" in text(COMMON)


def test_webserver_and_daemon_find_the_code_server_where_it_listens() -> None:
    (entry,) = yaml.safe_load(text(DEPLOY / "workspace.yaml"))["load_from"]
    assert entry["grpc_server"]["host"] == {"env": "TIDEMARK_CODE_HOST"}
    assert SERVICES["daemon"]["environment"]["TIDEMARK_CODE_HOST"] == "code"
    assert "Environment=TIDEMARK_CODE_HOST=127.0.0.1" in text(COMMON)
    port = f"--port {entry['grpc_server']['port']}"
    assert port in SERVICES["code"]["command"][-1]
    assert port in text(DEPLOY / "systemd" / "tidemark-code.service")


@pytest.mark.parametrize("page", ["docs/first-hour.md", "docs/server.md"])
def test_pages_name_what_is_there(page: str) -> None:
    said = text(ROOT / page)
    files = {name.rstrip("/.") for name in re.findall(r"\bdeploy/[\w./-]+", said)}
    assert files
    assert [name for name in sorted(files) if not (ROOT / name).exists()] == []
    shipped = {path.name for path in (DEPLOY / "systemd").iterdir()}
    units = set(re.findall(r"\btidemark-(?:code|webserver|daemon|nightly)\S*\b", said))
    assert units
    assert [name for name in sorted(units) if not {name, f"{name}.service"} & shipped] == []
    variables = set(re.findall(r"\bTIDEMARK_[A-Z_]*[A-Z]\b", said))
    assert variables <= DOCUMENTED
    linked = re.findall(r"\]\(([\w./-]+)\)", said)
    assert [link for link in linked if not (ROOT / "docs" / link).exists()] == []
