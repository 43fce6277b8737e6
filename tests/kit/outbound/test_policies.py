"""Which URLs are called."""

from ipaddress import ip_address

import httpx
import pytest

from kit.outbound.errors import AddressNotAllowed, UrlNotAllowed
from kit.outbound.hosts import opened_hosts
from kit.outbound.policies import OutboundPolicy, Target
from tests.support.clients import settings_of

STRICT = OutboundPolicy()
OPENED = OutboundPolicy(opened_hosts(["mis.trust.local", "10.0.0.5:8443", "[fd12::1]:443"]))
DEMO = OutboundPolicy(opens_loopback=True)


def target(policy: OutboundPolicy, url: str) -> Target:
    return policy.target(httpx.URL(url))


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://Example.ORG", Target("https", "example.org", 443)),
        ("https://example.org./a?b#c", Target("https", "example.org", 443)),
        ("https://example.org:8443/", Target("https", "example.org", 8443)),
        ("https://93.184.216.34/", Target("https", "93.184.216.34", 443)),
        ("https://[2606:2800:220:1::1]/", Target("https", "2606:2800:220:1::1", 443)),
        ("https://b\u00fccher.example/", Target("https", "xn--bcher-kva.example", 443)),
    ],
)
def test_https_to_a_host_is_called_in_its_one_spelling(url: str, found: Target) -> None:
    assert target(STRICT, url) == found


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/",
        "ftp://example.org/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "//example.org/",
        "example.org",
        "",
        "https://",
        "https://user@example.org/",
        "https://user:password@example.org/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://017700000001/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://127.0.1/",
        "https://01.2.3.4/",
        "https://1.2.3.4.5/",
        "https://256.1.1.1/",
        "https://[fe80::1%25eth0]/",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    for policy in (STRICT, OPENED, DEMO):
        with pytest.raises((UrlNotAllowed, httpx.InvalidURL)):
            target(policy, url)


def test_http_is_called_where_the_operator_opened_it() -> None:
    assert target(OPENED, "http://mis.trust.local:8080/").port == 8080
    assert target(OPENED, "http://10.0.0.5:8443/").port == 8443
    for url in ("http://10.0.0.5/", "http://www.mis.trust.local/", "http://localhost/"):
        with pytest.raises(UrlNotAllowed):
            target(OPENED, url)


def test_an_opened_host_may_lead_inside_but_never_to_metadata() -> None:
    inside = [ip_address("10.0.0.7"), ip_address("127.0.0.1")]
    OPENED.check(target(OPENED, "https://mis.trust.local/"), inside)
    OPENED.check(target(OPENED, "https://[fd12::1]/"), [ip_address("fd12::1")])
    with pytest.raises(AddressNotAllowed, match="metadata"):
        OPENED.check(target(OPENED, "http://mis.trust.local/"), [ip_address("169.254.169.254")])
    with pytest.raises(AddressNotAllowed, match="private"):
        OPENED.check(target(OPENED, "https://other.trust.local/"), inside)
    with pytest.raises(AddressNotAllowed, match="private"):
        OPENED.check(target(OPENED, "https://10.0.0.5/"), [ip_address("10.0.0.5")])


def test_one_bad_address_among_good_ones_is_enough() -> None:
    mixed = [ip_address("93.184.216.34"), ip_address("::1")]
    with pytest.raises(AddressNotAllowed, match=r"example\.org leads to ::1, a loopback address"):
        STRICT.check(target(STRICT, "https://example.org/"), mixed)


def test_the_demo_opens_this_machine_and_nothing_else() -> None:
    for url in ("http://localhost:9000/", "http://127.0.0.1/", "http://[::1]/", "https://localhost/"):
        found = target(DEMO, url)
        DEMO.check(found, [ip_address("127.0.0.1"), ip_address("::1")])
        with pytest.raises(AddressNotAllowed):
            DEMO.check(found, [ip_address("10.0.0.1")])
        with pytest.raises(AddressNotAllowed):
            STRICT.check(found, [ip_address("127.0.0.1")])
    with pytest.raises(UrlNotAllowed):
        target(DEMO, "http://example.org/")


@pytest.mark.parametrize(
    "entry", ["", "*", "*.example.org", "https://a", "a/b", "u@a", "a:b", "a:1:2", "2130706433", "a?b"]
)
def test_an_allow_list_holds_hosts(entry: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        opened_hosts([entry])


def test_an_installation_says_what_is_open() -> None:
    settings = settings_of("academy", "postgresql:///x")
    assert OutboundPolicy.of(settings) == STRICT
    opened = settings.model_copy(update={"outbound_allow": ["A.example:80"], "env": "demo"})
    assert OutboundPolicy.of(opened) == OutboundPolicy(frozenset({("a.example", 80)}), opens_loopback=True)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fe80::5efe:a9fe:a9fe",
        "2001:0:1::5601:5601",
    ],
)
def test_an_opened_host_leads_to_no_metadata_address_in_any_form(address: str) -> None:
    opened = Target("https", "mis.trust.local", 443)
    with pytest.raises(AddressNotAllowed):
        OPENED.check(opened, [ip_address(address)])
    OPENED.check(opened, [ip_address("::ffff:10.0.0.1"), ip_address("10.0.0.1")])
