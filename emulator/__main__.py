"""The command line: `emulator`, or `python -m emulator`.

What a command needs is imported by that command, so that `--help` is instant and `serve` loads no more
than it serves.
"""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn

import click

from emulator import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from emulator.app import Plan, Running, Verified
    from emulator.intercept.authority import Authority

_BEGAN = monotonic()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", message="%(version)s")
def main() -> None:
    """A local exchange that speaks the wire protocols of real crypto exchanges."""


def _fail(message: str) -> NoReturn:
    for line in message.splitlines():
        click.echo(f"error: {line}", err=True)
    sys.exit(1)


# serve


@main.command()
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port of all sites (8585); six more follow. 0 picks all.")
@click.option("--tls-port", "tls_ports", metavar="PORT[,PORT]", help="Of the real host names (8543).")
@click.option("--seed", type=int, help="The synthetic markets are a function of it (1).")
@click.option("--data-dir", type=click.Path(path_type=Path), help="Where state is kept (./data).")
@click.option("--ephemeral", is_flag=True, default=None, help="Keep all state in memory only.")
@click.option("--retention", type=int, metavar="RECORDS", help="Of history, in memory (50000 an exchange).")
@click.option("--snapshot-every", type=int, metavar="EVENTS", help="From which a start begins (100000).")
@click.option("--virtual-time", metavar="ISO|MS", help="Begin with a virtual clock that shows this.")
@click.option("--speed", metavar="FACTOR", help="Virtual seconds per second; 0, the default, stands still.")
@click.option("--no-limits", is_flag=True, help="Rate limits never refuse.")
@click.option(
    "--timestamps",
    type=click.Choice(["auto", "wall", "sandbox", "off"]),
    help="What timestamps of requests are checked against.",
)
@click.option("--eras", metavar="JSON", help="Switches of what exchanges changed over time.")
@click.option("--control-token", metavar="TOKEN", help="Opens the control API to whoever sends it.")
@click.option("--quiet", is_flag=True, help="Print one line at the start.")
def serve(virtual_time: str | None, no_limits: bool, quiet: bool, **options: Any) -> None:
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

    def announce(running: Running) -> None:
        _announce(running, quiet=quiet)

    try:
        app.run(app.build(app.read_settings(**given)), announce=announce, began=_BEGAN)
    except (*app.START_FAILURES, OSError) as error:
        _fail(str(error))


def _announce(running: Running, *, quiet: bool) -> None:
    emulator = running.emulator
    if not quiet:
        lines = ["Ready to paste, with the demo account that everybody knows:", ""]
        for client, code in running.snippets:
            lines += [f"# {client}", code, ""]
        served = [site.name for site in emulator.sites]
        lines += [
            "  sites        "
            + ", ".join(f"{name} :{port}" for name, port in emulator.ports.items() if name in served),
            "  not served   "
            + ", ".join(
                f"{name} :{port}"
                for name, port in emulator.ports.items()
                if name not in ("all", "tls") and name not in served
            ),
            f"  real hosts   :{emulator.ports['tls']}, for who trusts {emulator.gates.authority.path}",
            f"  control API  {running.url}/_emulator/health",
            f"  state        {emulator.storage.kept}",
        ]
        click.echo("\n".join(lines) + "\n")
    if emulator.settings.control_token is None and emulator.control_token is not None:
        click.echo(f"control token, for calls from other machines: {emulator.control_token}")
    click.echo(f"emulator {__version__} is ready on {running.url} after {running.started_ms} ms")
    sys.stdout.flush()


# exec


