"""The operator's guide names every setting and every command."""

import re

import pytest
from pydantic_settings import BaseSettings

from academy.imports.receiving.limits import ImportLimits
from gateway.envoy import EnvoySettings
from gateway.identity.settings import IdentitySettings
from tests.support.stack import HOUSE
from trellis.cli import app
from trellis.judging import OF_THE_PORTAL
from trellis.settings import LocalSettings

GUIDE = (HOUSE / "docs" / "guides" / "operating.md").read_text()

PER_SERVICE = {
    "database_url",
    "loader_database_url",
    "follower_database_url",
    "service_client_id",
    "service_client_secret",
}


@pytest.mark.parametrize("settings", [LocalSettings, EnvoySettings, IdentitySettings, ImportLimits])
def test_every_setting_is_in_the_guide(settings: type[BaseSettings]) -> None:
    prefix = settings.model_config["env_prefix"]
    names = {
        f"TRELLIS_<SERVICE>_{name.upper()}" if name in PER_SERVICE else f"{prefix}{name.upper()}"
        for name in settings.model_fields
        if name != "service"
    }
    names |= OF_THE_PORTAL
    assert names - set(re.findall(r"`(TRELLIS_[A-Z_<>]+)`", GUIDE)) == set()


def test_every_setting_in_the_guide_exists() -> None:
    known = {
        f"{settings.model_config['env_prefix']}{name.upper()}"
        for settings in (LocalSettings, EnvoySettings, IdentitySettings, ImportLimits)
        for name in settings.model_fields
    }
    known |= OF_THE_PORTAL
    named = {name for name in re.findall(r"`(TRELLIS_[A-Z_]+)`", GUIDE) if "<" not in name}
    assert named - known == set()


def test_every_command_has_a_help_text_that_fits_a_line() -> None:
    for command in app.registered_commands:
        assert command.callback is not None
        first = (command.callback.__doc__ or "").split("\n")[0]
        assert 0 < len(first) <= 110
