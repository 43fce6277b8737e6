"""Forged, altered, foreign and misspelt tokens."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jose import jws, jwt

from kit.identity.keys import StaticKeys
from kit.identity.tokens import TokenRefused
from tests.kit.forging import KEY, check, claims, encoded, signature_of, signed
from tests.support.tokens import KEY_ID, signing_key


@pytest.mark.parametrize("spelling", ["none", "None", "NONE", "nOnE", "none ", " none", "", None, 0, False, [], {}])
@pytest.mark.parametrize("signature", ["", "AAAA", encoded(bytes(64))])
async def test_unsigned_token_is_refused(spelling: object, signature: str) -> None:
    header = encoded(json.dumps({"alg": spelling, "kid": KEY_ID}).encode())
    with pytest.raises(TokenRefused):
        await check(f"{header}.{encoded(json.dumps(claims()).encode())}.{signature}")


async def test_unsigned_token_is_refused_even_with_our_signature() -> None:
    for spelling in ("none", "None", "NONE", ..., "es256", "ES256K", "ES384", "ES512", "RS256", "PS256", "EdDSA"):
        with pytest.raises(TokenRefused, match="only ES256"):
            await check(signed({"alg": spelling}))


def public_key_spellings() -> dict[str, bytes]:
    """Every way in which an attacker might take our public key for a secret."""
    public = serialization.load_pem_private_key(KEY.pem.encode(), None).public_key()
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, info)
    der = public.public_bytes(serialization.Encoding.DER, info)
    return {
        "pem": pem,
        "pem without newline": pem.rstrip(b"\n"),
        "pem with crlf": pem.replace(b"\n", b"\r\n"),
        "der": der,
        "der in base64": base64.b64encode(der),
        "point": public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint),
        "compressed point": public.public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint
        ),
        "jwk": json.dumps(dict(KEY.public)).encode(),
        "x": KEY.public["x"].encode(),
        "nothing": b"",
    }


@pytest.mark.parametrize("spelling", sorted(public_key_spellings()))
@pytest.mark.parametrize(("algorithm", "digest"), [("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")])
async def test_public_key_is_no_secret(spelling: str, algorithm: str, digest: str) -> None:
    header = encoded(json.dumps({"alg": algorithm, "typ": "JWT", "kid": KEY_ID}).encode())
    signing_input = f"{header}.{encoded(json.dumps(claims()).encode())}"
    mac = hmac.digest(public_key_spellings()[spelling], signing_input.encode(), digest)
    with pytest.raises(TokenRefused, match=r"of another kind|only ES256"):
        await check(f"{signing_input}.{encoded(mac)}")


@pytest.mark.parametrize("spelling", ["pem", "der"])
async def test_mac_as_long_as_our_signature_is_refused_by_its_algorithm(spelling: str) -> None:
    secret = public_key_spellings()[spelling]
    header = encoded(json.dumps({"alg": "HS512", "kid": KEY_ID}).encode())
    signing_input = f"{header}.{encoded(json.dumps(claims()).encode())}"
    mac = hmac.digest(secret, signing_input.encode(), hashlib.sha512)
    with pytest.raises(TokenRefused, match="only ES256"):
        await check(f"{signing_input}.{encoded(mac)}")


async def test_token_of_another_key_under_our_kid_is_refused() -> None:
    other = signing_key("another")
    token = jwt.encode(claims(), other.pem, algorithm="ES256", headers={"kid": KEY_ID})
    with pytest.raises(TokenRefused, match="signature is wrong"):
        await check(token)


async def test_rsa_token_is_refused() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    with pytest.raises(TokenRefused):
        await check(jwt.encode(claims(), pem, algorithm="RS256", headers={"kid": KEY_ID}))


@pytest.mark.parametrize(
    "kid",
    [
        "../../../../dev/null",
        "..%2f..%2fetc%2fpasswd",
        "/etc/passwd",
        "tests\0",
        "tests' or '1'='1",
        "tests; rm -rf /",
        "http://evil.example/key",
        "",
        "a" * 65,
        "tests\n",
        "té",
        None,
        7,
        ["tests"],
        {"kid": "tests"},
        ...,
    ],
)
async def test_key_id_that_is_none_is_refused_before_it_is_looked_up(kid: object) -> None:
    class Watching(StaticKeys):
        async def key(self, kid: str) -> dict[str, Any] | None:
            raise AssertionError(f"looked up {kid!r}")

    with pytest.raises(TokenRefused, match="names no key"):
        await check(signed({"kid": kid}), keys=Watching({"keys": []}))


async def test_unknown_key_is_refused() -> None:
    with pytest.raises(TokenRefused, match="unknown or was revoked"):
        await check(signed({"kid": "somebody-else"}))


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/jwks.json"},
        {"jwk": dict(signing_key("another").public)},
        {"x5u": "https://evil.example/chain.pem"},
        {"x5c": ["MIIB"]},
        {"x5t": "abc"},
        {"crit": ["exp"]},
        {"crit": ["b64"], "b64": False},
        {"crit": []},
        {"crit": ["org.example.unknown"], "org.example.unknown": 1},
        {"b64": False},
        {"b64": True},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"enc": "A256GCM"},
        {"p2c": 10**9},
        {"epk": {}},
        {"typ": "JWE"},
        {"typ": "id_token+jwt"},
        {"typ": 1},
        {"typ": None},
    ],
)
async def test_header_that_asks_for_more_is_refused_although_well_signed(header: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        await check(signed(header))


async def test_embedded_key_is_never_used() -> None:
    other = signing_key("another")
    token = jws.sign(claims(), other.pem, algorithm="ES256", headers={"kid": KEY_ID, "jwk": dict(other.public)})
    with pytest.raises(TokenRefused):
        await check(token)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b"{",
        b'{"exp": NaN}',
        b'{"exp": Infinity}',
        b"[" * 2000 + b"]" * 2000,
        json.dumps(claims()).encode()[:-1] + b', "sub": "somebody:else"}',
        b"\xef\xbb\xbf" + json.dumps(claims()).encode(),
    ],
)
async def test_payload_that_is_no_plain_object_is_refused_although_well_signed(payload: bytes) -> None:
    with pytest.raises(TokenRefused):
        await check(signed(payload=payload))


async def test_header_that_names_something_twice_is_refused() -> None:
    header = f'{{"alg":"none","alg":"ES256","kid":"{KEY_ID}"}}'.encode()
    signing_input = f"{encoded(header)}.{encoded(json.dumps(claims()).encode())}"
    with pytest.raises(TokenRefused, match="twice"):
        await check(f"{signing_input}.{encoded(signature_of(signing_input.encode()))}")


async def test_nested_token_is_refused() -> None:
    with pytest.raises(TokenRefused):
        await check(signed(payload=signed().encode()))


@pytest.mark.parametrize("size", [8193, 100_000, 2_000_000])
async def test_huge_token_is_refused_before_it_is_read(size: int) -> None:
    with pytest.raises(TokenRefused, match="too long"):
        await check("a" * size)


@pytest.mark.parametrize(
    "alter",
    [
        lambda token: token + "=",
        lambda token: token + ".",
        lambda token: token + ".AAAA",
        lambda token: "." + token,
        lambda token: token.replace(".", "..", 1),
        lambda token: token + "\n",
        lambda token: " " + token,
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: token[:-2],
        lambda token: token.replace("-", "+").replace("_", "/") + "+/",
        lambda token: token + "\0",
        lambda token: token.upper(),
        lambda token: json.dumps({"payload": token.split(".")[1], "signatures": []}),
    ],
)
async def test_other_spelling_of_a_good_token_is_refused(alter: Any) -> None:
    with pytest.raises(TokenRefused):
        await check(alter(signed()))


async def test_unused_bits_of_the_signature_must_be_zero() -> None:
    token = signed()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    # 64 bytes end in a letter of which four bits mean nothing.
    other = alphabet[alphabet.index(token[-1]) ^ 1]
    with pytest.raises(TokenRefused):
        await check(token[:-1] + other)


async def test_der_signature_is_refused() -> None:
    private = serialization.load_pem_private_key(KEY.pem.encode(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    signing_input = signed().rpartition(".")[0]
    der = private.sign(signing_input.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(TokenRefused, match="another kind"):
        await check(f"{signing_input}.{encoded(der)}")


@pytest.mark.parametrize("signature", [bytes(64), bytes(32) + b"\1" * 32, b"\xff" * 64])
async def test_degenerate_signature_is_refused(signature: bytes) -> None:
    """All zeros passed as right in some libraries (CVE-2022-21449)."""
    with pytest.raises(TokenRefused, match="signature is wrong"):
        await check(f"{signed().rpartition('.')[0]}.{encoded(signature)}")


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
async def test_any_flipped_bit_is_noticed(position: int, bit: int) -> None:
    token = bytearray(signed().encode())
    token[position % len(token)] ^= 1 << bit
    with pytest.raises(TokenRefused):
        await check(token.decode("latin-1"))


@given(st.text(max_size=300))
async def test_any_text_is_refused_and_nothing_worse(text: str) -> None:
    with pytest.raises(TokenRefused):
        await check(text)


async def test_key_that_cannot_be_used_refuses_tokens() -> None:
    broken = {**KEY.public, "x": encoded(bytes(32))}
    with pytest.raises(TokenRefused):
        await check(signed(), keys=StaticKeys({"keys": [broken]}))


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA"},
        {"crv": "P-384"},
        {"crv": "secp256k1"},
        {"use": "enc"},
        {"alg": "HS256"},
        {"x": None},
        {"kid": 7},
    ],
)
async def test_published_key_of_another_kind_is_never_used(change: dict[str, Any]) -> None:
    keys = StaticKeys({"keys": [{**KEY.public, **change}]})
    assert await keys.key(KEY_ID) is None
