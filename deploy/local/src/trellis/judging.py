"""Whether every program could work with the settings, judged before anything is stopped or started.

Run as `python -m trellis.judging` with the environment that the programs get. Prints a sentence and an example for
each setting that can't be used; exit code 1 when there is one.
"""

import difflib
import importlib
import json
import os
import ssl
import sys
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode

from gateway.envoy import EnvoySettings
from gateway.identity.settings import IdentitySettings
from kit.settings import PER_SERVICE, ServiceSettings
from trellis.settings import LocalSettings, in_words, variable_name, with_example
from trellis.stack import SERVICES

SCHEMES: Final[Mapping[str, tuple[str, ...]]] = {
    "TRELLIS_PUBLIC_URL": ("http", "https"),
    "TRELLIS_ISSUER": ("http", "https"),
    "TRELLIS_JWKS_URL": ("http", "https"),
    "TRELLIS_DATABASE_URL": ("postgresql", "postgres"),
    "TRELLIS_OBJECT_STORE_URL": ("file", "s3"),
}
"""How the addresses among the settings may begin."""

# By its name, as the command reaches all that is a service's own.
ImportLimits: Final[type[BaseSettings]] = importlib.import_module("academy.imports.receiving.limits").ImportLimits

KINDS: Final[tuple[type[BaseSettings], ...]] = (
    LocalSettings,
    EnvoySettings,
    ImportLimits,
    ServiceSettings,
    IdentitySettings,
)
"""Everything that reads settings."""

OF_THE_PORTAL: Final = frozenset({"TRELLIS_CONTRACTS_DIR", "TRELLIS_GUIDES_DIR"})
"""What identity reads by itself, to find what the portal serves."""
ALIKE: Final = 0.85
"""From here on an unknown name is taken for a known one that was mistyped (difflib's ratio)."""


def flaws() -> list[str]:
    """What is wrong with this process's environment, a sentence and an example each; empty when nothing is.

    Variables that can't be read are taken out of it, so that the rest can be judged.
    """
    unreadable = {variable: flaw for kind in KINDS for variable, flaw in _unreadable(kind)}
    for variable in unreadable:
        del os.environ[variable]
    found = [
        *unreadable.values(),
        *_strange_names(),
        *_strange_addresses(),
        *_unusable(EnvoySettings),
        *_unusable(ImportLimits),
        *(flaw for service in SERVICES for flaw in _unusable(_kind_of(service), service)),
    ]
    return list(dict.fromkeys(found or _useless_certificate()))


def _kind_of(service: str) -> type[ServiceSettings]:
    return IdentitySettings if service == "identity" else ServiceSettings


def _unusable(kind: type[BaseSettings], service: str | None = None) -> Iterator[str]:
    """What one kind of settings refuses, all of it where possible."""
    values: dict[str, Any] = {"service": service} if service else {}
    try:
        kind(**values)
    except ValidationError as refusal:
        yield from in_words(refusal, kind, service=service)


def _unreadable(kind: type[BaseSettings]) -> Iterator[tuple[str, str]]:
    """Lists and objects that aren't JSON, each with its variable: they can't be judged further."""
    for name, field in kind.model_fields.items():
        variable = variable_name(kind, name)
        shape = "list" if "list[" in str(field.annotation) else "object"
        if not _is_json(field) or not (text := os.environ.get(variable)):
            continue
        try:
            json.loads(text)
        except (ValueError, RecursionError):
            yield variable, with_example(variable, f"this is no JSON {shape}.")


def _is_json(field: FieldInfo) -> bool:
    """Is a setting written as a JSON list or object?"""
    return str(field.annotation).startswith(("list[", "dict[")) and NoDecode not in field.metadata


def _strange_names() -> Iterator[str]:
    """Variables that nothing reads, but for a slip of the finger."""
    known = known_variables()
    for name in sorted(os.environ):
        if name.startswith("TRELLIS_") and name not in known:
            alike = difflib.get_close_matches(name, known, n=1, cutoff=ALIKE)
            if alike:
                yield f"{name}: there is no such setting. Did you mean {alike[0]}?"


def known_variables() -> frozenset[str]:
    """Every variable that some program reads."""
    own = {f"TRELLIS_{service}_{name}".upper() for service in SERVICES for name in (*PER_SERVICE, "app")}
    return frozenset(own | {variable_name(kind, name) for kind in KINDS for name in kind.model_fields}) | OF_THE_PORTAL


def _strange_addresses() -> Iterator[str]:
    """Addresses that are none, and URLs that lead nowhere."""
    listens = os.environ.get("TRELLIS_LISTEN_ADDRESS", "127.0.0.1")
    try:
        ip_address(listens)
    except ValueError:
        yield with_example("TRELLIS_LISTEN_ADDRESS", f"{listens!r} is no IP address.")
    of_services = {
        f"TRELLIS_{service}_{name}".upper(): SCHEMES["TRELLIS_DATABASE_URL"]
        for service in SERVICES
        for name in PER_SERVICE
        if name.endswith("database_url")
    }
    for variable, schemes in {**SCHEMES, **of_services}.items():
        text = os.environ.get(variable)
        if text and not _is_url(text, schemes):
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            yield with_example(variable, f"this is no URL that begins with {wanted}.")


def _is_url(text: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.netloc or parts.path.strip("/")) and parts.port != 0
    except ValueError:
        return False


def _useless_certificate() -> list[str]:
    """A certificate and key that can't be read, or that don't belong together."""
    settings = EnvoySettings()
    if settings.tls_certificate is None or settings.tls_key is None:
        return []
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_certificate, settings.tls_key)
    except OSError as problem:
        why = f"can't be used together ({problem.strerror or problem})."
        return [with_example("TRELLIS_TLS_CERTIFICATE", f"this and TRELLIS_TLS_KEY {why}")]
    return []


def main() -> int:
    """The exit code."""
    found = flaws()
    for flaw in found:
        print(flaw, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
