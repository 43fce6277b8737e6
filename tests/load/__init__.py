"""Measurements, side by side in one run; see `bench.py`."""
