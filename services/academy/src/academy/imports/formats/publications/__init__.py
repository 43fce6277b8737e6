"""What each published file holds: its columns, and how they become figures, schools, trusts or inspections.

A file of this folder names columns and picks a layout; it reads no cell itself where a layout can do it.
"""
