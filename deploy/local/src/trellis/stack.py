"""What an installation runs: the services, their workers, the gateway before them; with what each is told."""

from collections.abc import Mapping, Sequence

from gateway import envoy
from trellis.installation import Installation, python
from trellis.probes import Probe
from trellis.programs import Program
from trellis.settings import SECRET_KEYS, derived_keys

SERVICES: Mapping[str, str] = {
    "identity": "gateway.main:create_app",
    "academy": "academy.main:create_app",
    "research": "research.main:create_app",
    "reporting": "reporting.main:create_app",
}
"""The web applications by name; each listens on the socket of its name."""

WORKERS: Mapping[str, str] = {
    "academy": "academy.worker",
    "research": "research.worker",
    "reporting": "reporting.worker",
}
"""The module of each service's background worker."""

GATEWAY = "envoy"
IDENTITY = "identity"
_SECRET_ENDINGS = ("DATABASE_URL", "SERVICE_CLIENT_ID", "SERVICE_CLIENT_SECRET")
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 75
"""Longer than the gateway keeps an idle connection, so that it never sends into one that is being closed."""


def programs_of(installation: Installation) -> Sequence[Program]:
    """Everything that must run. Writes the gateway's configuration. Raises pydantic's ValidationError."""
    environment = installation.environment()
    return [
        *(_service(installation, name, app, environment) for name, app in SERVICES.items()),
        *(_worker(installation, name, module, environment) for name, module in WORKERS.items()),
        _gateway(installation),
    ]


def only_for(service: str, environment: Mapping[str, str], *, is_worker: bool = False) -> dict[str, str]:
    """The environment of one service, or of its worker, without what only others need.

    Identity alone gets the secret keys, which open the keys that sign tokens; the others get keys of their own that
    are derived from them. Only workers load reference data, and only what stores files reaches the object store.
    """
    others = tuple(f"TRELLIS_{name.upper()}_" for name in SERVICES if name != service)
    found = {
        name: value
        for name, value in environment.items()
        if not (name.startswith(others) and name.endswith(_SECRET_ENDINGS))
        and (is_worker or not name.endswith("_LOADER_DATABASE_URL"))
    }
    if service == IDENTITY:
        return {name: value for name, value in found.items() if not name.startswith("AWS_")}
    found["TRELLIS_DERIVED_KEYS"] = derived_keys(service, environment)
    hidden = (*SECRET_KEYS, "TRELLIS_SERVICE_CLIENTS")
    return {name: value for name, value in found.items() if name not in hidden}


def without_secrets(installation: Installation) -> dict[str, str]:
    """The environment of what needs no settings: the process that forks programs, and the gateway.

    What a program needs to run, and nothing else.
    """
    kept = ("PYTHON", "MALLOC_", "LC_")
    names = {"PATH", "HOME", "LANG", "LD_LIBRARY_PATH", "TMPDIR", "TZ", "TRELLIS_STATE_DIR"}
    environment = installation.environment()
    return {name: value for name, value in environment.items() if name in names or name.startswith(kept)}


def _service(installation: Installation, name: str, app: str, environment: Mapping[str, str]) -> Program:
    socket = installation.state.socket(name)
    # An app of one's own around the service's: what `make bench` measures against lives beside it.
    app = environment.get(f"TRELLIS_{name.upper()}_APP", app)
    arguments = [
        *("uvicorn", "--factory", app, "--uds", str(socket)),
        *("--no-access-log", "--no-server-header", "--lifespan", "on", "--log-level", "warning"),
        *("--timeout-keep-alive", str(KEEP_ALIVE_SECONDS)),
        *("--timeout-graceful-shutdown", str(GRACE_SECONDS)),
    ]
    several = installation.settings.workers > 1 and name != IDENTITY
    if several:
        arguments += ["--workers", str(installation.settings.workers)]
    return Program(
        name,
        [*python(), "-m", *arguments],
        # uvicorn starts several processes as interpreters of their own.
        module=arguments if installation.shares_libraries and not several else (),
        probe=Probe("/readyz", unix=socket),
        alive=Probe("/healthz", unix=socket),
        patience_seconds=installation.settings.hang_seconds,
        environment=only_for(name, environment),
        wait_seconds=GRACE_SECONDS + 5,
    )


def _worker(installation: Installation, service: str, module: str, environment: Mapping[str, str]) -> Program:
    name = f"{service}-worker"
    socket = installation.state.socket(name)
    return Program(
        name,
        [*python(), "-m", module],
        module=[module] if installation.shares_libraries else (),
        probe=Probe("/readyz", unix=socket),
        alive=Probe("/healthz", unix=socket),
        patience_seconds=installation.settings.hang_seconds,
        environment={**only_for(service, environment, is_worker=True), "TRELLIS_WORKER_SOCKET": str(socket)},
        wait_seconds=15.0,
    )


def _gateway(installation: Installation) -> Program:
    local = installation.settings
    settings = envoy.EnvoySettings(
        listen_address=local.listen_address,
        listen_port=local.listen_port,
        public_url=local.public_url,
        state_dir=local.state_dir,
        run_dir=installation.state.sockets,
    )
    path = envoy.write(envoy.render(settings), installation.state.gateway)
    return Program(
        GATEWAY,
        envoy.command(path, settings),
        probe=Probe(
            "/readyz", host=local.local_address, port=local.listen_port, tls=settings.tls_certificate is not None
        ),
        # Not at its port: strangers can take all connections there.
        alive=Probe("/ready", unix=settings.admin_socket),
        patience_seconds=local.hang_seconds,
        after=(IDENTITY,),
        # All that it needs to know stands in its configuration.
        environment=without_secrets(installation),
        stops_last=True,
    )
