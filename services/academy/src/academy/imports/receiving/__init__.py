"""Taking a file in: from the body of a request to a whole file that may be kept.

In: the bytes of an HTTP body, and what the request says about them (type, gzip or not). Out: a `ReceivedFile` with
its size and SHA-256, or an error that the sender gets while the connection is open. Steps: `upload` measures, hashes
and checks each piece; `unpacking` unpacks it without keeping the result, so that a gzip bomb or a damaged file is
rejected; `limits` says how large a file may be.
"""
