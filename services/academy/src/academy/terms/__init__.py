"""Terms: when each term of an academic year begins and ends, and its half-term holiday.

A term is the trust's (`urn` null), or of one academy whose dates differ: there its own dates take the place of the
trust's. Days are London days. Heads keep the dates of the academies that they lead; chief executives, data managers and
trust administrators those of every academy and of the trust. A term is **active** until somebody retires it; nothing is
deleted. `transitions.py` says who may do what.
"""
