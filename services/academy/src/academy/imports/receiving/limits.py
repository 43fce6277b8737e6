"""How large an import may be; from the environment, read once when a process starts."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from academy.imports.receiving.unpacking import UnpackLimits


class ImportLimits(BaseSettings):
    """The limits of an import (`TRELLIS_LIMIT_IMPORT_...`)."""

    model_config = SettingsConfigDict(env_prefix="TRELLIS_LIMIT_IMPORT_", env_ignore_empty=True, frozen=True)

    sent_bytes: int = Field(default=512 << 20, ge=1 << 10, description="Largest file as it is sent.")
    unpacked_bytes: int = Field(default=2 << 30, ge=1 << 10, description="Largest file once it is unpacked.")
    kept_bytes: int = Field(
        default=2 << 30,
        ge=1 << 10,
        description="Most that the files of a trust's imports may take while they are kept.",
    )
    ratio: int = Field(default=100, ge=1, description="Most times its size that a file may unpack to.")

    seconds: int = Field(default=1200, ge=1, le=18_000, description="Longest time that a file may take in the worker.")

    @property
    def unpacking(self) -> UnpackLimits:
        """The limits of unpacking."""
        return UnpackLimits(unpacked_bytes=self.unpacked_bytes, ratio=self.ratio)
