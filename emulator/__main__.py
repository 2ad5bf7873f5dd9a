"""The command line: `python -m emulator`, or `emulator`."""

from __future__ import annotations

from time import monotonic

_BEGAN = monotonic()

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emulator import __version__

if TYPE_CHECKING:
    from emulator.app import Running


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", package_name="exchange-emulator", message="%(version)s")
def main() -> None:
    """A local exchange that speaks the wire protocols of real crypto exchanges."""


@main.command()
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port of all sites (8585); six more follow. 0 picks all.")
@click.option("--seed", type=int, help="The synthetic markets are a function of it (1).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where the ready file is written (data).")
@click.option("--ephemeral", is_flag=True, default=None, help="Keep all state in memory only.")
@click.option("--virtual-time", metavar="ISO|MS", help="Begin with a virtual clock that shows this.")
@click.option("--speed", metavar="FACTOR", help="Virtual seconds per second (0: the clock stands still).")
@click.option("--no-limits", is_flag=True, help="Rate limits never refuse.")
@click.option(
    "--timestamps",
    type=click.Choice(["auto", "wall", "sandbox", "off"]),
    help="What request timestamps are checked against.",
)
@click.option("--eras", metavar="JSON", help="Switches of what exchanges changed over time.")
@click.option("--control-token", metavar="TOKEN", help="Bearer token that opens the control API to others.")
def serve(virtual_time: str | None, no_limits: bool, **options: Any) -> None:
    """Run the emulator until it is told to stop. EMULATOR_* in the environment sets the same."""
    import logging

    from emulator import app

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    given = {name: value for name, value in options.items() if value is not None}
    if virtual_time is not None:
        given |= {"clock": "virtual", "time_us": virtual_time}
    elif "speed" in given:
        given["clock"] = "virtual"
    if no_limits:
        given["limits"] = "off"
    try:
        app.run(app.build(app.read_settings(**given)), announce=_announce, began=_BEGAN)
    except (app.SettingsError, app.PortUnavailable, OSError) as error:
        _fail(str(error))


def _fail(message: str) -> None:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    sys.exit(1)


def _announce(running: Running) -> None:
    click.echo(f"ready {running.url} in {running.started_ms} ms")


if __name__ == "__main__":
    main(prog_name="emulator")
