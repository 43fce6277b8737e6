"""Calls to the other services: as the caller whose request is served, or in a job as the service itself in one trust.

A call is declared at module level (`kit.calls.declared`), listed in `openapi/calls.toml`, and sent by
`kit.calls.client`.
"""
