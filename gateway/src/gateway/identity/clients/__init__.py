"""Programs that call the API: confidential ones with a secret, public ones (portals) without.

A trust's administrator registers the trust's clients, a platform operator the platform's. A client does nothing
until it is granted a role; a public one never holds a role, it brings the ID tokens of people. A secret is shown
once, when it is made. With a new secret the one before counts on for a while, so that a program can be given the new
one in peace. A disabled client gets no tokens until it is enabled; a deleted one never again, and its grants end.
"""
