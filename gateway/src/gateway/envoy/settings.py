"""What the gateway is told by its environment (`TRELLIS_...`)."""

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

MEBIBYTE = 1024 * 1024


class EnvoySettings(BaseSettings):
    """Everything about the gateway that differs between one deployment and another."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_", env_ignore_empty=True, extra="ignore", frozen=True)

    listen_address: str = Field(default="127.0.0.1", description="Address that clients reach, `0.0.0.0` for all.")
    listen_port: int = Field(default=8080, ge=0, le=65535, description="Port that clients reach; 0 takes a free one.")
    state_dir: Path = Field(default=Path(".trellis"), description="Sockets, logs and the embedded database.")
    run_dir: Path | None = Field(default=None, description="Where the sockets are; `run` in the state folder if unset.")
    upstreams: dict[str, str] = Field(
        default={},
        description="Where a service listens, by name: `/path/to.sock` or `host:port`, as a JSON object. Services "
        "that aren't named listen on `NAME.sock` in the run folder.",
    )
    public_url: str = Field(default="http://127.0.0.1:8080", description="Where clients reach the gateway.")
    issuer: str = Field(default="", description="`iss` of the tokens; the public URL unless set.")
    audience: str = Field(default="trellis", min_length=1, description="`aud` of the tokens.")
    jwks_cache_seconds: int = Field(
        default=30, ge=1, le=30, description="For how long public keys are kept: how long a revoked key may still pass."
    )
    tls_certificate: Path | None = Field(default=None, description="PEM chain; with it the gateway speaks TLS only.")
    tls_key: Path | None = Field(default=None, description="PEM private key of the certificate.")
    cors_origins: list[str] = Field(default=[], description="Origins of browser clients, as a JSON list; `*` for any.")
    trusted_proxy_hops: int = Field(
        default=0,
        ge=0,
        le=10,
        description="Proxies of ours in front of the gateway. X-Forwarded-For is believed for that many and no more.",
    )
    limit_requests_per_minute: int = Field(default=6000, ge=1, description="Requests that one token may make.")
    limit_token_requests_per_minute: int = Field(
        default=6000,
        ge=1,
        description="Requests for tokens that one client address may make. A whole trust can be behind one address: "
        "this stops floods, while identity slows down those who guess.",
    )
    limit_public_requests_per_minute: int = Field(
        default=6000, ge=1, description="Requests without a token (portal, contracts, keys) of one client address."
    )
    limit_shared_requests_per_minute: int = Field(
        default=600, ge=1, description="Requests to shared links of one client address."
    )
    limit_link_requests_per_minute: int = Field(
        default=60, ge=1, description="Requests to one shared link, from all clients together."
    )
    limit_callers: int = Field(
        default=20_000, ge=100, description="Tokens and addresses that are counted at once; the oldest are forgotten."
    )
    limit_connections: int = Field(default=10_000, ge=10, description="Connections of clients at once.")
    limit_requests_at_once: int = Field(
        default=1024, ge=1, description="Requests that one service gets at once, beside boards and readers of events."
    )
    limit_header_kilobytes: int = Field(default=16, ge=8, le=96, description="All headers of a request together.")
    max_body_bytes: int = Field(default=MEBIBYTE, ge=1024, description="Largest JSON body; larger ones are 413.")
    limit_import_sent_bytes: int = Field(
        default=512 * MEBIBYTE, ge=1024, description="Largest import as it is sent; larger ones are 413."
    )
    envoy_threads: int = Field(default=2, ge=1, le=64, description="Threads that serve requests.")
    access_log: Path | None = Field(default=None, description="File for the access log; standard output if unset.")
    log_client_address: bool = Field(
        default=False, description="Write client addresses (personal data) into the access log."
    )

    @model_validator(mode="after")
    def _refuse_half_of_tls(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("TRELLIS_TLS_CERTIFICATE and TRELLIS_TLS_KEY go together")
        return self

    @model_validator(mode="after")
    def _refuse_strange_origins(self) -> Self:
        for origin in self.cors_origins:
            parts = urlsplit(origin)
            if origin != "*" and (
                parts.scheme not in {"http", "https"} or origin != f"{parts.scheme}://{parts.netloc}"
            ):
                raise ValueError(f"{origin!r} is not an origin: say https://board.example.org, with no path or slash")
        return self

    @property
    def token_issuer(self) -> str:
        """`iss` that a token must carry."""
        return self.issuer or self.public_url.rstrip("/")

    @property
    def sockets(self) -> Path:
        """The folder of the Unix sockets."""
        return (self.run_dir or self.state_dir / "run").absolute()

    @property
    def admin_socket(self) -> Path:
        """Envoy's own administration; its owner alone may reach it."""
        return self.sockets / "envoy-admin.sock"

    def upstream(self, service: str) -> str:
        """Where a service listens: the path of a socket, or `host:port`."""
        return self.upstreams.get(service) or str(self.sockets / f"{service}.sock")
