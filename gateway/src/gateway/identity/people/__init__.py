"""People who sign in at their own organisation's identity provider.

What is kept of a person, and why: the account (`issuer`, `subject`), since it is how they are known again; an address
only where a person is invited before their first sign-in, since it is all that an administrator knows of them then,
and it may be removed once they are bound; a display name only if an administrator wants one to tell accounts apart.
No telephone number, no photograph, no birthday, no record of sign-ins. There are no passwords here.

A person is invited by address or by account. The first ID token with that verified address binds the account, once;
from then on the address lets nobody in. A disabled person gets no tokens. Erasing removes name, address and account and
ends the grants; the bare id stays, since grants and events name it.
"""
