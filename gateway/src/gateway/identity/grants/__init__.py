"""Who may do what where, from which day to which.

A grant is a role for a person or a client of a trust, for the whole trust, for a list of its academies or for one
research project. It is scheduled until its first day, current until its last, and over then, or earlier when somebody
ends it; it is never altered otherwise and never removed, since it says who could do what when.

A trust's administrator grants the trust's roles in that trust, a platform operator the platform's; nobody grants to
themselves. The last administrator stays.
"""
