"""Access tokens: for machines by their own secret, for people by an ID token of their organisation, for the demo.

A token shows one view: a part of one trust, with the roles that the holder has for exactly that part. Grants of
different reach are never put together, since a trustee of all academies who heads one of them would become the head
of all. The widest view is given unless the request names a `role`; `trust` chooses between trusts. Every
token names the academies that its holder leads by any grant (`leads`), so that choosing another view doesn't let them
judge their own work.

A token lives for ten minutes, or until the grant ends if that comes first, and isn't kept anywhere. Failed attempts
are counted per client and address, and further ones are answered with growing pauses; the counts outlive a restart.
Right credentials never wait.
"""
