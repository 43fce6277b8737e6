"""Tokens of the service's own: when they are fetched, and how often."""

import asyncio
from uuid import UUID

import pytest

from kit.calls.declared import TokenAnswer
from kit.calls.tokens import ServiceTokens
from tests.support.tokens import OTHER_TRUST, PROSPERE


class Office:
    """Gives out tokens and counts them."""

    def __init__(self, expires_in: int = 600) -> None:
        self.given: list[UUID | None] = []
        self.expires_in = expires_in
        self.fails = 0

    async def fetch(self, trust_id: UUID | None) -> TokenAnswer:
        """The next token."""
        await asyncio.sleep(0.01)
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        self.given.append(trust_id)
        return TokenAnswer(access_token=f"token-{len(self.given)}", expires_in=self.expires_in)


async def test_one_token_per_trust_fetched_once_however_many_ask() -> None:
    office = Office()
    tokens = ServiceTokens(office.fetch)
    asked = [tokens.token(trust) for trust in (PROSPERE, OTHER_TRUST, None) for _ in range(20)]
    assert len(set(await asyncio.gather(*asked))) == 3
    assert sorted(map(str, office.given)) == sorted(map(str, [PROSPERE, OTHER_TRUST, None]))


async def test_a_token_is_fetched_again_before_it_expires() -> None:
    office = Office(expires_in=60)
    tokens = ServiceTokens(office.fetch)
    loop = asyncio.get_running_loop()
    assert await tokens.token(PROSPERE) == "token-1"
    kept = tokens._kept[PROSPERE]
    # Half a minute of it is left unused.
    assert 29 < kept.good_until - loop.time() <= 30
    kept.good_until = loop.time()
    assert await tokens.token(PROSPERE) == "token-2"


async def test_a_refused_token_is_forgotten_unless_it_was_replaced() -> None:
    tokens = ServiceTokens(Office().fetch)
    first = await tokens.token(PROSPERE)
    tokens.forget(PROSPERE, first)
    second = await tokens.token(PROSPERE)
    tokens.forget(PROSPERE, first)
    assert (first, second, await tokens.token(PROSPERE)) == ("token-1", "token-2", "token-2")


async def test_a_fetch_that_failed_is_tried_by_the_next() -> None:
    office = Office()
    office.fails = 1
    tokens = ServiceTokens(office.fetch)
    results = await asyncio.gather(*(tokens.token(PROSPERE) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [ConnectionError, str, str]


async def test_the_number_of_tokens_is_bounded() -> None:
    office = Office()
    tokens = ServiceTokens(office.fetch, most=2)
    for number in range(5):
        await tokens.token(UUID(int=number))
    assert len(tokens._kept) == 2


def test_a_token_is_in_no_repr() -> None:
    with pytest.raises(ValueError, match="expires_in") as refused:
        TokenAnswer.model_validate({"access_token": "of-the-service"})
    assert "of-the-service" not in str(refused.value) + repr(TokenAnswer(access_token="of-the-service", expires_in=1))
