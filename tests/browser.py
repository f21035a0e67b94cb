"""A real browser for pages: headless Chromium, spoken to by its debugging protocol."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome-headless-shell")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None,
    reason=f"pages are not looked at: there is no browser ({', '.join(NAMES)})",
)
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip
_WAIT = 60


class Tab:
    """One tab.

    ``complaints`` are console errors, exceptions and failed loads of the page that is open.
    """

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._last = 0
        self._seen: set[str] = set()
        self.complaints: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its answer."""
        self._last += 1
        said = {"id": self._last, "method": method, "params": parameters}
        self._connection.send(json.dumps(said))
        while True:
            heard = self._hear()
            if heard.get("id") == self._last:
                assert "error" not in heard, heard
                result: dict[str, Any] = heard["result"]
                return result

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Open a file in a window of that size, and wait until it stands."""
        self.complaints.clear()
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        self._seen.discard("Page.loadEventFired")
        self.ask("Page.navigate", url=page.as_uri())
        while "Page.loadEventFired" not in self._seen:
            self._hear()

    def value(self, expression: str) -> Any:
        """What a JavaScript expression is in the page."""
        answer = self.ask(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def _hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = json.loads(self._connection.recv(timeout=_WAIT))
        method, said = heard.get("method", ""), heard.get("params", {})
        self._seen.add(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(said["request"]["url"])
        is_error = said.get("type") == "error" or said.get("entry", {}).get("level") == "error"
        if method in ("Runtime.exceptionThrown", "Network.loadingFailed") or (
            method in ("Runtime.consoleAPICalled", "Log.entryAdded") and is_error
        ):
            self.complaints.append(json.dumps(said))
        return heard


@contextmanager
def browser(profile: Path) -> Iterator[Tab]:
    """A browser with a new profile, and its one tab; it ends with the block."""
    assert CHROMIUM
    process = subprocess.Popen(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        with connect(_tab_address(process), max_size=None, proxy=None) as connection:
            yield Tab(connection)
    finally:
        process.terminate()
        process.wait(timeout=_WAIT)


def _tab_address(process: "subprocess.Popen[str]") -> str:
    """Chromium says on its error output where it listens; the tab is asked for over that."""
    assert process.stderr
    for line in process.stderr:
        if line.startswith("DevTools listening on "):
            address = line.removeprefix("DevTools listening on ").strip()
            break
    else:
        raise AssertionError("the browser ended without a word")
    with connect(address, proxy=None) as connection:
        connection.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        while (heard := json.loads(connection.recv(timeout=_WAIT))).get("id") != 1:
            pass
    pages = [each for each in heard["result"]["targetInfos"] if each["type"] == "page"]
    return f"{address.split('/devtools/')[0]}/devtools/page/{pages[0]['targetId']}"
