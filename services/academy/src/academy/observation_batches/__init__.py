"""Figures of a trust's own that are sent as JSON, up to 1,000 at a time, and stand once the answer is there.

A batch is an import of the kind `observations` that is read and applied in the transaction of its request: it is
listed, taken back and announced as one that was sent as a file. Who may send a file of figures may send a batch.
"""
