"""A table of measurements as plain text."""

from __future__ import annotations


class Table:
    """Rows of cells under a title; numbers are given as text, ready to read."""

    def __init__(self, title: str, *columns: str) -> None:
        self.title = title
        self.rows: list[tuple[str, ...]] = [columns]

    def add(self, *cells: str) -> None:
        assert len(cells) == len(self.rows[0])
        self.rows.append(cells)

    def text(self) -> str:
        widths = [max(len(row[column]) for row in self.rows) for column in range(len(self.rows[0]))]
        lines = [self.title]
        for number, row in enumerate(self.rows):
            cells = [
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ]
            lines.append("  " + "  ".join(cells).rstrip())
            if number == 0:
                lines.append("  " + "  ".join("-" * width for width in widths))
        return "\n".join(lines)
