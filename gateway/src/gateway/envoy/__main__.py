"""`python -m gateway.envoy`: print the configuration that the environment asks for, or ask Envoy about it."""

import argparse
import json
import sys

from gateway.envoy import EnvoySettings, InvalidConfiguration, render, validate


def main() -> int:
    """Print the configuration as JSON; with `--validate` only say whether Envoy takes it."""
    parser = argparse.ArgumentParser(prog="python -m gateway.envoy", description=__doc__)
    parser.add_argument("--validate", action="store_true", help="ask Envoy whether it would start with it")
    arguments = parser.parse_args()
    configuration = render(EnvoySettings())
    if not arguments.validate:
        json.dump(configuration, sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    try:
        validate(configuration)
    except InvalidConfiguration as refused:
        sys.stderr.write(f"{refused}\n")
        return 1
    sys.stdout.write("Envoy takes this configuration.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
