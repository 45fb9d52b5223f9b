"""A real browser without a window, and what it may be asked of a page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement

_ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
)


def missing() -> str | None:
    """Return why there is no browser, None where there is one."""
    for command in ("chromium", "chromedriver"):
        if shutil.which(command) is None:
            return f"{command} is not installed (.ci/system-packages does)"
    try:
        import selenium
    except ImportError:
        return "selenium is not installed"
    assert selenium
    return None


@contextmanager
def browser(profile: Path) -> Iterator[Browser]:
    """Give a browser with an empty profile."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability(
        "goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"}
    )
    driver = Chrome(options, ChromeService(str(shutil.which("chromedriver"))))
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """What a test does with a page: open it, read it, press keys."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a page, and wait until its script is done."""
        self.driver.get("about:blank")
        self.driver.get_log("browser")  # type: ignore[no-untyped-call]  # selenium's
        self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        self.driver.get(f"{path.as_uri()}{fragment}")
        assert self.run("return document.documentElement.dataset.ready") == "yes"

    def run(self, script: str, *arguments: object) -> object:
        """Return what a script in the page returns."""
        return self.driver.execute_script(script, *arguments)

    def told(self, command: str, **parameters: object) -> dict[str, object]:
        """Return what Chromium's own protocol answers."""
        answer = self.driver.execute_cdp_cmd(command, parameters)
        return cast("dict[str, object]", answer)

    def find(self, selector: str) -> list[WebElement]:
        """Return the elements of a CSS selector."""
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """Return the text of each element of a CSS selector."""
        found = "[...document.querySelectorAll(arguments[0])]"
        script = f"return {found}.map(one => one.textContent)"
        return cast("list[str]", self.run(script, selector))

    def press(self, *keys: str) -> None:
        """Press keys, where the focus is."""
        for key in keys:
            self.driver.switch_to.active_element.send_keys(key)

    def complaints(self) -> list[str]:
        """Return what the console says since the page was opened."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [str(entry["message"]) for entry in entries]

    def requests(self) -> list[str]:
        """Return the addresses that were asked for since they were last told."""
        entries = self.driver.get_log("performance")  # type: ignore[no-untyped-call]
        messages = [json.loads(entry["message"])["message"] for entry in entries]
        refused = {
            message["params"]["requestId"]
            for message in messages
            if message["params"].get("blockedReason") == "csp"
        }
        return [
            str(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
            and message["params"]["requestId"] not in refused
        ]


needs_browser = pytest.mark.skipif(missing() is not None, reason=missing() or "")
