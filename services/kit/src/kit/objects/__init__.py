"""Files that people send: kept by the hash of their content, apart for each trust, in a folder or in S3.

A row of `stored_file` says what a file is called, what it belongs to and who sent it. Its content lies in the object
store and is there, whole and synced, before the row commits. Content that no row names any more is swept.
"""
