"""What the token endpoint refuses, in the words of OAuth (RFC 6749, 5.2; RFC 8693, 2.2.2)."""

from collections.abc import Mapping
from typing import ClassVar

from kit.problems import InvalidRequest


class TokenNotGiven(Exception):
    """No token for this request."""

    status: ClassVar[int] = 400
    error: ClassVar[str] = "invalid_request"

    def __init__(self, description: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.headers = dict(headers or {})


class RequestMalformed(TokenNotGiven):
    """The request lacks something, says something twice, or brings an ID token that doesn't count."""


class ClientUnknown(TokenNotGiven):
    """The client is unknown or its credentials are wrong."""

    status = 401
    error = "invalid_client"

    def __init__(self, description: str) -> None:
        super().__init__(description, headers={"WWW-Authenticate": 'Basic realm="trellis", charset="UTF-8"'})


class ClientNotEntitled(TokenNotGiven):
    """The client is known and may not ask like this."""

    error = "unauthorized_client"


class GrantTypeUnknown(TokenNotGiven):
    """There is no such way to get a token here."""

    error = "unsupported_grant_type"


class ScopeNotGiven(TokenNotGiven):
    """A scope that doesn't exist, or that the holder's roles don't give."""

    error = "invalid_scope"


class TargetUnknown(TokenNotGiven):
    """The token is wanted for another service than this."""

    error = "invalid_target"


class TooManyAttempts(TokenNotGiven):
    """Too many attempts failed; wait."""

    status = 429
    error = "slow_down"

    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"Too many attempts failed. Try again in {seconds} seconds.", headers={"Retry-After": str(seconds)}
        )


class OverBurdened(TokenNotGiven):
    """Too many secrets are being checked."""

    status = 503
    error = "temporarily_unavailable"

    def __init__(self) -> None:
        super().__init__("Try again in a moment.", headers={"Retry-After": "1"})


class DemoTokenInvalid(InvalidRequest):
    """The role can't be held with this extent, or an academy isn't the trust's."""
