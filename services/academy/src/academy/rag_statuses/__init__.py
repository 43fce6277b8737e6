"""RAG statuses: the current status of every academy of a trust, for clients that poll.

A status is the newest rating, or the override that is in force (see `academy.moderations`). Members without a
rating are `not_assessed`. Nobody writes a status: it follows from ratings, moderations and membership, and every
change of what the lists say raises the trust's `rag_version` in the same transaction, against which prepared
answers are held. `as_of` tells what was told at a past instant.
"""
