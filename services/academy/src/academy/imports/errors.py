"""What can go wrong with imports before a file is accepted. What is wrong inside a file is told by its import."""

from __future__ import annotations

from kit.problems import Conflict, Forbidden, InvalidRequest, NotFound, PayloadTooLarge, UnsupportedMediaType


class ImportNotFound(NotFound):
    """No import of yours has this id."""


class ImportKindNotFound(NotFound):
    """There is no such kind of import."""


class ImportKindNotAllowed(Forbidden):
    """Your token may not load files of this kind."""


class AcademicYearMissing(InvalidRequest):
    """Files of this kind don't say their academic year, so the request must."""


class AcademicYearAhead(InvalidRequest):
    """The academic year hasn't begun: nothing can be known of it."""


class FileTypeNotAccepted(UnsupportedMediaType):
    """Files of this kind aren't of this type, or the body isn't of the type that was said."""


class FileUnreadable(InvalidRequest):
    """The body isn't what it was said to be: empty, cut off, damaged or not packed as said."""


class ImportTooLarge(PayloadTooLarge):
    """The file is larger than imports may be, as it was sent or unpacked."""


class ImportAlreadyFinished(Conflict):
    """The import has come to its end and can't be cancelled any more."""
