"""Files of figures and registers: each is applied completely or not at all.

An import is **queued** (the file is durable), **running**, then **succeeded**, **failed** (every error
listed, nothing applied) or **cancelled** (before it has been applied). The kind of the
file decides who may send it: national kinds need a platform-operator, a trust's own figures its data-manager
or MIS. Files are kept for seven days after the end, so that a fault can be looked at.
"""
