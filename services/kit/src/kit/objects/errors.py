"""What can go wrong with files."""

from kit.problems import Conflict, NotFound, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType


class FileTooLarge(PayloadTooLarge):
    """The file is larger than a file may be."""


class FileTypeNotAccepted(UnsupportedMediaType):
    """The content is of a type that isn't accepted, or isn't what the Content-Type says."""


class StoredFileNotFound(NotFound):
    """There is no such file, or it isn't the caller's to see."""


class TooManyFiles(Conflict):
    """What the file belongs to has as many files as it may have."""


class ObjectStoreUnavailable(ServiceUnavailable):
    """Files can't be written or read at the moment."""


class ObjectStoreFull(ServiceUnavailable):
    """There is no room for more files; the operator must make some."""
