"""What can go wrong with files."""

from kit.problems import Conflict, NotFound, PayloadTooLarge, ServiceUnavailable, UnsupportedMediaType


class FileTooLarge(PayloadTooLarge):
    """The file is too large."""


class FileTypeNotAccepted(UnsupportedMediaType):
    """The type isn't accepted, or the content doesn't match the `Content-Type`."""


class StoredFileNotFound(NotFound):
    """There is no file with this id, or you can't see it."""


class TooManyFiles(Conflict):
    """It already has the largest number of files allowed."""


class ObjectStoreUnavailable(ServiceUnavailable):
    """Files can't be written or read at the moment; try again later."""


class ObjectStoreFull(ServiceUnavailable):
    """There is no space left for files; contact the operator."""
