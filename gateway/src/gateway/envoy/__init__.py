"""The door itself: Envoy, configured from one table of routes.

`routes.py` says for each path who answers it, whether a token is needed, how large a body may be and how long an
answer may take. `render` turns that table and the settings into Envoy's configuration; nobody writes that
configuration by hand. Services check the token again: what Envoy refuses never costs them anything, and what it
lets through is not believed for that.

`python -m gateway.envoy` prints the configuration, `python -m gateway.envoy --validate` asks Envoy what it thinks
of it.
"""

from gateway.envoy.configuration import render
from gateway.envoy.program import InvalidConfiguration, binary, command, validate, write
from gateway.envoy.settings import EnvoySettings

__all__ = ["EnvoySettings", "InvalidConfiguration", "binary", "command", "render", "validate", "write"]
