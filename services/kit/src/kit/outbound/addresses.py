"""Which addresses may be reached: those of the public internet, and no others.

The list is kept here and not left to `ipaddress` alone, whose idea of a global address has changed between releases.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_network
from typing import Final

Address = IPv4Address | IPv6Address

# RFC 6890 and the IANA special-purpose registries, with the reason that is shown.
_REFUSED: Final = [
    (ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "an address inside a provider's network"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a reserved address"),
        ("192.31.196.0/24", "a reserved address"),
        ("192.52.193.0/24", "a reserved address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("192.175.48.0/24", "a reserved address"),
        ("198.18.0.0/15", "a private address"),
        ("198.51.100.0/24", "a reserved address"),
        ("203.0.113.0/24", "a reserved address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        # IPv6 addresses that carry an IPv4 address: where they lead is decided by somebody else's translation.
        ("::ffff:0:0/96", "an IPv4 address in IPv6 form"),
        ("::/96", "an IPv4 address in IPv6 form"),
        ("64:ff9b::/96", "an IPv4 address in IPv6 form"),
        ("64:ff9b:1::/48", "an IPv4 address in IPv6 form"),
        ("2001::/32", "an IPv4 address in IPv6 form"),
        ("2002::/16", "an IPv4 address in IPv6 form"),
        ("100::/64", "a reserved address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a reserved address"),
        ("3fff::/20", "a reserved address"),
        ("5f00::/16", "a reserved address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
]
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_METADATA: Final[frozenset[Address]] = frozenset(
    {
        IPv4Address("169.254.169.254"),
        IPv4Address("169.254.170.2"),
        IPv4Address("169.254.170.23"),
        IPv4Address("100.100.100.200"),
        # Azure's, in the middle of the public internet.
        IPv4Address("168.63.129.16"),
        IPv4Address("192.0.0.192"),
        IPv6Address("fd00:ec2::254"),
        IPv6Address("fd00:ec2::23"),
        IPv6Address("fd20:ce::254"),
    }
)
# 5efe: addresses of ISATAP carry an IPv4 address in their last half.
_ISATAP: Final = (0x0000_5EFE, 0x0200_5EFE)


def refusal_of(address: Address) -> str | None:
    """Why an address isn't reached, as `a loopback address`; None when it is one of the public internet."""
    if is_metadata(address):
        return "the metadata address of a cloud"
    for network, reason in _REFUSED:
        if address.version == network.version and address in network:
            return reason
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return "a link-local address"
        if int(address) >> 32 & 0xFFFF_FFFF in _ISATAP:
            return "an IPv4 address in IPv6 form"
        if address not in _GLOBAL_UNICAST:
            return "a reserved address"
    return None


def is_metadata(address: Address) -> bool:
    """Whether a cloud gives out secrets of its machines at this address, or at an IPv4 address that it carries."""
    return address in _METADATA or not _METADATA.isdisjoint(_carried(address))


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that one of IPv6 may be taken for: mapped, translated (NAT64), ISATAP, 6to4, Teredo."""
    if isinstance(address, IPv6Address):
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
