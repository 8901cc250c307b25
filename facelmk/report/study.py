"""What a test of other boxes gives: numbers for metrics.json, a table, and sometimes a picture."""

from pathlib import Path
from typing import Any, Protocol


class Study(Protocol):
    """The result of testing the same faces in other boxes, as `BoxStudy` and `JitterStudy`."""

    key: str  # in metrics.json
    title: str

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers for json."""

    def text(self) -> str:
        """Return the table for a terminal."""

    def html(self) -> str:
        """Return the table and the chart for a page."""

    def draw(self, folder: Path) -> Path | None:
        """Write the chart as a picture into a folder; return its path, or None if there is no picture."""
