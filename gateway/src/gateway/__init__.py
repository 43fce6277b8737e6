"""The one door: Envoy configuration, identity (tokens, keys, grants) and the API portal."""
