"""The names behind the subjects that every service shows: of people and clients of the caller's trust.

Names are kept in `people` and `clients`, here and nowhere else. Nobody lists them: a caller sends subjects that it has
read. Who was erased has none.
"""
