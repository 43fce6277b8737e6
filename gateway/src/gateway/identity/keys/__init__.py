"""The keys that sign tokens (ES256), from the standby to the revoked.

A key is made as the standby: published, so that every verifier knows it, and not yet signing. Rotation lets it sign,
two minutes after it was published at the earliest, and makes the next standby. The key before is published until
the last token that it signed has expired; then its private half is erased. A revoked key leaves the key set at once
and the standby takes over in the same moment, without a token that anybody would refuse. Private halves are
encrypted with `TRELLIS_SECRET_KEY`. `python -m gateway.identity.keys` lists, rotates and revokes.
"""
