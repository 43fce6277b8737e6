"""What tests stand on: a Postgres of their own, tokens, clients."""
