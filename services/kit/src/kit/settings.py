"""What a service reads from its environment (`TRELLIS_...`), once, when it starts."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from kit import clock
from kit.key_ring import KeyRing, listed, purposes_of
from kit.outbound.hosts import opened_hosts

# Read from TRELLIS_<SERVICE>_<NAME>, never from TRELLIS_<NAME>: TRELLIS_DATABASE_URL is the
# administrator's connection, to which row-level security doesn't apply, and each service has a client of its own.
PER_SERVICE = (
    "database_url",
    "loader_database_url",
    "follower_database_url",
    "service_client_id",
    "service_client_secret",
)

CLOCK_STAYS = "TRELLIS_CLOCK_OFFSET_SECONDS moves the clock only where TRELLIS_ENV=test"


class _ServiceEnvironment(EnvSettingsSource):
    """The environment, with connections and credentials taken from the service's own variables."""

    def __call__(self) -> dict[str, Any]:
        values = super().__call__()
        service = self.current_state.get("service", "")
        for name in PER_SERVICE:
            values.pop(name, None)
            if value := os.environ.get(f"TRELLIS_{service}_{name}".upper()):
                values[name] = value
        return values


class StorageSettings(BaseSettings):
    """The disks that an installation writes to (`TRELLIS_STORAGE_...`)."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", env_ignore_empty=True, extra="ignore", frozen=True)

    storage_reserve_bytes: int = Field(
        default=1 << 30,
        ge=0,
        description="Uploads are refused (507) and imports wait when less than this would stay free on a disk.",
    )
    storage_folders: dict[str, Path] = Field(
        default={},
        description="Folders whose disks must keep that room, as a JSON object of names and paths; beside the one "
        "for temporary files, which always must.",
    )


class ServiceSettings(StorageSettings):
    """Everything that differs between one deployment and another.

    Make it with `for_service`; a subclass may add the settings of its own service.
    """

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", env_ignore_empty=True, extra="ignore", frozen=True)

    service: str = Field(description="Name of the service, its schema and the first part of its paths.")
    env: Literal["demo", "production", "test"] = Field(
        default="production",
        description="`demo` gives out tokens for demo people; never use it with real data.",
    )
    database_url: str = Field(repr=False, description="libpq URL of the service's own role (several hosts allowed).")
    loader_database_url: str | None = Field(
        default=None, repr=False, description="The role that writes reference tables."
    )
    follower_database_url: str | None = Field(
        default=None, repr=False, description="The role that reads events across trusts."
    )
    database_pool_size: int = Field(default=8, ge=1, le=200, description="Connections that one process keeps.")
    database_behind_pooler: bool = Field(
        default=False,
        description="Whether a transaction pooler (PgBouncer) stands before the database.",
    )
    database_is_sharded: bool = Field(default=False, description="Whether the database is a sharded Postgres (Citus).")
    secret_key: SecretStr | None = Field(
        default=None,
        description="At least 32 characters; signs cursors, encrypts stored keys. Keep it, apart from the backups.",
    )
    secret_keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="A ring of such keys in place of the single one, newest first: commas between them, or a JSON "
        "list. The newest signs and seals, every one is accepted.",
    )
    derived_keys: SecretStr | None = Field(
        default=None,
        description="In place of the secret keys, the keys of this service alone, as `trellis keys derive` prints "
        "them: identity's can't be made of them.",
    )
    public_url: str = Field(
        default="http://127.0.0.1:8080", description="Where clients reach the gateway; no slash at the end."
    )
    issuer: str = Field(default="", description="`iss` of the tokens; the public URL unless set.")
    audience: str = Field(default="trellis", description="`aud` of the tokens.")
    jwks_url: str = Field(default="", description="Public keys; those of the issuer unless set.")
    jwks_socket: Path | None = Field(
        default=None, description="Unix socket of identity, preferred over the network when set."
    )
    upstreams: dict[str, str] = Field(
        default={},
        description="Where the other services listen, as a JSON object: the path of a socket, `host:port` or a URL "
        "for each; the public URL for those that aren't named.",
    )
    service_client_id: str = Field(default="", description="The service's own client, for calls in jobs.")
    service_client_secret: SecretStr | None = Field(default=None, description="The secret of that client.")
    cors_origins: list[str] = Field(default=[], description="Origins of browser clients, as a JSON list.")
    clock_offset_seconds: int = Field(
        default=0, description="Moves the clock of every process by so much; only with `TRELLIS_ENV=test`."
    )
    outbound_allow: list[str] = Field(
        default=[],
        description="Hosts (`host` or `host:port`, as a JSON list) inside your network that addresses given by users "
        "may lead to, also over http. Everything else must be https on the public internet.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="From WARNING on, answered requests are no longer logged."
    )
    worker_socket: Path | None = Field(
        default=None, description="Unix socket at which the service's worker says whether it is ready."
    )
    state_dir: Path = Field(default=Path(".trellis"), description="Sockets, logs and the embedded database.")
    object_store_url: str = Field(
        default="",
        description="Where files lie: `file:///a/folder`, or `s3://bucket/prefix` with endpoint and credentials in "
        "`AWS_...`; `objects` in the state folder unless set.",
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Largest JSON body; larger ones are 413.")
    max_json_depth: int = Field(
        default=32, ge=4, le=500, description="Deepest nesting of a JSON body; deeper ones are 422."
    )
    long_poll_seconds: float = Field(
        default=30.0, gt=0, le=30, description="Longest time for which a reader of the feed may wait."
    )
    limit_file_kept_bytes: int = Field(
        default=5 << 30, ge=1 << 10, description="Most that the attached files of a trust may take in one service."
    )
    limit_waiting_per_token: int = Field(
        default=50, ge=1, description="Requests of one token that may wait for events at once, in each process."
    )
    limit_waiting_per_trust: int = Field(
        default=1000, ge=1, description="Requests of one trust that may wait for events at once, in each process."
    )
    shutdown_seconds: float = Field(
        default=10.0, gt=0, description="Time that running requests get to finish on shutdown."
    )

    @property
    def object_store(self) -> str:
        """The URL of the object store."""
        return self.object_store_url or (self.state_dir.absolute() / "objects").as_uri()

    @classmethod
    def for_service(cls, name: str) -> Self:
        """The settings of one service, from the environment; moves the clock of this process where they say so.

        Raises pydantic's ValidationError that names every missing one.
        """
        values: dict[str, Any] = {"service": name}
        settings = cls(**values)
        clock.move(timedelta(seconds=settings.clock_offset_seconds))
        return settings

    @classmethod
    def for_contract(cls, name: str) -> Self:
        """Settings that reach nothing, enough to write down the contract of a service."""
        values: dict[str, Any] = {
            "service": name,
            "env": "test",
            "database_url": "postgresql://nobody@127.0.0.1:1/nothing",
            "secret_key": "only-for-writing-down-the-contract",
        }
        return cls(**values)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - replaced by our own
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the environment alone decides
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment; no files."""
        return init_settings, _ServiceEnvironment(settings_cls)

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        public_url = str(values.get("public_url") or cls.model_fields["public_url"].default).rstrip("/")
        values["public_url"] = public_url
        values["issuer"] = values.get("issuer") or public_url
        values["jwks_url"] = values.get("jwks_url") or f"{public_url}/.well-known/jwks.json"
        return values

    @field_validator("outbound_allow")
    @classmethod
    def _refuse_what_is_no_host(cls, entries: list[str]) -> list[str]:
        opened_hosts(entries)
        return entries

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """A list in one variable."""
        return listed(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_moved_clock(self) -> Self:
        if self.clock_offset_seconds and self.env != "test":
            raise ValueError(CLOCK_STAYS)
        return self

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Self:
        has_secrets = self.secret_key is not None or bool(self.secret_keys)
        if self.derived_keys is not None and has_secrets:
            raise ValueError("TRELLIS_DERIVED_KEYS stand in place of TRELLIS_SECRET_KEY and TRELLIS_SECRET_KEYS")
        if self.derived_keys is None and not has_secrets:
            raise ValueError("TRELLIS_SECRET_KEY (or TRELLIS_SECRET_KEYS) is missing")
        for purpose in purposes_of(self.service):
            self.key_ring.derive(purpose)
        if self.secret_key is not None and self.secret_keys and self.secret_key not in self.secret_keys:
            raise ValueError("TRELLIS_SECRET_KEY isn't among TRELLIS_SECRET_KEYS: add it there, or remove it")
        return self

    @property
    def key_ring(self) -> KeyRing:
        """The secret keys, or what this service holds of them, newest first; a single one is a ring of one."""
        if self.derived_keys is not None:
            return KeyRing.of_shares(self.derived_keys.get_secret_value())
        single = () if self.secret_key is None else (self.secret_key,)
        return KeyRing.of([key.get_secret_value() for key in self.secret_keys or single])
