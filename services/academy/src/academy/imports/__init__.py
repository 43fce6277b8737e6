"""Files that bring figures and registers in: accepted whole, kept until read, applied all or nothing.

An import is **queued** (the file is durable), **running**, then **succeeded**, **failed** (every fault
listed, nothing applied) or **cancelled** (by whoever may import, before it has been applied). The kind of the
file decides who may send it: national kinds need a platform-operator, a trust's own figures its data-manager
or MIS. Files are kept for seven days after the end, so that a fault can be looked at.
"""
