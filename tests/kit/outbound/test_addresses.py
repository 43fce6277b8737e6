"""Which addresses are reached."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.outbound.addresses import is_metadata, refusal_of


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("0.0.0.0", "unspecified"),  # noqa: S104 - only looked at
        ("0.1.2.3", "unspecified"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("198.18.0.1", "private"),
        ("100.64.0.1", "provider"),
        ("100.127.255.255", "provider"),
        ("169.254.0.1", "link-local"),
        ("169.254.169.254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("224.0.0.1", "multicast"),
        ("239.255.255.255", "multicast"),
        ("240.0.0.1", "reserved"),
        ("255.255.255.255", "reserved"),
        ("192.0.0.8", "reserved"),
        ("192.88.99.1", "reserved"),
        ("203.0.113.7", "reserved"),
        ("::", "unspecified"),
        ("::1", "loopback"),
        ("::ffff:127.0.0.1", "IPv6 form"),
        ("::ffff:93.184.216.34", "IPv6 form"),
        ("::7f00:1", "IPv6 form"),
        ("64:ff9b::7f00:1", "IPv6 form"),
        ("64:ff9b:1::7f00:1", "IPv6 form"),
        ("2002:7f00:1::", "IPv6 form"),
        ("2001:0:7f00:1::", "IPv6 form"),
        ("2a00::5efe:7f00:1", "IPv6 form"),
        ("2a00::200:5efe:7f00:1", "IPv6 form"),
        ("2001:db8::1", "reserved"),
        ("fc00::1", "private"),
        ("fd12:3456::1", "private"),
        ("fd00:ec2::254", "metadata"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("2a00::1%eth0", "link-local"),
        ("fec0::1", "private"),
        ("ff02::1", "multicast"),
        ("4000::1", "reserved"),
    ],
)
def test_what_is_not_of_the_public_internet_is_refused_with_the_reason(address: str, reason: str) -> None:
    assert reason in str(refusal_of(ip_address(address)))


@pytest.mark.parametrize(
    "address",
    ["93.184.216.34", "1.1.1.1", "172.32.0.1", "100.128.0.1", "169.253.1.1", "223.255.255.255", "2606:2800:220:1::1"],
)
def test_the_public_internet_is_reached(address: str) -> None:
    assert refusal_of(ip_address(address)) is None
    assert not is_metadata(ip_address(address))


@given(st.ip_addresses())
def test_nothing_is_reached_that_the_standard_library_calls_special(address: object) -> None:
    found = ip_address(str(address))
    special = (
        found.is_private
        or found.is_loopback
        or found.is_link_local
        or found.is_multicast
        or found.is_reserved
        or found.is_unspecified
        or not found.is_global
    )
    assert not special or refusal_of(found) is not None
