"""Attacks on the guarded client by names, addresses and redirects, with a real server on this machine."""

import asyncio
import ssl
from ipaddress import ip_address
from pathlib import Path

import pytest

from kit.outbound.client import GuardedClient, Limits
from kit.outbound.connecting import resolve
from kit.outbound.errors import (
    AddressNotAllowed,
    HostNotFound,
    HostUnreachable,
    OutboundError,
    RedirectNotAllowed,
    UrlNotAllowed,
)
from kit.outbound.policies import OutboundPolicy
from tests.kit.outbound.internet import (
    HTTP,
    OTHER,
    PUBLIC,
    URL,
    Internet,
    Names,
    answers,
    calling,
    got,
    moved,
    ok,
    server,
)
from tests.support.certificates import certificate_for


async def test_an_answer_comes_from_the_address_that_was_checked() -> None:
    handle, requests = answers(ok(b"fine", "X-Mark: here"))
    names = Names([PUBLIC, OTHER])
    async with calling(handle, names) as (client, internet):
        answer = await client.get(URL, headers={"Accept": "text/plain"})
    assert (answer.status, answer.content, answer.headers["x-mark"], answer.url) == (200, b"fine", "here", URL)
    assert (names.asked, internet.connected) == (["opened.example"], [PUBLIC])
    head = requests[0].lower()
    assert head.startswith(b"get /a http/1.1\r\n")
    assert b"host: opened.example\r\n" in head
    assert b"accept: text/plain\r\n" in head


async def test_a_body_is_sent() -> None:
    received = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        received.append(await reader.readexactly(5))
        writer.write(ok(b"", status="404 Not Found"))

    async with calling(handle) as (client, _):
        assert (await client.request("POST", URL, content=b"hello")).status == 404
    assert received == [b"hello"]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "fe80::1"],
)
@pytest.mark.parametrize("before", [[], [PUBLIC]], ids=["alone", "after a public one"])
async def test_a_name_that_leads_inside_is_not_called(address: str, before: list[str]) -> None:
    handle, requests = answers(ok())
    async with calling(handle, Names([*before, address]), OutboundPolicy()) as (client, internet):
        with pytest.raises(AddressNotAllowed, match=r"inside\.example leads to"):
            await client.get("https://inside.example/")
    assert (internet.connected, requests) == ([], [])


async def test_a_name_that_leads_elsewhere_after_the_check_gains_nothing() -> None:
    handle, _ = answers(ok())
    names = Names([PUBLIC], ["169.254.169.254"])
    async with calling(handle, names) as (client, internet):
        assert (await client.get(URL)).status == 200
        assert (len(names.asked), internet.connected) == (1, [PUBLIC])
        with pytest.raises(AddressNotAllowed, match="metadata"):
            await client.get(URL)
    assert internet.connected == [PUBLIC]


async def test_a_name_is_checked_again_after_a_redirect() -> None:
    handle, _ = answers(moved("/b"), ok())
    async with calling(handle, Names([PUBLIC], ["169.254.169.254"])) as (client, internet):
        with pytest.raises(AddressNotAllowed, match="metadata"):
            await client.get(URL)
    assert internet.connected == [PUBLIC]


@pytest.mark.parametrize(
    "host",
    [
        *("2130706433", "0x7f000001", "0x7f.1", "017700000001", "0177.0.0.1", "127.1", "0", "0x0", "127.0.0.1"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:1]", "[64:ff9b::7f00:1]"),
        *("localhost", "127.0.0.1.", "LOCALHOST."),
    ],
)
async def test_this_machine_is_not_reached_however_it_is_spelled(host: str) -> None:
    handle, requests = answers(ok())
    async with server(handle) as port:
        with pytest.raises((UrlNotAllowed, AddressNotAllowed)):
            await GuardedClient(OutboundPolicy()).get(f"https://{host}:{port}/")
    assert requests == []


async def test_the_demo_reaches_this_machine() -> None:
    handle, _ = answers(ok())
    async with server(handle) as port:
        client = GuardedClient(OutboundPolicy(opens_loopback=True))
        for host in ("127.0.0.1", "localhost"):
            assert (await client.get(f"http://{host}:{port}/")).content == b"fine"


async def test_the_operating_systems_names_are_used() -> None:
    assert ip_address("127.0.0.1") in await resolve("localhost", 443)
    assert await resolve("a" * 64 + ".example", 443) == []


