"""How a file is read: what people choose of it, and what is found (FF-02, FF-07)."""

from dataclasses import asdict, dataclass
from typing import Self

from imports.files import encoding as encodings
from imports.files.containers import Container

KINDS = {
    Container.XLSX: "an Excel workbook",
    Container.GZIP: "packed with gzip",
    Container.ZIP: "a zip archive",
}


@dataclass(frozen=True, slots=True)
class FormatChoices:
    """What a preset or a person has chosen; None is to be detected, of a workbook the first sheet that is shown."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


A_CSV = FormatChoices(encodings.UTF_8, ",")
"""What a CSV has to have where no other file is taken."""


@dataclass(frozen=True)
class Format:
    """How a file is to be read. A workbook has no encoding and no delimiter; both are empty then.

    `sheet`: the one that is read of a workbook, empty for the first that is shown.
    """

    container: Container
    encoding: str
    delimiter: str
    sheet: str = ""

    @property
    def splittable(self) -> bool:
        """Whether reading can begin at any `Position` without reading what lies before it."""
        return self.container is Container.PLAIN and self.encoding not in encodings.TRANSCODED

    @property
    def kind(self) -> str:
        """What the file is where it is no CSV with commas and in UTF-8, for a sentence; blank where it is one."""
        if self.container is not Container.PLAIN:
            return KINDS[self.container]
        if self.encoding != encodings.UTF_8:
            return f"text in {self.encoding}"
        return "" if self.delimiter == "," else f"a table with “{self.delimiter}” between its values"

    def to_json(self) -> dict[str, str]:
        """A form that can be stored as JSON."""
        return {key: str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Self:
        """The format that `to_json` gave. Raises ValueError for an unknown container."""
        container = Container(stored["container"])
        return cls(container, stored["encoding"], stored["delimiter"], stored.get("sheet", ""))
