"""`GET /identity/v1/me`."""

from tests.gateway.identity.desk import Desk
from tests.gateway.identity.provider import Provider
from tests.support.clients import Clients
from tests.support.tokens import OTHER_TRUST


async def test_a_person_sees_what_this_token_says_and_what_others_could(desk: Desk, provider: Provider) -> None:
    portal = await desk.register("Portal", "public")
    person = await desk.invite(email="a.nutt@example.org")
    await desk.grant("trustee", person_id=person["id"])
    await desk.grant("headteacher", person_id=person["id"], academies=[137083])
    answer = (await desk.exchange(portal, provider.id_token(), scope="rag-statuses:read")).json()
    async with await desk.holder(answer["access_token"]) as holder:
        response = await holder.get("/identity/v1/me")
    assert response.headers["cache-control"] == "private, no-cache"
    me = response.json()
    assert (me["subject"], me["oauth_client_id"]) == (f"person:{person['id']}", portal["oauth_client_id"])
    assert (me["roles"], me["scopes"], me["academies"]) == (["trustee"], ["rag-statuses:read"], None)
    assert me["leads"] == [137083]
    assert me["trust"]["name"] == "Prospere Learning Trust"
    assert [(view["roles"], view["academies"]) for view in me["views"]] == [
        (["trustee"], None),
        (["headteacher"], [137083]),
    ]


async def test_whoever_holds_a_token_may_ask(client: Clients) -> None:
    operator = await client("identity", "platform-operator", subject="demo:platform-operator")
    me = (await operator.get("/identity/v1/me")).json()
    assert (me["trust"], me["views"]) == (None, [])
    stranger = await client("identity", "follower", scopes=[], trust=OTHER_TRUST, subject="client:not-a-uuid")
    assert (await stranger.get("/identity/v1/me")).json()["scopes"] == []
    nobody = await client("identity")
    assert (await nobody.get("/identity/v1/me")).status_code == 401
