"""What a service's app works with, made once per process."""

from dataclasses import dataclass

from fastapi import FastAPI, Request

from kit.calls.client import Calls
from kit.database.sessions import Database
from kit.disks import Disks
from kit.identity.callers import Authenticator
from kit.identity.keys import KeySource
from kit.objects.stores import ObjectStore
from kit.secrets.sealing import Seal
from kit.settings import ServiceSettings
from kit.shutdown import Closing
from kit.telemetry.metrics import Metrics
from kit.web.kept import KeptAnswers
from kit.web.prepared import PreparedResponses
from kit.web.waits import Waits


@dataclass(slots=True)
class Tools:
    """The tools of one app. Tests give it another database."""

    settings: ServiceSettings
    database: Database
    follower_database: Database | None
    keys: KeySource
    authenticator: Authenticator
    prepared: PreparedResponses
    metrics: Metrics
    waits: Waits
    kept: KeptAnswers
    closing: Closing
    calls: Calls
    objects: ObjectStore
    answer_seal: Seal
    disks: Disks


def tools_of(source: Request | FastAPI) -> Tools:
    """The tools of an app, or of the one that answers a request."""
    app = source.app if isinstance(source, Request) else source
    tools: Tools = app.state.tools
    return tools
