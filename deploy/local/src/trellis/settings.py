"""What this command is told by its environment, and what it tells the programs that it starts."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from gateway.identity.clients.rules import service_client_id
from kit.key_ring import KeyRing, listed, purposes_of
from kit.settings import PER_SERVICE
from trellis import state
from trellis.credentials import LOGINS, SCHEMAS, Credentials

LOOPBACK = "127.0.0.1"
SECRET_KEYS: Final = ("TRELLIS_SECRET_KEY", "TRELLIS_SECRET_KEYS")
DATABASE = "trellis"
"""The name of the embedded database."""


class LocalSettings(BaseSettings):
    """Everything that an operator may set; each has a value that suits a laptop."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", env_ignore_empty=True, extra="ignore", frozen=True)

    env: Literal["demo", "production", "test"] = Field(
        default="demo", description="`demo` loads the demo trusts and gives out tokens for demo people."
    )
    state_dir: Path = Field(default_factory=state.default_folder, description="Data, sockets, logs and secrets.")
    listen_address: str = Field(default="127.0.0.1", description="Address that clients reach, `0.0.0.0` for all.")
    listen_port: int = Field(default=8080, ge=1, le=65535, description="Port that clients reach.")
    tls_certificate: Path | None = Field(default=None, description="PEM chain; with it the gateway speaks TLS only.")
    public_url: str = Field(default="", description="Where clients reach the gateway; no slash at the end.")
    database_url: str = Field(
        default="", repr=False, description="Administrator of a Postgres of your own, in place of the embedded."
    )
    object_store_url: str = Field(
        default="", description="Where files that people send lie; `objects` in the state folder unless set."
    )
    secret_key: SecretStr | None = Field(
        default=None, description="Signs cursors and encrypts the token keys; made once unless set."
    )
    secret_keys: SecretStr | None = Field(
        default=None, description="A ring of such keys in place of the single one, newest first, to replace a key."
    )
    storage_reserve_bytes: int = Field(
        default=1 << 30, ge=0, description="Uploads are refused when less than this would stay free on a disk."
    )
    workers: int = Field(default=1, ge=1, le=64, description="Processes of each service.")
    clock_offset_seconds: int = Field(
        default=0, description="Moves the clock of every process by so much; only with `TRELLIS_ENV=test`."
    )
    preload: bool = Field(
        default=True, description="Whether services and workers share their libraries in memory (Linux)."
    )
    start_seconds: float = Field(default=180.0, gt=0, description="How long `up` waits for everything.")
    hang_seconds: float = Field(
        default=60.0,
        ge=0,
        description="A program that answers nothing for so long is ended and started again; 0 for never.",
    )
    client_id: str = Field(default="", description="The client that this command acts as, outside the demo.")
    client_secret: SecretStr | None = Field(default=None, description="The secret of that client.")

    @field_validator("state_dir")
    @classmethod
    def _absolute(cls, folder: Path) -> Path:
        return Path(os.path.abspath(folder.expanduser()))  # noqa: PTH100  (links stay as they are)

    @model_validator(mode="before")
    @classmethod
    def _one_way_in(cls, values: Mapping[str, object]) -> dict[str, object]:
        values = dict(values)
        told = [values.get(name) or default for name, default in (("listen_address", LOOPBACK), ("listen_port", 8080))]
        scheme = "https" if values.get("tls_certificate") else "http"
        url = values.get("public_url") or f"{scheme}://{_in_url(_from_here(str(told[0])))}:{told[1]}"
        values["public_url"] = str(url).rstrip("/")
        return values

    @model_validator(mode="after")
    def _refuse_moved_clock(self) -> Self:
        if self.clock_offset_seconds and self.env != "test":
            raise ValueError("TRELLIS_CLOCK_OFFSET_SECONDS moves the clock only where TRELLIS_ENV=test")
        return self

    @property
    def local_address(self) -> str:
        """Where the gateway is reached from this machine."""
        return _from_here(self.listen_address)

    @property
    def state(self) -> state.State:
        """The state folder with names for what lies in it."""
        return state.State(self.state_dir)

    @property
    def object_store(self) -> str:
        """The URL of the object store."""
        return self.object_store_url or (self.state_dir / "objects").as_uri()

    @property
    def is_embedded(self) -> bool:
        """Whether the database is ours to start and stop."""
        return not self.database_url

    @property
    def gateway_url(self) -> str:
        """The gateway as seen from this machine; the public URL may only work from outside."""
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{_in_url(self.local_address)}:{self.listen_port}"

    def recorded(self) -> dict[str, object]:
        """What the other commands take over from what runs, as far as the environment doesn't say it."""
        names = {"env", "listen_address", "listen_port", "public_url", "tls_certificate", "workers", "object_store_url"}
        names |= {"storage_reserve_bytes"}
        return self.model_dump(mode="json", include=names)

    def as_environment(self) -> dict[str, str]:
        """The settings as variables: what the environment left open is settled once, by the first process."""
        return {
            "TRELLIS_ENV": self.env,
            "TRELLIS_STATE_DIR": str(self.state_dir),
            "TRELLIS_LISTEN_ADDRESS": self.listen_address,
            "TRELLIS_LISTEN_PORT": str(self.listen_port),
            "TRELLIS_PUBLIC_URL": self.public_url,
            "TRELLIS_OBJECT_STORE_URL": self.object_store,
            "TRELLIS_WORKERS": str(self.workers),
            "TRELLIS_PRELOAD": str(self.preload).lower(),
        }

    @classmethod
    def load(cls, **otherwise: Any) -> Self:
        """From the environment, with these in place of defaults. Raises pydantic's ValidationError."""
        return cls(**otherwise)


