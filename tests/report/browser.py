"""Chromium driven through its DevTools protocol over a pair of pipes: no package, no port."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path

PATIENCE = 60.0
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def find_chromium() -> str | None:
    """The first Chromium on PATH."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Browser:
    """A headless Chromium; `with Browser(folder) as browser: browser.open(path)`."""

    def __init__(self, folder: Path):
        self._folder, self._number, self._held = folder, 0, b""
        self.events: list[dict] = []

    def __enter__(self) -> "Browser":
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()

        def pipes() -> None:  # as file descriptors 3 and 4, which Chromium expects
            high = [os.dup(to_read), os.dup(to_write)]
            for number, descriptor in enumerate(high, 3):
                os.dup2(descriptor, number)

        self._process = subprocess.Popen(
            [
                find_chromium(),
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--remote-debugging-pipe",
                "--lang=en-US",
                f"--user-data-dir={self._folder}",
            ],
            preexec_fn=pipes,
            close_fds=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(to_read)
        os.close(to_write)
        return self

    def __exit__(self, *_fault) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self.call("Browser.close")
        os.close(self._write)
        os.close(self._read)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, 9)
            self._process.wait()

    def call(self, method: str, session: str | None = None, **parameters) -> dict:
        """The result of a command; events that come meanwhile are kept."""
        self._number += 1
        told = {"id": self._number, "method": method, "params": parameters}
        os.write(
            self._write,
            json.dumps(told | ({"sessionId": session} if session else {})).encode() + b"\0",
        )
        until = time.monotonic() + PATIENCE
        while True:
            answer = self._message(until)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def _message(self, until: float) -> dict:
        while b"\0" not in self._held:
            if not select.select([self._read], [], [], max(0, until - time.monotonic()))[0]:
                raise TimeoutError("Chromium does not answer")
            piece = os.read(self._read, 1 << 20)
            if not piece:
                raise OSError("Chromium has ended")
            self._held += piece
        text, self._held = self._held.split(b"\0", 1)
        return json.loads(text)

    def open(
        self, path: Path, width: int = 1280, height: int = 900, script: bool = True, **media
    ) -> "Page":
        """A page of that file, loaded. media: media features by name, "_" for "-"."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(f"{domain}.enable")
        page.size(width, height)
        page.call("Emulation.setScriptExecutionDisabled", value=not script)
        page.media(**media)
        page.call("Page.navigate", url=path.resolve().as_uri())
        page.wait_for("location.protocol === 'file:' && document.readyState === 'complete'")
        return page


class Page:
    """One page of the browser."""

    def __init__(self, browser: Browser, session: str):
        self._browser, self._session = browser, session

    def call(self, method: str, **parameters) -> dict:
        """A command to this page."""
        return self._browser.call(method, self._session, **parameters)

    def size(self, width: int, height: int = 900) -> None:
        """The size of the window, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    def media(self, kind: str = "", **features: str) -> None:
        """Media type, and features such as prefers_color_scheme="dark"."""
        told = [
            {"name": name.replace("_", "-"), "value": value} for name, value in features.items()
        ]
        self.call("Emulation.setEmulatedMedia", media=kind, features=told)

    def run(self, expression: str):
        """The value of a JavaScript expression; promises are awaited."""
        told = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in told:
            raise RuntimeError(told["exceptionDetails"]["exception"].get("description"))
        return told["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Until an expression is true."""
        until = time.monotonic() + PATIENCE
        while not self.run(f"Boolean({expression})"):
            if time.monotonic() > until:
                raise TimeoutError(expression)
            time.sleep(0.02)

    def key(self, name: str) -> None:
        """Press a key, by its name in JavaScript."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def mouse(self, kind: str, x: float, y: float, **more) -> None:
        """A mouse event: mouseMoved, mousePressed, mouseReleased."""
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def picture(self, path: Path, whole: bool = True) -> None:
        """A PNG of the page."""
        told = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def pdf(self) -> bytes:
        """The page as it prints."""
        return base64.b64decode(self.call("Page.printToPDF", printBackground=True)["data"])

    def faults(self) -> list[str]:
        """What the console was told that is no good, and uncaught exceptions."""
        found = []
        for event in self._events():
            method, told = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(str(told["exceptionDetails"].get("exception", told)))
            elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
                found.append(str(told["args"]))
            elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                found.append(told["entry"]["text"])
        return found

    def requests(self) -> list[str]:
        """Every address that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self._events()
            if event["method"] == "Network.requestWillBeSent"
        ]

    def _events(self) -> list[dict]:
        self.run("0")  # brings what is under way
        return [e for e in self._browser.events if e.get("sessionId") == self._session]
