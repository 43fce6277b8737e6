"""What can go wrong with imports before a file is accepted. Errors inside a file are listed by its import."""

from __future__ import annotations

from kit.problems import Conflict, Forbidden, InvalidRequest, NotFound, PayloadTooLarge, UnsupportedMediaType


class ImportNotFound(NotFound):
    """No import of yours has this id."""


class ImportKindNotFound(NotFound):
    """There is no such kind of import."""


class ImportKindNotAllowed(Forbidden):
    """Your token may not load files of this kind."""


class AcademicYearMissing(InvalidRequest):
    """Files of this kind don't contain their academic year, so the request must name it."""


class AcademicYearAhead(InvalidRequest):
    """The academic year hasn't begun, so there can be no figures of it."""


class FileTypeNotAccepted(UnsupportedMediaType):
    """Files of this kind can't have this media type, or the body isn't of the media type that was sent."""


class FileUnreadable(InvalidRequest):
    """The body can't be read: it is empty, cut off, damaged, or not gzipped although the request says so."""


class ImportTooLarge(PayloadTooLarge):
    """The file is larger than imports may be, as it was sent or unpacked."""


class ImportAlreadyFinished(Conflict):
    """The import has come to its end and can't be cancelled any more."""
