"""Measures the emulator beside plain yardsticks in the same run, and prints a table per group.

Absolute figures depend on the machine and the minute; the ratios are what to compare.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from core_group import run_core
from http_group import run_http
from journal_group import run_journal
from streams_group import run_streams
from table import Table

GROUPS: dict[str, Callable[[float], list[Table]]] = {
    "core": run_core,
    "http": run_http,
    "journal": run_journal,
    "streams": run_streams,
}


@click.command()
@click.argument("groups", nargs=-1, type=click.Choice(sorted(GROUPS)))
@click.option("--seconds", default=4.0, show_default=True, help="How long each measurement runs.")
def main(groups: tuple[str, ...], seconds: float) -> None:
    """Run the GROUPS named, or all of them."""
    for group in groups or sorted(GROUPS):
        for table in GROUPS[group](seconds):
            click.echo(table.text())
            click.echo()


if __name__ == "__main__":
    main()