@main.command("exec", context_settings={"allow_interspersed_args": False})
@click.option("--fresh", is_flag=True, help="On an emulator of its own, whose state ends with it.")
@click.option("--guard/--no-guard", default=True, help="Refuse and report all other hosts (the default).")
@click.option(
    "--namespace/--no-namespace",
    default=True,
    help="Give it a network of its own where Linux lets us, so that nothing passes the guard (the default).",
)
@click.option(
    "--allow", multiple=True, metavar="HOST[:PORT]", help="A host that the guard lets out to; repeatable."
)
@click.option("--url", envvar="EMULATOR_URL", help="Where an emulator runs; else what its ready file says.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="EMULATOR_DATA_DIR",
    default=Path("data"),
    help="Of the emulator that runs, or is started (./data).",
)
@click.option("--token", envvar="EMULATOR_CONTROL_TOKEN", help="The control API's bearer token.")
@click.option("--quiet", is_flag=True, help="Print no summary.")
@click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="Write the summary as JSON.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec_(**options: Any) -> None:
    """Run COMMAND, unchanged, with the emulator in place of the exchanges.

    Its connections to their real hosts reach the emulator, which it trusts; the guard refuses others. What it
    called is said at the end. An emulator is started for it when none runs. The exit code is the command's.
    """
    from emulator.intercept.execution import NotAllowable, Wish, execute
    from emulator.intercept.finding import NoEmulator

    try:
        code = execute(Wish(**options))
    except (NoEmulator, NotAllowable, OSError) as error:
        _fail(str(error))
    sys.exit(code)


# storage


@main.group()
def storage() -> None:
    """Verify, rebuild and repair what is kept, while no emulator runs on it.

    Settings are those of `serve`, such as EMULATOR_DATA_DIR and EMULATOR_MONGO_URL.
    """
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")


def _of_storage(command: Callable[..., None]) -> Callable[..., None]:
    """The options that its commands share."""
    directory = click.Path(path_type=Path)
    command = click.option("--sandbox", metavar="NAME", help="Only this one; else all that there are.")(
        command
    )
    return click.option("--data-dir", type=directory, help="Where state is kept (./data).")(command)


@storage.command()
@_of_storage
def verify(data_dir: Path | None, sandbox: str | None) -> None:
    """Compare archive, balances and snapshot with the journal, from its first entry on.

    Changes nothing. Exits with 1 when anything differs, and says both figures.
    """
    from emulator import app

    with _complaints():
        found = app.verify_storage(app.read_settings(**_in(data_dir)), sandbox)
    for verified in found:
        _show_verified(verified)
    sys.exit(0 if all(verified.agrees for verified in found) else 1)


@storage.command()
@_of_storage
def rebuild(data_dir: Path | None, sandbox: str | None) -> None:
    """Make archive and snapshot anew from the journal."""
    from emulator import app

    with _complaints():
        found = app.rebuild_storage(app.read_settings(**_in(data_dir)), sandbox)
    for name, counts, seconds in found:
        click.echo(f"{name}: rebuilt in {seconds:.1f} s")
        for table, count in counts.items():
            click.echo(f"  {table:<18} {count:>12,}")


@storage.command()
@_of_storage
@click.option("--yes", is_flag=True, help="Do what is said; without this nothing is changed.")
def repair(data_dir: Path | None, sandbox: str | None, yes: bool) -> None:
    """Say what does not agree and what would be done about it; with --yes, do it.

    Where the archive differs from the journal, the journal stands. Where the journal's own figures do not
    agree with each other, a correction is journalled, and `rounding` takes the difference.
    """
    from emulator import app

    with _complaints():
        plans = app.repair_storage(app.read_settings(**_in(data_dir)), sandbox, is_agreed=yes)
    for plan in plans:
        _show_plan(plan, is_done=yes)
    sys.exit(0 if yes or not any(plan.is_needed for plan in plans) else 1)


def _in(data_dir: Path | None) -> dict[str, Any]:
    return {} if data_dir is None else {"data_dir": data_dir}


@contextmanager
def _complaints() -> Iterator[None]:
    from emulator import app

    try:
        yield
    except (*app.START_FAILURES, app.Unrepairable, OSError) as error:
        _fail(str(error))


def _show_verified(verified: Verified) -> None:
    click.echo(f"{verified.sandbox}: {verified.entries:,} entries with {verified.events:,} events")
    for table, figures in verified.tables.items():
        click.echo(f"  {table:<18} {figures.records:>12,}  {figures.digest >> 96:08x}")
    click.echo(f"  {verified.balances:,} balances, {verified.ledger_entries:,} ledger entries")
    if verified.snapshot is not None:
        click.echo(f"  a snapshot of entry {verified.snapshot:,}")
    for note in verified.notes:
        click.echo(f"  note: {note}")
    for difference in (*verified.of_archive, *verified.of_ledger, *verified.of_state):
        click.echo(f"  DIFFERS: {difference}")
    if verified.agrees:
        click.echo("  all of it agrees with the journal")


