"""The catalogue of measures: what each figure means, its unit, which way is better, and when it isn't
published.

The catalogue is part of the code and changes with a release, never while the service runs.
"""
