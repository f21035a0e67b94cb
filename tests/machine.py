"""A machine with Dagster on it, started as ``make dev`` does: server, daemon, code location."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import requests
from homes import ROOT

from pipelines.home import Home
from pipelines.orchestration.nightly import JOB
from pipelines.orchestration.prepare import prepare

_PATIENCE_SECONDS = 1800
_UNFINISHED = dg.RunsFilter(
    statuses=[
        dg.DagsterRunStatus.QUEUED,
        dg.DagsterRunStatus.NOT_STARTED,
        dg.DagsterRunStatus.STARTING,
        dg.DagsterRunStatus.STARTED,
        dg.DagsterRunStatus.CANCELING,
    ]
)
_LAUNCH = """mutation($params: LaunchBackfillParams!) {
launchPartitionBackfill(backfillParams: $params) { __typename
... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
_ASSETS = """{ assetNodes { assetKey { path } }
repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"""


def wait_for(what: str, is_so: Callable[[], Any], seconds: float = _PATIENCE_SECONDS) -> Any:
    """Wait until something is so, and return it."""
    ends = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < ends, f"waited {seconds:.0f} seconds for {what}"
        time.sleep(1)
    return found


class Machine:
    """Dagster's processes on loopback, over a home and a storage of their own."""

    def __init__(self, home: Path, dagster_home: Path, **environment: str) -> None:
        self.home, self.dagster_home = home, dagster_home
        self._environment = environment
        self._port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._instance: dg.DagsterInstance | None = None

    @property
    def instance(self) -> dg.DagsterInstance:
        """The storage, which stays when the machine is down."""
        if self._instance is None:
            self._instance = dg.DagsterInstance.from_config(str(self.dagster_home))
        return self._instance

    def start(self) -> None:
        """Start it, and wait until its web server answers."""
        prepare(ROOT, self.dagster_home, Home(self.home))
        names = {"TIDEMARK_HOME": self.home, "DAGSTER_HOME": self.dagster_home}
        command = [str(Path(sys.executable).with_name("dagster")), "dev", "-w", "workspace.yaml"]
        log = (self.dagster_home / "dev.log").open("ab")
        self._process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "-p", str(self._port)],
            cwd=ROOT,
            env={**os.environ, **{k: str(v) for k, v in names.items()}, **self._environment},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        wait_for("the web server", self._answers, 120)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End all of its processes, runs included; by SIGKILL it is a power cut."""
        if self._process:
            os.killpg(self._process.pid, how)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=20)
            # Web server, daemon and runs are of the same group, and may be slower to end.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """An answer of its GraphQL interface, which is what the pages of the browser use."""
        address = f"http://127.0.0.1:{self._port}/graphql"
        answer = requests.post(address, json={"query": query, "variables": variables}, timeout=120)
        said: dict[str, Any] = answer.json()
        assert "errors" not in said, said
        return dict(said["data"])

    def launch_backfill(self, first: date, last: date, *, force: bool) -> str:
        """What the page of the job does for a range of days, all tables; the backfill's id."""
        found = self.ask(_ASSETS)
        place = found["repositoriesOrError"]["nodes"][0]
        days = [str(first + timedelta(days=each)) for each in range((last - first).days + 1)]
        params = {
            "selector": {
                "partitionSetName": f"{JOB}_partition_set",
                "repositorySelector": {
                    "repositoryName": place["name"],
                    "repositoryLocationName": place["location"]["name"],
                },
            },
            "assetSelection": [node["assetKey"] for node in found["assetNodes"]],
            "partitionNames": days,
            "runConfigData": {"resources": {"rebuild": {"config": {"force": force}}}},
        }
        launched = self.ask(_LAUNCH, params=params)["launchPartitionBackfill"]
        return str(launched["backfillId"])

    def runs(self, **tags: str) -> list[dg.RunRecord]:
        """Runs with these tags, the earliest first."""
        return list(reversed(self.instance.get_run_records(dg.RunsFilter(tags=tags))))

    def is_at_work(self) -> bool:
        """Whether any run has not ended."""
        return bool(self.instance.get_runs_count(_UNFINISHED))

    def process_of(self, run_id: str) -> int | None:
        """The process of a run, once it has begun its steps."""
        logs = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_START)
        started = self.instance.all_logs(run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
        said = [entry.user_message or entry.message for entry in started]
        pids = [text.split("(pid: ")[1].split(")")[0] for text in said if "for run (pid: " in text]
        return int(pids[0]) if logs and pids else None

    def steps_done(self, run_id: str) -> int:
        """How many steps of a run have ended well."""
        return len(self.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_SUCCESS))

    def _answers(self) -> bool:
        try:
            return bool(self.ask(_ASSETS)["assetNodes"])
        except (requests.RequestException, AssertionError):
            return False


@contextmanager
def listener() -> Iterator[tuple[str, list[str]]]:
    """A webhook on loopback: its address, and what was posted to it."""
    heard: list[str] = []

    class Hear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.send_response(200)
            self.end_headers()

        def log_message(self, *said: object) -> None:
            """Nothing: the terminal is for the timeline."""

    with HTTPServer(("127.0.0.1", 0), Hear) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", heard
        finally:
            server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