def _from_here(address: str) -> str:
    """An address at which a server that listens on `address` is reached from its own machine."""
    return {"0.0.0.0": LOOPBACK, "::": "::1"}.get(address, address)  # noqa: S104 - only compared


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


EXAMPLES: Final[Mapping[str, str]] = {
    "TRELLIS_LISTEN_ADDRESS": "127.0.0.1",
    "TRELLIS_STATE_DIR": "/var/lib/trellis",
    "TRELLIS_RUN_DIR": "/run/trellis",
    "TRELLIS_TLS_CERTIFICATE": "/etc/trellis/chain.pem",
    "TRELLIS_TLS_KEY": "/etc/trellis/key.pem",
    "TRELLIS_PUBLIC_URL": "https://trellis.example.org",
    "TRELLIS_ISSUER": "https://trellis.example.org",
    "TRELLIS_JWKS_URL": "https://trellis.example.org/.well-known/jwks.json",
    "TRELLIS_JWKS_SOCKET": "/run/trellis/identity.sock",
    "TRELLIS_WORKER_SOCKET": "/run/trellis/academy-worker.sock",
    "TRELLIS_ACCESS_LOG": "/var/log/trellis/access.log",
    "TRELLIS_DATABASE_URL": "postgresql://postgres@db.example.org/trellis",
    "TRELLIS_OBJECT_STORE_URL": "file:///var/lib/trellis/objects",
    "TRELLIS_SECRET_KEY": "at least 32 random characters",
    "TRELLIS_SECRET_KEYS": "the new key,the old key",
    "TRELLIS_DERIVED_KEYS": "what `trellis keys derive` prints",
    "TRELLIS_CLIENT_ID": "the id that an administrator gave you",
    "TRELLIS_CLIENT_SECRET": "the secret that an administrator gave you",
    "TRELLIS_SERVICE_CLIENT_ID": "the id that `trellis bootstrap` printed",
    "TRELLIS_SERVICE_CLIENT_SECRET": "the secret that `trellis bootstrap` printed",
    "TRELLIS_UPSTREAMS": '{"academy": "/run/trellis/academy.sock", "research": "10.0.0.5:8081"}',
    "TRELLIS_CORS_ORIGINS": '["https://board.example.org"]',
    "TRELLIS_OUTBOUND_ALLOW": '["adfs.trust.local", "10.0.0.5:8443"]',
    "TRELLIS_OIDC_ISSUERS": '[{"issuer": "https://login.example.org", "audiences": ["trellis"], '
    '"jwks_url": "https://login.example.org/keys"}]',
    "TRELLIS_STORAGE_FOLDERS": '{"database": "/var/lib/postgresql", "files": "/srv/trellis/objects"}',
    "TRELLIS_TRUSTED_PROXIES": '["10.0.0.0/24"]',
    "TRELLIS_SERVICE_CLIENTS": '{"academy": "trellis_0123456789ab_0123456789012345678901234567890123456789abc"}',
}
"""What a setting may look like, by its variable; for the others the default is the example."""


def variable_name(kind: type[BaseSettings], field: str) -> str:
    """The variable of one setting."""
    return f"{kind.model_config.get('env_prefix', '')}{field}".upper()


def example_of(variable: str, field: FieldInfo | None) -> str:
    """How a setting may be written; empty when nothing can be said."""
    default = None if field is None else field.get_default(call_default_factory=False)
    # A connection of one service is written like the administrator's.
    kept = EXAMPLES.get(variable) or (EXAMPLES["TRELLIS_DATABASE_URL"] if variable.endswith("_DATABASE_URL") else None)
    if kept is not None:
        return kept
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None else str(default)


def with_example(variable: str, sentence: str, field: FieldInfo | None = None) -> str:
    """A sentence about a setting, with an example of how it may be written."""
    example = example_of(variable, field)
    quoted = f"'{example}'" if set(example) & set(' "{}[]`,') else example
    return f"{variable}: {sentence}" + (f" For example: {variable}={quoted}" if example else "")


