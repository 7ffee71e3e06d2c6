"""A small installation that runs, and a browser that looks at its page: for the tests of the page and its pictures."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sysconfig
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, sync_playwright
from servers import Unavailable

VISABUS = Path(sysconfig.get_path("scripts")) / "visabus"
SCOPES = (
    "operations:read",
    "records:read",
    "operations:write",
    "status:read",
    "timeline:read",
    "confidential:read",  # a record of I-94 that was refused may be confidential by law
)
PURPOSES = ("overstay-review", "audit")
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")
REASON = "is no moment"
RECORD_BYTES, EVENT_DATE = 250, slice(167, 175)  # of the I-94 nightly file's record
_NOISE = {"twins": 0.2, "nothing_shared": 0.3, "misspelt": 0.3, "other_passport": 0.3, "day_and_month": 0.2}
_START_SECONDS = 60.0
_DIRECT = build_opener(ProxyHandler({}))  # loopback is asked without a proxy of the environment


@dataclass(frozen=True)
class Spoilt:
    """The departure whose day was overwritten in its file."""

    file: str
    record: str  # its transaction number, the key
    number: str  # the I-94 number of the stay that it ends
    day: str  # as it was


@dataclass
class Installation:
    """A data directory with everything read and resolved, and what runs over it."""

    directory: Path
    port: int
    spoilt: Spoilt  # the one that is read first, and the other
    second: Spoilt
    environment: dict[str, str]
    tokens: dict[tuple[str, ...], str] = field(default_factory=dict)
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://127.0.0.1:{self.port}/console/"

    def visabus(self, *arguments: str) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run([VISABUS, *arguments], capture_output=True, text=True, timeout=240, env=self.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self, *scopes: str) -> str:
        """A token with these scopes, or with all that the page can use."""
        if scopes not in self.tokens:
            asked = [part for scope in scopes or SCOPES for part in ("--scope", scope)]
            asked += [part for purpose in PURPOSES for part in ("--purpose", purpose)]
            self.tokens[scopes] = self.visabus("token", *asked, "--subject", "operator").strip().splitlines()[-1]
        return self.tokens[scopes]

    def audited(self) -> list[tuple[str, str]]:
        """What was done and why, as the audit log has it."""
        with closing(sqlite3.connect(self.directory / "data" / "audit.db")) as log:
            return log.execute("SELECT verb, reason FROM audit WHERE subject = 'operator'").fetchall()

    def start(self, name: str, *arguments: str) -> None:
        """Start a process that runs until the end."""
        with (self.directory / f"{name}.log").open("wb") as log:
            child = subprocess.Popen([VISABUS, *arguments], stdout=log, stderr=log, env=self.environment)
        self.children.append(child)

    def wait(self) -> None:
        """Wait until the page is served."""
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                _DIRECT.open(self.address, timeout=5).close()
                return
            except OSError:
                assert time.monotonic() < until, (self.directory / "serve.log").read_text()
                time.sleep(0.1)

    def stop(self) -> None:
        """End what was started."""
        for child in self.children:
            child.terminate()
        for child in self.children:
            child.wait(60)


@contextmanager
def installation(
    directory: Path,
    persons: int = 150,
    systems: Sequence[str] = ("I94", "CLAIMS3"),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Installation]:
    """Simulate, spoil two departures, read, resolve, and serve until the end of the context."""
    directory.mkdir(parents=True, exist_ok=True)
    population, data = directory / "population", directory / "data"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VISABUS_")} | {
        "VISABUS_DATA_DIR": str(data),
        "VISABUS_BUS_URL": f"embedded://{data}/bus.db",
        "VISABUS_STORE_URL": f"sqlite+aiosqlite:///{data}/store.db",
        "VISABUS_AUDIT_URL": f"sqlite+aiosqlite:///{data}/audit.db",
        "COLUMNS": "200",
        "NO_COLOR": "1",
        **(settings or {}),
    }
    nothing = Spoilt("", "", "", "")
    opened = Installation(directory, _free_port(), nothing, nothing, environment)
    rates = [part for kind, share in _NOISE.items() for part in ("--rate", f"{kind}={share}")]
    asked = ("--persons", str(persons), "--seed", "7", "--years", "1", "--systems", ",".join(systems))
    opened.visabus("simulate", str(population), *asked, *rates)
    opened.spoilt, opened.second = spoil(population)
    environment["VISABUS_FEEDS"] = json.dumps(_feeds(population, systems))
    opened.visabus("ingest", "--once", "--stamp", "recorded")
    opened.visabus("correlate", "--once")
    try:
        opened.start("correlate", "correlate")
        opened.start("serve", "serve", "--console", "--host", "127.0.0.1", "--port", str(opened.port))
        opened.wait()
        yield opened
    finally:
        opened.stop()


def _feeds(population: Path, systems: Sequence[str]) -> dict[str, Any]:
    from services.simulator import sources

    known = sources()
    feeds: dict[str, Any] = {}
    for system in systems:
        feeds |= known[system].feeds(population / known[system].place)
    return feeds


def spoil(population: Path) -> tuple[Spoilt, Spoilt]:
    """Overwrite the month of two departures, in the order in which they are read.

    Each is the only one of a person who left in time, and whose number is right.
    """
    people = map(json.loads, (population / "truth" / "truth.jsonl").read_text().splitlines())
    numbers = {
        person["stays"][0]["number"]
        for person in people
        if len(person["stays"]) == 1 and person["stays"][0]["outcome"] == "DEPARTED_IN_TIME" and not person.get("noise")
    }
    spoilt: list[tuple[str, int, Spoilt]] = []
    for file in sorted((population / "i94").iterdir(), reverse=True):
        content = bytearray(file.read_bytes())
        for at in range(0, len(content), RECORD_BYTES):
            record = content[at : at + RECORD_BYTES]
            number = record[23:34].decode("cp037")
            if record[:3].decode("cp037") == "DDN" and number in numbers:
                content[at + 171 : at + 173] = "99".encode("cp037")
                file.write_bytes(content)
                day = record[EVENT_DATE].decode("cp037")
                spoilt.append((file.name, at, Spoilt(file.name, record[3:9].hex()[:11], number, day)))
                if len(spoilt) == 2:
                    (_, _, first), (_, _, second) = sorted(spoilt, key=lambda each: each[:2])
                    return first, second
    raise LookupError("no two departures to spoil")


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


# --- the browser --------------------------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of this machine. Raises Unavailable where there is none."""
    program = os.environ.get("VISABUS_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        raise Unavailable("Chromium (Debian: apt-get install chromium)")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    quiet = ["--disable-background-networking", "--disable-component-update", "--no-proxy-server"]
    with sync_playwright() as playwright, ExitStack() as stack:
        browser = playwright.chromium.launch(executable_path=program, args=[*sandbox, *quiet])
        stack.callback(browser.close)
        yield browser


_WATCH = """
window.__clicks = 0;
addEventListener('click', (event) => { if (event.isTrusted) window.__clicks += 1; }, true);
"""


@dataclass
class Seen:
    """A page of the browser with all that it said and asked for."""

    page: Page
    base: str
    said: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)  # answers that a test asks for itself, such as 401

    @classmethod
    def open(cls, context: BrowserContext, base: str) -> Seen:
        """A page that is listened to from its beginning."""
        seen = cls(context.new_page(), base)
        seen.page.add_init_script(_WATCH)
        seen.page.on("console", seen._console)
        seen.page.on("pageerror", lambda error: seen.said.append(f"uncaught: {error}"))
        context.on("request", seen._request)
        seen.page.on("response", seen._response)
        return seen

    def _console(self, message: ConsoleMessage) -> None:
        # what a refused request is told as by the browser itself is in `_response`, with its status
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.said.append(f"{message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.said.append(f"{response.status}: {response.request.method} {response.url}")

    def sound(self) -> None:
        """Hold that the page said nothing wrong, kept to its policy and asked no other host."""
        assert self.said == []
        host = self.base.rpartition("/console/")[0]
        assert self.requests
        assert [url for url in self.requests if not url.startswith((f"{host}/", "data:"))] == []

    def go(self, path: str = "") -> None:
        """Show a part of the page, and wait until it is drawn."""
        self.page.goto(f"{self.base}#/{path}")
        shown = json.dumps(self.page.evaluate("location.hash"))
        self.page.locator(f"main[data-shown={shown}] h1").wait_for()

    def grave(self) -> list[str]:
        """What axe finds that is serious or critical."""
        results = Axe().run(self.page)
        return [
            f"{each['id']} ({each['impact']}): {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
            for each in results.response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"][:3]
        ]


@contextmanager
def watched(browser: Browser, at: Installation, width: int = 1280, scheme: str = "light") -> Iterator[Seen]:
    """A fresh page of that width, signed in by nobody yet; in the end nothing may have gone wrong on it."""
    height = 800 if width > 600 else 844
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
        service_workers="block",
    )
    context.set_default_timeout(20_000)
    try:
        seen = Seen.open(context, at.address)
        yield seen
        seen.sound()
    finally:
        context.close()


@contextmanager
def signed_in(browser: Browser, at: Installation, width: int = 1280, scheme: str = "light") -> Iterator[Seen]:
    """The same with a token of all scopes, taken from the address as the demo opens the page."""
    with watched(browser, at, width, scheme) as seen:
        seen.page.goto(f"{at.address}#token={at.token()}&purpose={PURPOSES[0]}")
        seen.page.get_by_role("heading", name="Flow").wait_for()
        yield seen
