"""Where this command's tokens come from: demo people in the demo, a client of its own everywhere else."""

import time
from collections.abc import Sequence

import httpx

from trellis.api import Api, Fetch, Refused, Token
from trellis.settings import LocalSettings

OPERATOR = "platform-operator"


class NoCredentials(Exception):
    """Outside the demo this command needs a client of its own, and was given none."""


def demo_person(
    role: str,
    *,
    trust: str | None = None,
    academies: Sequence[int] = (),
    project: str | None = None,
    person: str | None = None,
) -> Fetch:
    """Tokens of a demo person with one role."""
    wanted = {"role": role, "trust": trust, "academies": list(academies), "project": project, "person": person}
    body = {name: value for name, value in wanted.items() if value}

    def fetch(http: httpx.Client) -> Token:
        return _token(http.post("/identity/v1/demo-token", json=body))

    return fetch


def client(client_id: str, secret: str) -> Fetch:
    """Tokens of a confidential client (RFC 6749, 4.4)."""

    def fetch(http: httpx.Client) -> Token:
        form = {"grant_type": "client_credentials"}
        return _token(http.post("/identity/v1/token", data=form, auth=httpx.BasicAuth(client_id, secret)))

    return fetch


def gateway(settings: LocalSettings, fetch: Fetch) -> Api:
    """A client of this installation's gateway."""
    return Api(settings.gateway_url, fetch, certificate=settings.tls_certificate)


def api_for(settings: LocalSettings, role: str, *, trust: str | None = None) -> Api:
    """A client of the gateway for one role: the demo person's, else the one that the settings name."""
    if settings.client_id and settings.client_secret:
        return gateway(settings, client(settings.client_id, settings.client_secret.get_secret_value()))
    if settings.env == "demo":
        return gateway(settings, demo_person(role, trust=trust))
    raise NoCredentials(
        f"Set TRELLIS_CLIENT_ID and TRELLIS_CLIENT_SECRET to a client with the role {role}; "
        "`trellis bootstrap` makes the first one."
    )


def _token(response: httpx.Response) -> Token:
    if not response.is_success:
        raise Refused.by(response)
    told = response.json()
    return Token(told["access_token"], time.monotonic() + float(told["expires_in"]))
