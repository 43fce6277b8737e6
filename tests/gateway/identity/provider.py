"""An identity provider of another organisation: it serves its keys over HTTP on loopback and signs ID tokens."""

import base64
import json
import threading
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jws
from jose.backends.base import Key

from kit import clock
from kit.outbound.client import GuardedClient
from kit.outbound.hosts import opened_hosts
from kit.outbound.policies import OutboundPolicy

ISSUER = "https://id.example.org"
AUDIENCE = "trellis-portal"


def encoded(raw: bytes) -> str:
    """Unpadded base64url."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    """A number as it stands in a JWK."""
    return encoded(value.to_bytes((value.bit_length() + 7) // 8))


@dataclass
class ProviderKey:
    """A key pair of the provider."""

    kid: str
    algorithm: str
    pem: str
    public_pem: bytes
    public_der: bytes
    jwk: dict[str, Any]

    @property
    def signer(self) -> Key:
        """The private half, read once."""
        return _signer(self.pem, self.algorithm)


@cache
def _signer(pem: str, algorithm: str) -> Key:
    return jwk.construct(pem, algorithm)


@cache
def rsa_key(kid: str, bits: int = 2048, algorithm: str = "RS256") -> ProviderKey:
    """An RSA key pair."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    numbers = private.public_key().public_numbers()
    return _key(kid, algorithm, private, {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)})


def ec_key(kid: str) -> ProviderKey:
    """A P-256 key pair."""
    private = ec.generate_private_key(ec.SECP256R1())
    numbers = private.public_key().public_numbers()
    coordinates = {"x": encoded(numbers.x.to_bytes(32)), "y": encoded(numbers.y.to_bytes(32))}
    return _key(kid, "ES256", private, {"kty": "EC", "crv": "P-256", **coordinates})


def _key(
    kid: str, algorithm: str, private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, members: dict[str, str]
) -> ProviderKey:
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    public = private.public_key()
    return ProviderKey(
        kid,
        algorithm,
        pem.decode(),
        public.public_bytes(serialization.Encoding.PEM, spki),
        public.public_bytes(serialization.Encoding.DER, spki),
        {**members, "kid": kid, "use": "sig", "alg": algorithm},
    )


@dataclass
class Provider:
    """A running identity provider."""

    server: ThreadingHTTPServer
    keys: list[ProviderKey] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: bytes | None = None
    status: int = 200
    location: str | None = None

    def begin_again(self) -> None:
        """Forget everything but the first key."""
        self.keys, self.asked, self.answer, self.status, self.location = self.keys[:1], [], None, 200, None

    @property
    def url(self) -> str:
        """Where its keys are."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/keys"

    @property
    def host(self) -> str:
        """What an operator opens so that its keys can be fetched."""
        return self.url.split("/")[2]

    @property
    def outbound(self) -> GuardedClient:
        """A guarded client to which this provider was opened, and nothing else."""
        return GuardedClient(OutboundPolicy(opened_hosts([self.host])))

    def key_set(self) -> bytes:
        """What it publishes."""
        return self.answer or json.dumps({"keys": [key.jwk for key in self.keys]}).encode()

    def claims(self, **changes: Any) -> dict[str, Any]:
        """Good claims of A. Nutt, with changes; None takes a claim out."""
        now = int(clock.now().timestamp())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "248289761001",
            "iat": now,
            "exp": now + 3600,
            "email": "a.nutt@example.org",
            "email_verified": True,
            "nonce": "n-0S6_WzA2Mj",
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    def id_token(self, *, key: ProviderKey | None = None, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """An ID token, signed by its first key unless another is given."""
        key = key or self.keys[0]
        headers = {"kid": key.kid, **(header or {})}
        token: str = jws.sign(self.claims(**changes), key.signer, headers=headers, algorithm=key.algorithm)
        return token


def start_provider() -> Provider:
    """Start an identity provider on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            body = provider.key_set()
            self.send_response(provider.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            if provider.location is not None:
                self.send_header("Location", provider.location)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's own name
            pass

    provider = Provider(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
    provider.server.daemon_threads = True
    threading.Thread(target=provider.server.serve_forever, daemon=True).start()
    return provider
