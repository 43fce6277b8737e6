"""What hangs on somebody's right in this service, and ends with it."""

from kit.links.holders import on_holder_ended

__all__ = ["on_holder_ended"]
