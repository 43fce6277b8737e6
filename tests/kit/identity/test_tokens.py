"""What a good token says, and which claims it must make."""

from typing import Any
from uuid import UUID

import pytest
from jose import jwk, jwt

from kit.database.sessions import context_of
from kit.identity.callers import caller_of
from kit.identity.tokens import Claims, TokenRefused
from tests.kit.forging import KEY, NOW, SECOND, check, claims, signed
from tests.support.tokens import AUDIENCE, ISSUER, KEY_ID, PROSPERE


async def test_good_token_says_who_may_do_what_where() -> None:
    assert await check(signed()) == Claims(
        issuer=ISSUER,
        subject="client:wallboard",
        token_id="0193e2f1",
        key_id=KEY_ID,
        issued_at=NOW,
        expires_at=NOW + 600 * SECOND,
        client_id="wallboard",
        trust=PROSPERE,
        scopes=frozenset({"ratings:read", "events:read"}),
        roles=frozenset({"status-reader"}),
        academies=frozenset({100001, 100002}),
        leads=frozenset(),
        projects=frozenset(),
    )


async def test_a_token_of_a_project_names_it() -> None:
    project = UUID("0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10")
    claims_found = await check(signed(projects=[str(project)]))
    assert claims_found.projects == caller_of(claims_found).projects == {project}
    assert context_of(caller_of(claims_found)).projects == {project}


async def test_library_made_token_is_good() -> None:
    token = jwt.encode(claims(), KEY.pem, algorithm="ES256", headers={"kid": KEY_ID})
    assert (await check(token)).subject == "client:wallboard"


async def test_what_may_be_left_out() -> None:
    found = await check(
        signed(trust=..., academies=..., leads=..., roles=..., scope=..., client_id=..., nbf=int(NOW.timestamp()))
    )
    assert found.trust is None
    assert found.academies is None
    assert not found.scopes
    assert not found.roles
    assert found.client_id is None


@pytest.mark.parametrize("typ", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", ...])
async def test_types_of_access_tokens_are_taken(typ: object) -> None:
    await check(signed({"typ": typ}))


PRESENT = int(NOW.timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        *[{name: ...} for name in ("iss", "aud", "sub", "jti", "exp", "iat")],
        *[{name: None} for name in ("iss", "aud", "sub", "jti", "exp", "iat")],
        {"iss": "http://evil.example"},
        {"iss": f"{ISSUER}/"},
        {"iss": [ISSUER]},
        {"iss": ISSUER.upper()},
        {"aud": "other"},
        {"aud": []},
        {"aud": ["other", 1]},
        {"aud": {"trellis": True}},
        {"aud": "trellis-not"},
        {"sub": ""},
        {"sub": 1},
        {"sub": "a" * 256},
        {"sub": "a\nb"},
        {"jti": ["x"]},
        {"exp": PRESENT},
        {"exp": PRESENT - 1},
        {"exp": str(PRESENT + 600)},
        {"exp": float(PRESENT + 600)},
        {"exp": True},
        {"exp": -1},
        {"exp": 0},
        {"exp": 10**400},
        {"exp": PRESENT + 10**6},
        {"exp": [PRESENT + 600]},
        {"iat": PRESENT + 31, "exp": PRESENT + 600},
        {"iat": str(PRESENT)},
        {"iat": PRESENT + 600, "exp": PRESENT + 500},
        {"nbf": PRESENT + 31},
        {"nbf": "soon"},
        {"nbf": PRESENT + 0.5},
        {"trust": "16846"},
        {"projects": "0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10"},
        {"projects": ["one"]},
        {"projects": [1]},
        {"projects": [None]},
        {"projects": {"0193e2f1-8a39-7a7e-8b2e-5c7e0d8f9a10": True}},
        {"trust": 16846},
        {"trust": [str(PROSPERE)]},
        {"scope": ["ratings:read"]},
        {"scope": 1},
        {"scope": "a" * 5000},
        {"roles": "chief-executive"},
        {"roles": [1]},
        {"academies": "100001"},
        {"academies": ["100001"]},
        {"academies": [True]},
        {"academies": [100001.0]},
        {"academies": {}},
        {"leads": [None]},
        {"client_id": 7},
        {"client_id": ""},
    ],
)
async def test_missing_or_wrong_claim_is_refused_although_well_signed(changes: dict[str, Any]) -> None:
    with pytest.raises(TokenRefused):
        await check(signed(**changes))


async def test_token_counts_until_its_last_second() -> None:
    token = signed()
    await check(token, now=NOW + 599 * SECOND)
    for late in (600, 601, 10**6):
        with pytest.raises(TokenRefused, match="expired"):
            await check(token, now=NOW + late * SECOND)


async def test_issuer_clock_may_be_a_little_ahead() -> None:
    await check(signed(), now=NOW - 30 * SECOND)
    with pytest.raises(TokenRefused, match="future"):
        await check(signed(), now=NOW - 31 * SECOND)


async def test_several_audiences_are_fine_when_ours_is_among_them() -> None:
    await check(signed(aud=["other", AUDIENCE]))


async def test_large_but_bearable_token_is_fine() -> None:
    assert len((await check(signed(academies=list(range(100_000, 100_500))))).academies or ()) == 500


async def test_library_alone_would_have_believed_a_token_without_expiry() -> None:
    """Why every claim is required here: python-jose takes this token."""
    token = signed(exp=...)
    assert jwt.decode(token, jwk.construct(dict(KEY.public), "ES256"), algorithms=["ES256"], audience=AUDIENCE)
    with pytest.raises(TokenRefused, match="exp"):
        await check(token)


async def test_trust_is_read_as_an_id() -> None:
    assert (await check(signed())).trust == UUID(str(PROSPERE))
