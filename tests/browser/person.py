"""People at their browsers: each has a window of their own, and notices what goes wrong in it."""

from __future__ import annotations

from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

PASSWORD = "correct horse battery"

WIDE, NARROW = 1280, 390


class Person:
    """Somebody who is logged in. ``page`` is their window; whatever its console says is wrong is kept."""

    def __init__(self, name: str, site: str, context: BrowserContext) -> None:
        self.name, self.site, self.context = name, site, context
        self.wrong: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """One more window of the same person."""
        page = self.context.new_page()
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        return page

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def log_in(self) -> None:
        self.open("/admin/login/")
        self.page.fill("#id_username", self.name)
        self.page.fill("#id_password", PASSWORD)
        self.page.click("input[type=submit]")

    def upload(self, file: Path, name: str = "") -> None:
        """From the list of imports to the second screen."""
        self.open("/admin/imports/importjob/")
        self.page.click("text=Import new profiles from CSV")
        self.page.set_input_files("input[type=file]", file)
        if name:
            self.page.fill("#id_name", name)
        self.page.click("input[value=Upload]")
        self.page.wait_for_url("**/configure/")

    def faults(self) -> list[str]:
        """What is wrong with the page for people who cannot see, point or hear it well; and whether it is too wide."""
        self.page.wait_for_load_state()
        found = [
            f"{violation['id']}: {violation['nodes'][0]['html'][:200]}"
            for violation in Axe().run(self.page).response["violations"]
        ]
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return found + ([f"{width} pixels too wide"] if width > 0 else [])

    def _note(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.wrong.append(message.text)


class People:
    """Makes accounts and windows for them."""

    def __init__(self, site: str, browser: Browser) -> None:
        self._site, self._browser = site, browser
        self._contexts: list[BrowserContext] = []

    def log_in(self, *roles: str, name: str = "", **window: object) -> Person:
        """Somebody with these roles; a superuser where a role is ``superuser``. ``window``: options of the browser."""
        user, new = get_user_model().objects.get_or_create(
            username=name or "-".join(roles).lower() or "nobody",
            defaults={"is_staff": True, "is_superuser": "superuser" in roles},
        )
        if new:
            user.set_password(PASSWORD)
            user.save()
            user.groups.set(Group.objects.filter(name__in=roles))
        options = {"viewport": {"width": WIDE, "height": 900}} | window
        context = self._browser.new_context(**options)  # type: ignore[arg-type]
        self._contexts.append(context)
        person = Person(user.get_username(), self._site, context)
        person.log_in()
        return person

    def leave(self) -> None:
        for context in self._contexts:
            context.close()