def in_words(refusal: ValidationError, kind: type[BaseSettings], *, service: str | None = None) -> list[str]:
    """Everything that is wrong with the settings, a sentence each, by the names of their variables.

    `service` says whose settings these are, where a service has variables of its own.
    """
    lines = []
    for one in refusal.errors():
        text = one["msg"].removeprefix("Value error, ").rstrip(".")
        sentence = f"{text[:1].lower()}{text[1:]}."
        if not one["loc"]:
            lines.append(f"{text}.")
            continue
        name = str(one["loc"][0])
        variable = variable_name(kind, name)
        if service is not None and name in PER_SERVICE:
            variable = variable.replace("TRELLIS_", f"TRELLIS_{service.upper()}_", 1)
        where = ".".join(map(str, one["loc"][1:]))
        lines.append(with_example(variable, f"{where}: {sentence}" if where else sentence, kind.model_fields.get(name)))
    return lines


def refused(flaws: Sequence[str]) -> str:
    """What a person reads when settings can't be used."""
    return "\n".join(["The settings can't be used:", *(f"  {flaw}" for flaw in flaws)])


def environment_of(settings: LocalSettings, credentials: Credentials, admin_url: str) -> dict[str, str]:
    """The variables that the programs get beside those of the operator, which win where both say something."""
    key = settings.secret_key.get_secret_value() if settings.secret_key else credentials.secret_key
    made = {
        # An operator's ring stands alone: the key that was made once is in it as long as the operator says so.
        **({} if settings.secret_keys else {"TRELLIS_SECRET_KEY": key}),
        "TRELLIS_JWKS_SOCKET": str(settings.state.socket("identity")),
        # Over the socket, where there is no TLS whatever the public URL says.
        "TRELLIS_JWKS_URL": "http://identity/.well-known/jwks.json",
    }
    for role in LOGINS:
        made[variable_of(role)] = url_of(admin_url, role, credentials.passwords[role])
    made["TRELLIS_STORAGE_FOLDERS"] = json.dumps({name: str(path) for name, path in storage_of(settings).items()})
    made["TRELLIS_SERVICE_CLIENTS"] = json.dumps(dict(credentials.service_secrets))
    made["TRELLIS_UPSTREAMS"] = json.dumps({name: str(settings.state.socket(name)) for name in SCHEMAS})
    for service, secret in credentials.service_secrets.items():
        made[f"TRELLIS_{service.upper()}_SERVICE_CLIENT_ID"] = service_client_id(service)
        made[f"TRELLIS_{service.upper()}_SERVICE_CLIENT_SECRET"] = secret
    told = {name: value for name, value in os.environ.items() if name.startswith("TRELLIS_") and value}
    # The administrator's connection is for migrations and backups; no service gets it, nor this command's secret.
    kept_back = {"TRELLIS_DATABASE_URL", "TRELLIS_CLIENT_ID", "TRELLIS_CLIENT_SECRET"}
    all_of_it = {**made, **told, **settings.as_environment()}
    return {name: value for name, value in all_of_it.items() if name not in kept_back}


def derived_keys(service: str, environment: Mapping[str, str]) -> str:
    """What a service holds of the secret keys in this environment. Raises ValueError when they can't be used."""
    single, ring = (environment.get(name, "") for name in SECRET_KEYS)
    return KeyRing.of(listed(ring) or [single]).shares(purposes_of(service))


def storage_of(settings: LocalSettings) -> dict[str, Path]:
    """The folders of this machine that an installation writes to, by what they are for."""
    places = {"state": settings.state_dir}
    if settings.is_embedded:
        places["database"] = settings.state.postgres / "data"
    return places


def variable_of(role: str) -> str:
    """The variable that holds a role's database URL: `academy_app` is TRELLIS_ACADEMY_DATABASE_URL."""
    service, _, kind = role.partition("_")
    middle = "" if kind == "app" else f"{kind}_"
    return f"TRELLIS_{service}_{middle}DATABASE_URL".upper()


def url_of(admin_url: str, role: str, password: str) -> str:
    """The administrator's database as another role sees it: same servers, same options."""
    parts = urlsplit(admin_url)
    servers = parts.netloc.rpartition("@")[2]
    query = urlencode(
        [(name, value) for name, value in parse_qsl(parts.query) if name not in {"user", "password"}], safe="/"
    )
    return urlunsplit(
        (parts.scheme, f"{quote(role, safe='')}:{quote(password, safe='')}@{servers}", parts.path, query, "")
    )


def login_urls(environment: Mapping[str, str]) -> list[str]:
    """The services' database URLs; whose users get the passwords in them when roles are made."""
    return [environment[variable] for variable in map(variable_of, LOGINS) if variable in environment]


def digest(environment: Mapping[str, str]) -> str:
    """Tells whether what runs was started with these settings."""
    others = {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
    told = [environment, others]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]
