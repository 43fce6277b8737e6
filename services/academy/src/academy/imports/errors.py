"""What can go wrong with imports before a file is accepted. Errors inside a file are listed by its import."""

from __future__ import annotations

from kit.problems import (
    ComesBack,
    Conflict,
    Forbidden,
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    UnsupportedMediaType,
)


class ImportNotFound(NotFound):
    """No import of yours has this id."""


class ImportKindNotFound(NotFound):
    """There is no such kind of import."""


class ImportKindNotAllowed(Forbidden):
    """Your token may not load files of this kind."""


class AcademicYearMissing(InvalidRequest):
    """`academic_year` is required for files of this kind."""


class AcademicYearAhead(InvalidRequest):
    """The academic year hasn't begun."""


class FileTypeNotAccepted(UnsupportedMediaType):
    """The media type isn't accepted for files of this kind, or the body doesn't match it."""


class FileUnreadable(InvalidRequest):
    """The body can't be read: it is empty, incomplete, damaged, or not gzipped as declared."""


class ImportTooLarge(PayloadTooLarge):
    """The file is too large, as it was sent or when unpacked."""


class SameFileOtherYear(Conflict):
    """The same bytes were loaded for another academic year; confirm that they are right for this one too."""


class ImportNotWithdrawable(Conflict):
    """What this import changed can't be taken back; `detail` says what to do instead."""


class ImportAlreadyFinished(Conflict):
    """The import has finished and can't be cancelled."""


class ImportInProgress(ComesBack):
    """An earlier import of your trust's own figures is still being applied; `Retry-After` says when to try again."""
