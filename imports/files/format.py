"""The format of a file, as users choose it and as it is detected (FF-02, FF-07)."""

from dataclasses import asdict, dataclass
from typing import Self

from imports.files import encoding as encodings
from imports.files.containers import Container

CONTAINER_LABELS = {
    Container.XLSX: "an Excel workbook",
    Container.GZIP: "packed with gzip",
    Container.ZIP: "a zip archive",
}


@dataclass(frozen=True, slots=True)
class FormatChoices:
    """What a preset or a user has chosen. None: to be detected; for the sheet, the first visible one."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


REQUIRED_CSV_FORMAT = FormatChoices(encodings.UTF_8, ",")
"""The format that is required where only CSV is accepted."""


@dataclass(frozen=True)
class Format:
    """How to read a file. Encoding and delimiter are empty for a workbook.

    `sheet`: the sheet of a workbook that is read, empty for the first visible one.
    """

    container: Container
    encoding: str
    delimiter: str
    sheet: str = ""

    @property
    def splittable(self) -> bool:
        """Whether reading can begin at any `Position` without reading the bytes before it."""
        return self.container is Container.PLAIN and self.encoding not in encodings.TRANSCODED

    @property
    def kind(self) -> str:
        """The kind of the file for a sentence; blank for a CSV with commas, in UTF-8."""
        if self.container is not Container.PLAIN:
            return CONTAINER_LABELS[self.container]
        if self.encoding != encodings.UTF_8:
            return f"text in {self.encoding}"
        return "" if self.delimiter == "," else f"a table with “{self.delimiter}” between its values"

    def to_json(self) -> dict[str, str]:
        """Return a form that can be stored as JSON."""
        return {key: str(value) for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: dict[str, str]) -> Self:
        """Return the format that `to_json` stored. Raises ValueError for an unknown container."""
        container = Container(stored["container"])
        return cls(container, stored["encoding"], stored["delimiter"], stored.get("sheet", ""))
