"""What every service stands on: settings, sessions, errors, paging, events, jobs.

It knows no school words.
"""
