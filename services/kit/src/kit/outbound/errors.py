"""Why there is no answer from an address that a user typed, in words that may be shown to them."""


class OutboundError(Exception):
    """There is no answer; the message says why."""


class UrlNotAllowed(OutboundError):
    """The URL can't be used: another scheme, a password in it, or a host that is written in an odd way."""


class AddressNotAllowed(OutboundError):
    """The host leads to an address inside this network or machine, or to one of no use."""


class HostNotFound(OutboundError):
    """The host has no address."""


class HostUnreachable(OutboundError):
    """Nobody answered at the address, or not in TLS or HTTP that can be trusted."""


class RedirectNotAllowed(OutboundError):
    """The server sent us to another place."""


class AnswerTooLarge(OutboundError):
    """The answer is larger than what is read."""


class AnswerTooSlow(OutboundError):
    """The answer wasn't there in time."""


class AnswerUnreadable(OutboundError):
    """The answer is compressed in a way that we didn't ask for, or is damaged."""
