"""Ratings: the colour of each academy, computed by its trust's published criteria, with every reason.

A rating is written when figures, criteria or membership change what it says, and never altered afterwards: the newest
one counts, the others are its history. Its data are the current figures (national and the trust's own) of the
academies of the trust. People don't write ratings; they override them (see `academy.moderations`).
"""
