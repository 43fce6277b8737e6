"""Links for programs that can send no header (feed readers, calendars, badges): the secret is in the URL.

A link shows one resource with fixed parameters, as its maker may see it and no more. It ends on a day, when it is
ended, or when its maker's right ends.
"""
