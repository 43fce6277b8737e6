"""`make slice`: a new slice that works, with its tests, for its author to make into what it should be."""
