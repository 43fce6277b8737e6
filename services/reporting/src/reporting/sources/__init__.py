"""What reporting knows of others' things, made from their feeds alone and made again at any time.

A trust comes from identity's tenants, an academy's membership from academy's feed. Both are read models: nothing is
written here but by their followers, and `trellis reporting rebuild` makes them from nothing while readers go on.
"""
