"""Who may do what where: tokens, signing keys, clients, people, grants and tenants.

A client (a machine or a portal) or a person holds grants; a grant is a role, in a trust, for all of its
academies, for a list of them or for one research project, between two dates. `roles.py` says what each role
may do. A token carries what the holder's grants of one view allow, for ten minutes.
"""
