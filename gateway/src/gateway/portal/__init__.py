"""The API portal: one self-hosted page that shows every contract, says how to get a token, and tries calls out.

The contracts are those that are committed in `openapi/`; the viewer's script and style come from a wheel. Nothing is
fetched from anywhere else, and the page works under a policy that forbids it.
"""