def _show_plan(plan: Plan, *, is_done: bool) -> None:
    verified = plan.verified
    name = verified.sandbox
    for difference in (*verified.of_archive, *verified.of_ledger, *verified.of_state):
        click.echo(f"{name}: {difference}")
    would = "" if is_done else "would be "
    for engine, commands in plan.commands.items():
        for one in commands:
            where = "" if one.account is None else f" of account {one.account} in {one.wallet}"
            click.echo(
                f"{name}: {engine}: {would}journalled: {one.asset}{where}: free {one.free:+f},"
                f" held {one.held:+f}, counterparty rounding {one.rounding:+f}"
            )
    if plan.is_needed:
        click.echo(f"{name}: archive and snapshot {would}made anew from the journal")
    elif verified.of_ledger:
        click.echo(f"{name}: what was recorded of balances cannot be repaired; the balances stand")
    else:
        click.echo(f"{name}: nothing to repair")
    if plan.is_needed and not is_done:
        click.echo(f"{name}: nothing was changed; --yes does it")


# specs, coverage


@main.command()
@click.option("--check", is_flag=True, help="Only compare; fail when a document differs.")
@click.option(
    "--directory", type=click.Path(path_type=Path, file_okay=False), default=Path("specs"), show_default=True
)
def specs(check: bool, directory: Path) -> None:
    """Write the OpenAPI documents, <directory>/<site>/openapi.json."""
    from emulator import app

    written = {
        directory / name / "openapi.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n"
        for name, document in app.documents(app.build(app.default_settings())).items()
    }
    surplus = sorted(set(directory.glob("*/openapi.json")) - set(written))
    if check:
        wrong = [path for path, text in written.items() if not _holds(path, text)] + surplus
        if wrong:
            _fail(f"{', '.join(map(str, wrong))}: not what the rows say; run `python -m emulator specs`")
        return
    for path, text in written.items():
        _write(path, text)
    for path in surplus:
        path.unlink()


@main.command()
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="Write the page to a file.")
@click.option("--check", type=click.Path(path_type=Path, dir_okay=False), help="Only compare it with a file.")
def coverage(write: Path | None, check: Path | None) -> None:
    """Print which paths of which sites are emulated."""
    from emulator import app

    page = app.coverage_page(app.build(app.default_settings()))
    if check is not None:
        if not _holds(check, page):
            _fail(f"{check}: not what the rows say; run `python -m emulator coverage --write {check}`")
    elif write is not None:
        _write(write, page)
    else:
        click.echo(page, nl=False)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text


def _write(path: Path, text: str) -> None:
    if _holds(path, text):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"wrote {path}", err=True)


# ca


_DATA_DIR = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="EMULATOR_DATA_DIR",
    default=Path("data"),
    help="Where state is kept (./data).",
)


@main.group()
def ca() -> None:
    """The local certificate authority, which clients of the real host names have to trust.

    It is made once under the data directory, and can vouch for exchanges and this machine only.
    """


@ca.command("path")
@_DATA_DIR
def ca_path(data_dir: Path) -> None:
    """Print where its certificate is; it is made when there is none."""
    click.echo(_authority(data_dir).path.resolve())


@ca.command("export")
@_DATA_DIR
@click.argument("destination", required=False, type=click.Path(path_type=Path, dir_okay=False))
def ca_export(data_dir: Path, destination: Path | None) -> None:
    """Write its certificate in PEM to a file, or print it. The key stays where it is."""
    pem = _authority(data_dir).pem
    if destination is None:
        click.echo(pem, nl=False)
    else:
        destination.write_bytes(pem)
        click.echo(f"wrote {destination}", err=True)


@ca.command("fingerprint")
@_DATA_DIR
def ca_fingerprint(data_dir: Path) -> None:
    """Print the SHA-256 of its certificate."""
    click.echo(_authority(data_dir).fingerprint)