async def test_a_host_without_an_address_is_said() -> None:
    with pytest.raises(HostNotFound, match=r"nobody\.example has no address"):
        await GuardedClient(OutboundPolicy(), resolve=Names([])).get("https://nobody.example/")


async def test_a_redirect_within_the_host_is_followed_a_few_times() -> None:
    handle, requests = answers(moved("/b"), moved("http://opened.example/c?d=e", "308 Permanent Redirect"), ok())
    answer = await got(handle)
    assert (answer.content, answer.url) == (b"fine", "http://opened.example/c?d=e")
    assert [request.split()[1] for request in requests] == [b"/a", b"/b", b"/c?d=e"]


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://other.example/",
        "//other.example/",
        "http://opened.example.other.example/",
        "http://opened.example:8080/",
        "https://opened.example:8443/",
        "file:///etc/passwd",
        "http://user:password@opened.example/",
        "http://[",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(location: str) -> None:
    handle, requests = answers(moved(location), ok())
    with pytest.raises((RedirectNotAllowed, UrlNotAllowed)):
        await got(handle)
    assert len(requests) == 1


async def test_redirects_without_end_come_to_one() -> None:
    handle, requests = answers(moved("/a"))
    with pytest.raises(RedirectNotAllowed):
        await got(handle, limits=Limits(redirects=2))
    assert len(requests) == 3


async def test_what_changes_something_is_not_sent_on() -> None:
    handle, requests = answers(moved("/b", "307 Temporary Redirect"), ok())
    async with calling(handle) as (client, _):
        with pytest.raises(RedirectNotAllowed):
            await client.request("POST", URL, content=b"x")
    assert len(requests) == 1


async def test_another_address_is_tried_when_one_is_dead() -> None:
    handle, _ = answers(ok())
    async with server(handle) as port:
        internet = Internet(port, dead=[PUBLIC])
        client = GuardedClient(HTTP, resolve=Names([PUBLIC, OTHER]), network=internet)
        assert (await client.get(URL)).status == 200
        assert internet.connected == [PUBLIC, OTHER]
        with pytest.raises(HostUnreachable, match="doesn't answer"):
            await GuardedClient(HTTP, resolve=Names([PUBLIC]), network=internet).get(URL)


async def test_no_proxy_of_the_environment_leads_around_the_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, through_proxy = answers(ok(b"from the proxy"))
    handle, _ = answers(ok())
    async with server(proxy) as port:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        assert (await got(handle)).content == b"fine"
    assert through_proxy == []


async def test_tls_is_for_the_name_and_not_for_the_address(tmp_path: Path) -> None:
    names_asked: list[str | None] = []
    certificate = certificate_for("provider.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.sni_callback = lambda _socket, name, _context: names_asked.append(name)
    authorities = ssl.create_default_context(cafile=str(certificate[0]))
    handle, _ = answers(ok())
    async with server(handle, context) as port:
        client = GuardedClient(
            OutboundPolicy(), resolve=Names([PUBLIC]), network=Internet(port), authorities=authorities
        )
        assert (await client.get("https://provider.example/")).content == b"fine"
        assert names_asked == ["provider.example"]
        with pytest.raises(HostUnreachable):
            await client.get("https://another.example/")
        strangers = GuardedClient(OutboundPolicy(), resolve=Names([PUBLIC]), network=Internet(port))
        with pytest.raises(HostUnreachable):
            await strangers.get("https://provider.example/")


async def test_a_name_that_leads_to_this_machine_the_second_time_is_not_called_again(tmp_path: Path) -> None:
    certificate = certificate_for("rebinding.example", tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    authorities = ssl.create_default_context(cafile=str(certificate[0]))
    handle, requests = answers(moved("/b"), ok())
    async with server(handle, context) as port:
        names, internet = Names([PUBLIC], ["127.0.0.1"]), Internet(port)
        client = GuardedClient(OutboundPolicy(), resolve=names, network=internet, authorities=authorities)
        with pytest.raises(AddressNotAllowed, match="loopback"):
            await client.get("https://rebinding.example/")
    assert (internet.connected, len(names.asked), len(requests)) == ([PUBLIC], 2, 1)


@pytest.mark.parametrize(
    "url", ["", "https://", "http://[", "\x00", "https://a b/", "https://example.org:99999/", "https://a:0/"]
)
async def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(OutboundError):
        await GuardedClient(OutboundPolicy()).get(url)
