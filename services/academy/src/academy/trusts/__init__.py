"""The trusts of England: who they are, by every name the sector has, and which academies are theirs.

A trust comes from the published register of groups (GIAS: multi-academy trusts, single-academy trusts, and
the other kinds, marked by `kind`). Its id is derived from its Group UID, so that every service agrees on it
without asking. A **membership** says that an academy belongs to a trust from `joined_on` until `left_on`.
It ends with the academy, on its closing day, and begins to count when a proposed academy has opened.
Sponsors, federations and foundation trusts are links of other kinds and never memberships. Only the
platform's loader writes here, from imports of `gias-groups` and `gias-group-links`; everybody who may read
academies may read all of it.
"""
