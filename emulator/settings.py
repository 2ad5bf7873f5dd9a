"""What a run is told from outside: one frozen value, read from the environment once.

`EMULATOR_*` wins over the older names (`APP_PORT`, `MONGO_DB_*`, `REDIS_*`), and what the command line
gives wins over both. A setting that asks for what is not served yet is an error, never ignored.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import AliasChoices, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PORT = 8585
TLS_PORT = 8543
"""The gate's, when the port of all sites is PORT too; two emulators on one machine do not meet there."""
PORTS = 7
"""The port of all sites and one for each site that has its own."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SettingsError(Exception):
    """What is wrong with the environment or the command line, one line for each complaint."""


def _time_us(value: object) -> int | None:
    """Milliseconds since 1970, or an ISO date and time (UTC unless it says otherwise), in microseconds."""
    if value is None:
        return None
    text = str(value).strip()
    if text.isascii() and text.isdecimal():
        return int(text) * 1000
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is neither milliseconds since 1970 nor an ISO time") from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _speed(value: object) -> Decimal:
    try:
        speed = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a number") from error
    if not speed.is_finite():
        raise ValueError(f"{value!r} is not a number")
    return speed


def _ports(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value] if isinstance(value, int) else value


TlsPort = Annotated[int, Field(ge=0, le=65_535)]


def _eras(value: object) -> object:
    if isinstance(value, str):
        import json

        return json.loads(value)
    return value


def _named(name: str, *older: str) -> AliasChoices:
    return AliasChoices(f"EMULATOR_{name}", *older)


class Settings(BaseSettings):
    """Everything that can be set. Each field says its meaning to `emulator serve --help` as well."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, case_sensitive=True, populate_by_name=True, extra="ignore"
    )

    host: str = Field("127.0.0.1", validation_alias=_named("HOST"), description="Address to listen on.")
    port: int = Field(
        PORT,
        ge=0,
        le=65_535,
        validation_alias=_named("PORT", "APP_PORT"),
        description="Port of all sites; the six after it serve one site each. 0 picks all.",
    )
    tls_ports: Annotated[tuple[TlsPort, ...], NoDecode, BeforeValidator(_ports)] = Field(
        (),
        max_length=16,
        validation_alias=_named("TLS_PORT"),
        description="Where the real host names are served with TLS, and proxies' clients: one port or "
        "several with commas (8543 beside the port 8585, else any). 0 picks one.",
    )
    data_dir: Path = Field(
        Path("data"),
        validation_alias=_named("DATA_DIR"),
        description="Where state is kept, and the ready file.",
    )
    seed: int = Field(
        1,
        ge=0,
        lt=1 << 63,
        validation_alias=_named("SEED"),
        description="The synthetic markets are a function of it.",
    )
    ephemeral: bool = Field(
        False,
        validation_alias=_named("EPHEMERAL"),
        description="Keep all state in memory only, whatever else is set; it ends with the process.",
    )
    retention: int = Field(
        50_000,
        ge=0,
        le=100_000_000,
        validation_alias=_named("RETENTION"),
        description="Records of history that memory keeps for each exchange; older ones are in the archive.",
    )
    snapshot_every: int = Field(
        100_000,
        ge=1,
        validation_alias=_named("SNAPSHOT_EVERY"),
        description="Events between two snapshots, from which the next start begins.",
    )
    control_token: str | None = Field(
        None,
        min_length=8,
        max_length=512,
        pattern=r"^[\x21-\x7e]+$",
        validation_alias=_named("CONTROL_TOKEN"),
        description="Lets others than this machine use the control API, as a bearer token.",
    )
    clock: Literal["wall", "virtual"] = Field(
        "wall", validation_alias=_named("CLOCK"), description="Which clock sandboxes begin with."
    )
    time_us: Annotated[int | None, NoDecode, BeforeValidator(_time_us)] = Field(
        None, validation_alias=_named("TIME"), description="What the virtual clock shows at first."
    )
    speed: Annotated[Decimal, NoDecode, BeforeValidator(_speed)] = Field(
        Decimal(0),
        ge=0,
        le=1_000_000,
        validation_alias=_named("SPEED"),
        description="Virtual seconds per second; 0 stands still.",
    )
    limits: Literal["auto", "on", "off"] = Field(
        "auto",
        validation_alias=_named("LIMITS"),
        description="Whether rate limits refuse; auto: only while the clock is the wall's.",
    )
    timestamps: Literal["auto", "wall", "sandbox", "off"] = Field(
        "auto",
        validation_alias=_named("TIMESTAMPS"),
        description="What request timestamps are checked against; auto: the clock, and the wall too "
        "while the clock is virtual.",
    )
    eras: Annotated[dict[str, str | int | bool], NoDecode, BeforeValidator(_eras)] = Field(
        default_factory=dict,
        validation_alias=_named("ERAS"),
        description="Switches of what exchanges changed over time, as a JSON object.",
    )
    mongo_url: str | None = Field(
        None,
        validation_alias=_named("MONGO_URL"),
        description="The MongoDB that keeps state, instead of a file in the data directory.",
    )
    redis_url: str | None = Field(None, validation_alias=_named("REDIS_URL"))

    mongo_host: str | None = Field(None, validation_alias="MONGO_DB_HOST")
    mongo_port: int = Field(27_017, validation_alias="MONGO_DB_PORT")
    mongo_name: str = Field("emulator", validation_alias="MONGO_DB_NAME")
    mongo_username: str | None = Field(None, validation_alias="MONGO_DB_USERNAME")
    mongo_password: str | None = Field(None, validation_alias="MONGO_DB_PASSWORD")
    redis_host: str | None = Field(None, validation_alias="REDIS_HOST")
    redis_port: int = Field(6379, validation_alias="REDIS_PORT")
    redis_password: str | None = Field(None, validation_alias="REDIS_PASSWORD")

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.port > 65_535 - (PORTS - 1):
            raise ValueError(f"port: the {PORTS - 1} ports after {self.port} would be beyond 65535")
        if self.clock == "wall" and (self.time_us is not None or self.speed):
            raise ValueError("time and speed are those of a virtual clock; set the clock to virtual")
        if self.redis_address is not None:
            raise ValueError(
                "EMULATOR_REDIS_URL or REDIS_HOST is set, but this version does not serve it yet: unset it"
            )
        return self

    @property
    def tls_listened(self) -> tuple[int, ...]:
        """The ports for TLS, with those that nobody chose: 0 picks one."""
        return self.tls_ports or (TLS_PORT if self.port == PORT else 0,)

    @property
    def mongo_address(self) -> str | None:
        """The URL of MongoDB, composed of the older names where only these are set."""
        if self.mongo_url is not None or self.mongo_host is None:
            return self.mongo_url
        login = _login(self.mongo_username, self.mongo_password)
        return f"mongodb://{login}{self.mongo_host}:{self.mongo_port}/{self.mongo_name}"

    @property
    def redis_address(self) -> str | None:
        """The URL of Redis, composed of the older names where only these are set."""
        if self.redis_url is not None or self.redis_host is None:
            return self.redis_url
        return f"redis://{_login(None, self.redis_password)}{self.redis_host}:{self.redis_port}/0"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False


def read_settings(**given: Any) -> Settings:
    """The environment's settings under those given. Raises SettingsError."""
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SettingsError("\n".join(_complaint(problem) for problem in error.errors())) from error


def default_settings() -> Settings:
    """What nobody has set, whatever the environment says: documents are made from it."""
    return Settings.model_construct()


def _login(name: str | None, password: str | None) -> str:
    if password is None and name is None:
        return ""
    secret = "" if password is None else ":" + quote(password, safe="")
    return f"{quote(name or '', safe='')}{secret}@"


def _complaint(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"][:1])
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
