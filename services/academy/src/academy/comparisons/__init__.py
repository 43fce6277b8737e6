"""Series for charts: one measure by academic year, of England, a region, an authority and academies, each a line.

An academy's point says where it stands among the schools of its phase: its percentile, counted from published figures
alone. A figure that is suppressed has no value and no percentile, and counts for nobody else's. A percentile is given
only among enough schools. Figures of schools and of areas come from imports (`academy.observations`).
"""
