"""Tokens for people, in exchange for an ID token of their organisation's provider."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Clock
from tests.gateway.identity.desk import ID_TOKEN, SECOND_TRUST, Desk, Json, said
from tests.gateway.identity.provider import ISSUER, Provider
from tests.support.tokens import PROSPERE

NUTT = "a.nutt@example.org"
ACCOUNT = {"issuer": ISSUER, "subject": "248289761001"}


@pytest.fixture
async def portal(desk: Desk) -> Json:
    return await desk.register("Portal", "public")


async def head(desk: Desk, **person: Any) -> Json:
    """A. Nutt, who heads one academy."""
    invited = await desk.invite(**(person or {"email": NUTT}))
    await desk.grant("headteacher", person_id=invited["id"], academies=[137083])
    return invited


async def test_a_public_client_exchanges_an_id_token_without_a_secret(
    desk: Desk, portal: Json, provider: Provider
) -> None:
    person = await head(desk)
    response = await desk.exchange(portal, provider.id_token())
    assert response.status_code == 200
    answer = response.json()
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"
    claims = said(answer["access_token"])
    assert claims["sub"] == f"person:{person['id']}"
    assert claims["client_id"] == portal["oauth_client_id"]
    assert (claims["trust"], claims["academies"], claims["leads"]) == (str(PROSPERE), [137083], [137083])
    assert not {"email", "name"} & set(claims)


async def test_a_confidential_client_needs_its_secret(desk: Desk, provider: Provider) -> None:
    await head(desk)
    client = await desk.register("Server-side portal")
    assert (await desk.exchange(client, provider.id_token())).status_code == 200
    without = {"oauth_client_id": client["oauth_client_id"]}
    assert (await desk.exchange(without, provider.id_token())).json()["error"] == "invalid_client"
    assert (await desk.exchange(client, provider.id_token(), client_secret="wrong")).status_code == 401


async def test_an_account_is_known_by_issuer_and_subject(desk: Desk, portal: Json, provider: Provider) -> None:
    await head(desk, **ACCOUNT)
    assert (await desk.exchange(portal, provider.id_token(email=None))).status_code == 200
    stranger = await desk.exchange(portal, provider.id_token(sub="somebody else"))
    assert (stranger.status_code, stranger.json()["error"]) == (400, "invalid_request")


async def test_an_address_binds_the_first_account_and_nobody_after(
    desk: Desk, portal: Json, provider: Provider
) -> None:
    person = await head(desk)
    assert (await desk.exchange(portal, provider.id_token())).status_code == 200
    bound = (await (await desk.administrator()).get(f"/identity/v1/people/{person['id']}")).json()
    assert (bound["is_bound"], bound["issuer"], bound["subject"]) == (True, ISSUER, "248289761001")
    # The address may go to somebody else at the provider: it doesn't let them in.
    assert (await desk.exchange(portal, provider.id_token(sub="next holder"))).status_code == 400
    assert (await desk.exchange(portal, provider.id_token(email="new@example.org"))).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
        {"email": "a.nutt@example.org.evil.example"},
        {"email": "\N{KELVIN SIGN}@example.org"},
        {"email": ["a.nutt@example.org"]},
        {"email": None},
    ],
)
async def test_only_a_verified_address_binds(desk: Desk, portal: Json, provider: Provider, changes: Json) -> None:
    await head(desk)
    await head(desk, email="k@example.org")
    assert (await desk.exchange(portal, provider.id_token(**changes))).status_code == 400


async def test_a_provider_of_one_organisation_may_be_believed_without_saying_verified(
    desk: Desk, portal: Json, provider: Provider, believed: Callable[..., None]
) -> None:
    await head(desk)
    believed(emails_verified=True)
    assert (await desk.exchange(portal, provider.id_token(email_verified=False))).status_code == 400
    token = provider.id_token(email_verified=None, email=NUTT.upper())
    assert (await desk.exchange(portal, token)).status_code == 200


async def test_a_provider_speaks_only_for_its_own_trusts(
    desk: Desk, portal: Json, provider: Provider, believed: Callable[..., None]
) -> None:
    await head(desk)
    believed(trusts=["3010"])
    assert (await desk.exchange(portal, provider.id_token())).status_code == 400
    believed(trusts=["16846", "3010"])
    assert (await desk.exchange(portal, provider.id_token())).status_code == 200


async def test_a_portal_of_another_trust_gets_no_token_of_this_one(desk: Desk, provider: Provider) -> None:
    await head(desk)
    elsewhere = await desk.register("Portal", "public", trust=SECOND_TRUST)
    assert (await desk.exchange(elsewhere, provider.id_token())).status_code == 400


async def test_who_belongs_to_several_trusts_says_which(desk: Desk, provider: Provider) -> None:
    everywhere = await desk.register("Portal of the platform", "public", trust=None)
    await head(desk)
    other = await desk.invite(email=NUTT, trust=SECOND_TRUST)
    await desk.grant("trustee", person_id=other["id"], trust=SECOND_TRUST)
    unclear = await desk.exchange(everywhere, provider.id_token())
    assert unclear.status_code == 400
    assert "several trusts" in unclear.json()["error_description"]
    first = said((await desk.exchange(everywhere, provider.id_token(), trust="16846")).json()["access_token"])
    assert (first["trust"], first["roles"]) == (str(PROSPERE), ["headteacher"])
    second = said((await desk.exchange(everywhere, provider.id_token(), trust="TR02745")).json()["access_token"])
    assert (second["trust"], second["roles"], second["leads"]) == (str(SECOND_TRUST), ["trustee"], [])


async def test_another_view_does_not_hide_what_somebody_leads(desk: Desk, portal: Json, provider: Provider) -> None:
    person = await head(desk)
    await desk.grant("improvement-adviser", person_id=person["id"])
    widest = said((await desk.exchange(portal, provider.id_token())).json()["access_token"])
    assert (widest["roles"], widest["academies"], widest["leads"]) == (["improvement-adviser"], None, [137083])
    asked = await desk.exchange(portal, provider.id_token(), role="headteacher")
    as_head = said(asked.json()["access_token"])
    assert (as_head["roles"], as_head["academies"]) == (["headteacher"], [137083])
    assert "ratings:moderate" not in as_head["scope"]


async def test_a_project_shows_no_academy(desk: Desk, portal: Json, provider: Provider) -> None:
    person = await desk.invite(email=NUTT)
    project = "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"
    await desk.grant("teacher-researcher", person_id=person["id"], project_id=project)
    claims = said((await desk.exchange(portal, provider.id_token())).json()["access_token"])
    assert (claims["academies"], claims["projects"]) == ([], [project])


async def test_disabled_and_erased_people_are_strangers(desk: Desk, portal: Json, provider: Provider) -> None:
    person = await head(desk)
    administrator = await desk.administrator()
    path = f"/identity/v1/people/{person['id']}"
    assert (await desk.exchange(portal, provider.id_token())).status_code == 200
    stranger = (await desk.exchange(portal, provider.id_token(sub="x"))).json()
    tag = (await administrator.get(path)).headers["etag"]
    disabled = await administrator.patch(path, json={"is_active": False}, headers={"If-Match": tag})
    assert (await desk.exchange(portal, provider.id_token())).json() == stranger
    tag = disabled.headers["etag"]
    enabled = await administrator.patch(path, json={"is_active": True}, headers={"If-Match": tag})
    assert (await desk.exchange(portal, provider.id_token())).status_code == 200
    await administrator.delete(path, headers={"If-Match": enabled.headers["etag"]})
    assert (await desk.exchange(portal, provider.id_token())).json() == stranger


async def test_without_a_current_grant_there_is_no_token(
    desk: Desk, portal: Json, provider: Provider, clock: Clock
) -> None:
    person = await desk.invite(email=NUTT)
    nothing = await desk.exchange(portal, provider.id_token())
    assert (nothing.status_code, nothing.json()["error"]) == (400, "unauthorized_client")
    await desk.grant("trustee", person_id=person["id"], ends_on="2025-10-01")
    assert (await desk.exchange(portal, provider.id_token())).status_code == 200
    clock.advance(days=1)
    assert (await desk.exchange(portal, provider.id_token())).json()["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    "form",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:access_token"},
        {"subject_token_type": ""},
        {"subject_token": ""},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x", "actor_token_type": ID_TOKEN},
        {"trust": "nonsense"},
        {"trust": "3010"},
    ],
)
async def test_what_cannot_be_done_is_an_invalid_request(
    desk: Desk, portal: Json, provider: Provider, form: dict[str, str]
) -> None:
    await head(desk)
    response = await desk.exchange(portal, provider.id_token(), **form)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_an_access_token_of_ours_is_no_id_token(desk: Desk, portal: Json, provider: Provider) -> None:
    await head(desk)
    ours = (await desk.exchange(portal, provider.id_token())).json()["access_token"]
    assert (await desk.exchange(portal, ours)).status_code == 400


async def test_an_id_token_that_does_not_count_is_an_invalid_request_that_says_why(
    desk: Desk, portal: Json, provider: Provider
) -> None:
    await head(desk)
    response = await desk.exchange(portal, provider.id_token(aud="others"))
    assert (response.status_code, response.json()) == (
        400,
        {
            "error": "invalid_request",
            "error_description": "The ID token isn't accepted: it is meant for another application.",
        },
    )


async def test_a_provider_that_is_away_is_told_apart_from_a_bad_token(
    desk: Desk, portal: Json, provider: Provider
) -> None:
    provider.status = 500
    response = await desk.exchange(portal, provider.id_token())
    assert (response.status_code, response.json()["code"]) == (503, "service-unavailable")
    assert response.headers["retry-after"] == "10"