def _authority(data_dir: Path) -> Authority:
    from emulator.intercept.authority import Authority, AuthorityUnusable

    try:
        return Authority.at(data_dir)
    except (AuthorityUnusable, OSError) as error:
        _fail(str(error))


# hosts


@main.command("hosts")
@click.option("--address", default="127.0.0.1", show_default=True, help="Where the emulator listens.")
def print_hosts(address: str) -> None:
    """Print the exchanges' hosts as lines of a hosts file, for programs that `exec` cannot run."""
    from emulator.web.hosts import REAL_HOSTS

    click.echo("\n".join(f"{address} {name}" for name in REAL_HOSTS))


# accounts


@main.group()
@click.option("--url", envvar="EMULATOR_URL", help="Where the emulator is; else what its ready file says.")
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    envvar="EMULATOR_DATA_DIR",
    default=Path("data"),
    help="Where its ready file is (./data).",
)
@click.option("--sandbox", default="default", show_default=True)
@click.option("--token", envvar="EMULATOR_CONTROL_TOKEN", help="The control API's bearer token.")
@click.pass_context
def accounts(
    context: click.Context, url: str | None, data_dir: Path, sandbox: str, token: str | None
) -> None:
    """List and open accounts of an emulator that is running."""
    context.obj = _Remote(url or _url_of(data_dir), sandbox, token)


@accounts.command("list")
@click.pass_obj
def list_accounts(remote: _Remote) -> None:
    """Name, id and number of keys of every account."""
    for account in remote.ask("GET", "/accounts")["accounts"]:
        click.echo(f"{account['name']}\t{account['id']}\t{account['keys']} keys")


@accounts.command("create")
@click.argument("name")
@click.option("--key", help="The API key; generated when not given.")
@click.option("--secret", help="Its secret; generated when not given.")
@click.option(
    "--deposit",
    "deposits",
    multiple=True,
    metavar="WALLET:ASSET:AMOUNT",
    help="Money to begin with, such as spot:USDT:10000; may be repeated.",
)
@click.pass_obj
def create_account(
    remote: _Remote, name: str, key: str | None, secret: str | None, deposits: tuple[str, ...]
) -> None:
    """Open an account with an HMAC key, and print the key and its secret."""
    wanted = [deposit.split(":") for deposit in deposits]
    for parts in wanted:
        if len(parts) != 3:
            _fail(f"{':'.join(parts)!r} is not WALLET:ASSET:AMOUNT")
    remote.ask("POST", "/accounts", {"name": name})
    chosen = {"key": key, "secret": secret}
    body = {part: value for part, value in chosen.items() if value is not None}
    made = remote.ask("POST", f"/accounts/{name}/keys", body)
    for wallet, asset, amount in wanted:
        money = {"wallet": wallet, "asset": asset, "amount": amount}
        remote.ask("POST", f"/accounts/{name}/deposits", money)
    click.echo(f"account {name}\nkey     {made['key']}\nsecret  {made['secret']}")


class _Remote:
    """The control API of a running emulator; what it refuses ends the command."""

    def __init__(self, url: str, sandbox: str, token: str | None) -> None:
        self._url = f"{url.rstrip('/')}/_emulator"
        self._sandbox = sandbox
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        import httpx

        try:
            answer = httpx.request(
                method,
                self._url + path,
                params={"sandbox": self._sandbox},
                json=body,
                headers=self._headers,
                trust_env=False,
            )
        except httpx.HTTPError as error:
            _fail(f"no emulator answers at {self._url}: {error}")
        try:
            content = answer.json()
        except ValueError:
            _fail(f"what answers at {self._url} is no emulator")
        if answer.is_error:
            _fail(str(content.get("error", {}).get("message", answer.status_code)))
        return content


def _url_of(data_dir: Path) -> str:
    path = data_dir / "ready.json"
    try:
        url: str = json.loads(path.read_bytes())["url"]
    except OSError:
        _fail(f"there is no {path}: is the emulator running? --url says where it is")
    return url


if __name__ == "__main__":
    main(prog_name="emulator")
