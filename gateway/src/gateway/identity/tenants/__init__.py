"""The trusts that use Trellis.

A tenant's id follows from its Group UID, so that every service knows it without asking. A platform operator
registers tenants and names the first administrator of one that has none; what is inside a trust stays closed to them.
Nobody gets a token for a tenant that isn't active.
"""
