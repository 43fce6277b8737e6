"""RAG statuses: the current status of every academy of a trust, for clients that poll.

A status is the newest rating, or the override that is in force (see `academy.moderations`). Members without a
rating are `not_assessed`, with a reason from their first day. Nobody writes a status: it follows from ratings,
moderations, published criteria and membership. Every change of what the lists say raises the `rag_version` in the
same transaction, or shows in what prepared answers are checked against beside it. `as_of` returns what was shown at a
past instant.
"""
