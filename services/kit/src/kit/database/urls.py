"""Database URLs are written as libpq reads them; here they become what asyncpg reads."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# asyncpg takes these itself; everything else in a libpq URL would be sent to the server as a setting.
_LIBPQ_ONLY = re.compile(
    r"^(connect_timeout|keepalives.*|tcp_user_timeout|gssencmode|channel_binding|load_balance_hosts)$"
)


def asyncpg_dsn(url: str) -> str:
    """A libpq URL (several hosts, `host=` folders and `target_session_attrs` included) as asyncpg reads it."""
    parts = urlsplit(url)
    scheme = "postgresql" if parts.scheme.startswith("postgres") else parts.scheme
    query = [(name, value) for name, value in parse_qsl(parts.query) if not _LIBPQ_ONLY.match(name)]
    dsn = urlunsplit((scheme, parts.netloc, parts.path, urlencode(query), ""))
    # urlunsplit drops an empty authority (postgresql:/trellis), and asyncpg needs it.
    return dsn if "://" in dsn else dsn.replace(f"{scheme}:", f"{scheme}://", 1)
