"""The gateway with a certificate."""

import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.gateway.envoy.doorway import Door, opened, token


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for this machine, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "trellis")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    (folder / "chain.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "chain.pem", folder / "key.pem"


@pytest.fixture(scope="module")
def door(certificate: tuple[Path, Path]) -> Iterator[Door]:
    """A gateway that speaks TLS."""
    with opened(tls_certificate=certificate[0], tls_key=certificate[1]) as running:
        yield running


def context(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate[0])


def test_gateway_speaks_tls_and_insists_on_it(door: Door, certificate: tuple[Path, Path]) -> None:
    with door.client(token(), verify=context(certificate)) as client:
        answer = client.get("/academy/v1/echo")
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert dict(answer.json()["headers"])["x-forwarded-proto"] == "https"
    with httpx.Client(trust_env=False) as client, pytest.raises(httpx.TransportError):
        client.get(f"http://127.0.0.1:{door.port}/healthz")


def test_problems_carry_it_too(door: Door, certificate: tuple[Path, Path]) -> None:
    with door.client(verify=context(certificate)) as client:
        answer = client.get("/academy/v1/echo")
    assert answer.status_code == 401
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_old_tls_is_refused(door: Door, certificate: tuple[Path, Path]) -> None:
    old = context(certificate)
    with pytest.warns(DeprecationWarning, match="TLSv1 is"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1 is"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with door.client(verify=old) as client, pytest.raises(httpx.ConnectError):
        client.get("/healthz")


def test_http_2_is_offered(door: Door, certificate: tuple[Path, Path]) -> None:
    offered = context(certificate)
    offered.set_alpn_protocols(["h2", "http/1.1"])
    with (
        socket.create_connection(("127.0.0.1", door.port)) as plain,
        offered.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
    ):
        assert connection.selected_alpn_protocol() == "h2"
