"""Asking for tokens, and preparing who may."""

from typing import Any
from uuid import UUID

import httpx
from fastapi import FastAPI
from jose import jwt

from kit.database.sessions import Database
from kit.ids import tenant_id
from tests.support.clients import BASE_URL, Clients, Transport
from tests.support.tokens import PROSPERE

SECOND_TRUST = tenant_id("gias-group:3010")
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"

Json = dict[str, Any]


def said(token: str) -> Json:
    """The claims of a token, unchecked."""
    claims: Json = jwt.get_unverified_claims(token)
    return claims


def _sent_by(client: Json) -> str:
    """What a client sends as `client_id`: it was just registered, or holds no more than its credentials."""
    sent: str = client["oauth_client_id"] if "oauth_client_id" in client else client["client_id"]
    return sent


class Desk:
    """The token endpoint of an app with keys of its own, and administrators of the same database."""

    def __init__(self, app: FastAPI, clients: Clients, database: Database, *, peer: str | None = "127.0.0.1") -> None:
        self.app = app
        self.database = database
        self._clients = clients
        transport = Transport(app, "identity", database)
        transport.client = (peer, 50_000) if peer is not None else None  # type: ignore[assignment]
        self.anybody = httpx.AsyncClient(transport=transport, base_url=BASE_URL)

    async def aclose(self) -> None:
        """Close the client."""
        await self.anybody.aclose()

    def forget_keys(self) -> None:
        """The app believes no key from before."""
        self.app.state.tools.keys.forget()

    async def administrator(self, trust: UUID | None = PROSPERE, **claims: Any) -> httpx.AsyncClient:
        """Somebody who administers a trust, or the platform (None)."""
        role = "trust-admin" if trust is not None else "platform-operator"
        return await self._clients("identity", role, trust=trust, **claims)

    async def holder(self, token: str) -> httpx.AsyncClient:
        """Somebody with a token that this app gave out."""
        transport = Transport(self.app, "identity", self.database)
        return httpx.AsyncClient(transport=transport, base_url=BASE_URL, headers={"Authorization": f"Bearer {token}"})

    async def register(self, name: str = "MIS", kind: str = "confidential", *, trust: UUID | None = PROSPERE) -> Json:
        """A new client, with its secret."""
        # Somebody else gives it roles.
        administrator = await self.administrator(trust, subject="person:registrar")
        response = await administrator.post("/identity/v1/clients", json={"name": name, "kind": kind})
        assert response.status_code == 201, response.text
        registered: Json = response.json()
        return registered

    async def invite(self, *, trust: UUID | None = PROSPERE, **person: Any) -> Json:
        """Somebody who may sign in."""
        administrator = await self.administrator(trust)
        response = await administrator.post("/identity/v1/people", json=person)
        assert response.status_code == 201, response.text
        invited: Json = response.json()
        return invited

    async def grant(self, role: str, *, trust: UUID | None = PROSPERE, **wanted: Any) -> Json:
        """A role for a person or a client."""
        administrator = await self.administrator(trust)
        response = await administrator.post("/identity/v1/grants", json={"role": role, **wanted})
        assert response.status_code == 201, response.text
        given: Json = response.json()
        return given

    async def machine(self, role: str = "status-reader", *, trust: UUID | None = PROSPERE, **wanted: Any) -> Json:
        """A client that holds a role."""
        client = await self.register(f"{role} machine", trust=trust)
        await self.grant(role, trust=trust, client_id=client["id"], **wanted)
        return client

    async def ask(self, **form: Any) -> httpx.Response:
        """A request for a token."""
        auth = form.pop("auth", None)
        headers = form.pop("headers", None)
        return await self.anybody.post("/identity/v1/token", data=form, auth=auth, headers=headers)

    async def ask_as(self, client: Json, **form: Any) -> httpx.Response:
        """A request of a machine, with its secret in the form."""
        credentials = {"client_id": _sent_by(client), "client_secret": client["client_secret"]}
        return await self.ask(**{"grant_type": "client_credentials", **credentials, **form})

    async def exchange(self, client: Json, id_token: str, **form: Any) -> httpx.Response:
        """A request of a portal, with somebody's ID token."""
        if client.get("client_secret"):
            form = {"client_secret": client["client_secret"], **form}
        return await self.ask(
            grant_type=EXCHANGE,
            client_id=_sent_by(client),
            **{"subject_token": id_token, "subject_token_type": ID_TOKEN, **form},
        )
