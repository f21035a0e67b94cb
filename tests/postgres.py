"""A PostgreSQL server of a test's own: an unprivileged process on loopback, gone with the test."""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg2
import pytest

# Debian keeps the server's programs out of the path.
_PATH = os.pathsep.join(
    [os.environ.get("PATH", ""), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
)
INITDB, SERVER = (shutil.which(name, path=_PATH) for name in ("initdb", "postgres"))
# Half a minute of work, so it is asked for; whoever asks gets a failure where there is no server.
ASKED_FOR = bool(os.environ.get("TIDEMARK_POSTGRES_TESTS"))
only_if_asked_for = pytest.mark.skipif(not ASKED_FOR, reason="run by make test-postgres")
_START_SECONDS = 30
_USER, _DATABASE = "tidemark", "dagster"


@contextmanager
def postgres() -> Iterator[dict[str, str]]:
    """A server with one database; the environment in which Dagster finds it."""
    assert INITDB and SERVER, "no PostgreSQL server is installed: apt-get install postgresql"  # noqa: PT018
    with tempfile.TemporaryDirectory(prefix="tidemark-postgres-") as folder:
        place = Path(folder)
        who = _unprivileged(place)
        password = place / "password"
        password.write_text(secrets.token_hex(16))
        password.chmod(0o644)
        port = _free_port()
        common = {"cwd": place, "stdout": subprocess.DEVNULL, **who}
        subprocess.run(
            [INITDB, "--pgdata=data", f"--username={_USER}", "--auth=scram-sha-256",
             f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True, **common,
        )  # fmt: skip
        server = subprocess.Popen(
            [SERVER, "-D", "data", "-k", folder, "-c", f"port={port}",
             "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "shared_buffers=32MB"],
            stderr=subprocess.DEVNULL, **common,
        )  # fmt: skip
        try:
            yield _with_database(port, password.read_text(), server)
        finally:
            server.terminate()
            server.wait(timeout=_START_SECONDS)


def connect(environment: dict[str, str]) -> Any:
    """A connection to the database that the environment names."""
    return psycopg2.connect(
        host=environment["TIDEMARK_POSTGRES_HOST"],
        port=environment["TIDEMARK_POSTGRES_PORT"],
        user=environment["TIDEMARK_POSTGRES_USER"],
        password=environment["TIDEMARK_POSTGRES_PASSWORD"],
        dbname=environment["TIDEMARK_POSTGRES_DB"],
    )


def _unprivileged(place: Path) -> dict[str, Any]:
    """Who the server runs as: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    os.chown(place, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _with_database(port: int, password: str, server: "subprocess.Popen[bytes]") -> dict[str, str]:
    environment = {
        "TIDEMARK_POSTGRES_HOST": "127.0.0.1",
        "TIDEMARK_POSTGRES_PORT": str(port),
        "TIDEMARK_POSTGRES_USER": _USER,
        "TIDEMARK_POSTGRES_PASSWORD": password,
        "TIDEMARK_POSTGRES_DB": "postgres",
    }
    connection = _first_connection(environment, server)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {_DATABASE}")
    connection.close()
    return environment | {"TIDEMARK_POSTGRES_DB": _DATABASE}


def _first_connection(environment: dict[str, str], server: "subprocess.Popen[bytes]") -> Any:
    until = time.monotonic() + _START_SECONDS
    while True:
        try:
            return connect(environment)
        except psycopg2.OperationalError:
            assert server.poll() is None, f"the server ended with {server.returncode}"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
