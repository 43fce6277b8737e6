"""The page itself, filled in for one installation."""

from collections.abc import Iterable, Mapping
from html import escape
from importlib import resources
from string import Template
from typing import Final

from gateway.identity.roles import ROLES, Extent, Role
from gateway.portal.guides import Guide, guide_links

LABELS: Final[Mapping[str, str]] = {
    "academy": "Academy",
    "research": "Research",
    "reporting": "Reporting",
    "identity": "Identity",
    "trellis": "All in one",
}
"""What the tabs say, in their order; a contract that isn't listed stands last under its own name."""

_CLIENT_HOW: Final = "A machine gets one for its client id and secret, which your trust's administrator gives you."
_READ_ANSWER: Final = """sed -n 's/.*"access_token": *"\\([^"]*\\)".*/\\1/p'"""
_CLIENT_COMMAND: Final = f"""TOKEN=$(curl -s -u "<var>CLIENT_ID</var>:<var>SECRET</var>" \\
  -d grant_type=client_credentials <span data-origin>{{url}}</span>/identity/v1/token | {_READ_ANSWER})"""

_DEMO_HOW: Final = (
    "This is a demo: anybody is who they say. Elsewhere a machine gets one for its client id and secret at "
    "<code>/identity/v1/token</code>."
)
_DEMO_COMMAND: Final = f"""TOKEN=$(curl -s -H "Content-Type: application/json" -d '{{{{"role": "status-reader"}}}}' \\
<span data-origin>{{url}}</span>/identity/v1/demo-token | {_READ_ANSWER})"""
_FIRST_ROLE: Final = "chief-executive"


def page(public_url: str, contracts: Iterable[str], guides: tuple[Guide, ...] = (), *, is_demo: bool) -> bytes:
    """The page as HTML, with a tab for each of these contracts and a link to each of these guides."""
    template = resources.files("gateway.portal").joinpath("static/index.html").read_text(encoding="utf-8")
    names = sorted(contracts, key=lambda name: (_place(name), name))
    url = escape(public_url)
    filled = Template(template).substitute(
        how=_DEMO_HOW if is_demo else _CLIENT_HOW,
        token_command=(_DEMO_COMMAND if is_demo else _CLIENT_COMMAND).format(url=url),
        public_url=url,
        tabs="\n".join(_tab(name) for name in names),
        demo=_demo() if is_demo else "",
        guides=guide_links(guides) or "<li>none here</li>",
        first_contract=f"/openapi/{escape(names[0])}.v1.json" if names else "/",
        files=", ".join(_file(name) for name in names) or "none here",
    )
    return filled.encode()


def _place(name: str) -> int:
    return list(LABELS).index(name) if name in LABELS else len(LABELS)


def _tab(name: str) -> str:
    label = escape(LABELS.get(name, name))
    return f'            <li><a href="/?contract={escape(name)}" data-contract="{escape(name)}">{label}</a></li>'


def _file(name: str) -> str:
    return f'<a href="/openapi/{escape(name)}.v1.json">{escape(LABELS.get(name, name))}</a>'


def _demo() -> str:
    options = "".join(
        f'<option value="{escape(code)}" data-extent="{_least(role)}"{" selected" if code == _FIRST_ROLE else ""}>'
        f"{escape(role.title)}</option>"
        for code, role in ROLES.items()
    )
    return (
        f'            <label for="role">Demo role</label>\n            <select id="role">{options}</select>\n'
        '            <span id="of-academy" hidden><label for="academy">of</label>\n'
        '              <select id="academy"></select></span>\n'
        '            <button type="button" id="demo-token">Get a token</button>'
    )


def _least(role: Role) -> str:
    """What a demo token of this role must name: nothing where the role can count for the whole trust."""
    return "" if Extent.TRUST in role.extents else "academies"
