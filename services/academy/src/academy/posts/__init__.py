"""Posts: what actions, accountabilities and distribution lists name, in place of people.

A post belongs to the trust (`urn` null) or to one academy, and stands for one role there: "Headteacher of Northgate".
Who holds it isn't kept here: it follows from identity's grants, as the service knows them from identity's feed. A post
that nobody holds is vacant. Chief executives and trust administrators write posts. A post is **active** until somebody
retires it; nothing is deleted, so that what names it can go on naming it.
"""
