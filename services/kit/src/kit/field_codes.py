"""Codes of single faults (`errors[].code`): each is declared once, with what it means, and listed in the contract.

A service declares its own in its `codes.py`, as members of a subclass of `FieldCode`; `ServiceDefinition` finds them.
Codes are words with underscores. Errors are made with members only, so that no code is sent that isn't listed.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class FieldCode(StrEnum):
    """A stable code for one fault of one part of a request, and what it means."""

    means: str

    def __new__(cls, code: str, means: str) -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.means = means
        return member


class KitCode(FieldCode):
    """Faults that every service finds."""

    # Found by the kit.
    ANSWER_UNREADABLE = "answer_unreadable", "The kept answer of this `Idempotency-Key` can't be read any more."
    CURSOR_INVALID = "cursor_invalid", "The cursor doesn't belong to this list, these filters and this caller."
    ETAG_INVALID = "etag_invalid", "The tag isn't written as a tag."
    INVALID_KEY = "invalid_key", "The `Idempotency-Key` isn't written as a key."
    JSON_INVALID = "json_invalid", "The body isn't JSON."
    KEY_REUSED = "key_reused", "The `Idempotency-Key` was used before with another request."
    LINK_EXPIRES_ON_OUT_OF_RANGE = "expires_on_out_of_range", "A link can't end on this day."
    NOT_STORABLE = "not_storable", "The value is outside what can be stored."
    NOT_UTF8 = "not_utf8", "The text isn't UTF-8."
    NUL_CHARACTER = "nul_character", "The text holds a NUL character."
    REPEATED_NAME = "repeated_name", "An object names a member twice."
    REPEATED_PARAMETER = "repeated_parameter", "A parameter that takes one value is sent more than once."
    TOO_DEEP = "too_deep", "The body is nested too deeply."
    TOO_MANY_FAULTS = "too_many_faults", "The body has too many faults to name each."
    TOO_MANY_PARTS = "too_many_parts", "The body has too many objects, lists, names or values."
    UNEXPECTED_BODY = "unexpected_body", "The operation takes no body."
    UNKNOWN_FIELD = "unknown_field", "The body has a member that the operation doesn't know."
    UNKNOWN_PARAMETER = "unknown_parameter", "The operation doesn't know this parameter."
    UNKNOWN_TYPE = "unknown_type", "There are no events of this type."
    # Found by pydantic, under its names.
    BOOL_PARSING = "bool_parsing", "The text is neither true nor false."
    BOOL_TYPE = "bool_type", "The value is neither true nor false."
    BYTES_TYPE = "bytes_type", "The value isn't bytes."
    DATE_FROM_DATETIME_INEXACT = "date_from_datetime_inexact", "The value is an instant, not a day."
    DATE_FROM_DATETIME_PARSING = "date_from_datetime_parsing", "The text isn't a day."
    DATE_PARSING = "date_parsing", "The text isn't a day."
    DATE_TYPE = "date_type", "The value isn't a day."
    DATETIME_FROM_DATE_PARSING = "datetime_from_date_parsing", "The text isn't an instant."
    DATETIME_OBJECT_INVALID = "datetime_object_invalid", "The value isn't an instant."
    DATETIME_PARSING = "datetime_parsing", "The text isn't an instant."
    DATETIME_TYPE = "datetime_type", "The value isn't an instant."
    DECIMAL_MAX_DIGITS = "decimal_max_digits", "The number has too many digits."
    DECIMAL_MAX_PLACES = "decimal_max_places", "The number has too many digits behind the point."
    DECIMAL_PARSING = "decimal_parsing", "The text isn't a number."
    DECIMAL_TYPE = "decimal_type", "The value isn't a number."
    DECIMAL_WHOLE_DIGITS = "decimal_whole_digits", "The number has too many digits before the point."
    DICT_TYPE = "dict_type", "The value isn't an object."
    ENUM = "enum", "The value is none of those that are listed."
    FINITE_NUMBER = "finite_number", "The number isn't finite."
    FLOAT_PARSING = "float_parsing", "The text isn't a number."
    FLOAT_TYPE = "float_type", "The value isn't a number."
    FROZEN_SET_TYPE = "frozen_set_type", "The value isn't a list."
    GREATER_THAN = "greater_than", "The number is too small."
    GREATER_THAN_EQUAL = "greater_than_equal", "The number is too small."
    INT_FROM_FLOAT = "int_from_float", "The number isn't whole."
    INT_PARSING = "int_parsing", "The text isn't a whole number."
    INT_PARSING_SIZE = "int_parsing_size", "The number has too many digits."
    INT_TYPE = "int_type", "The value isn't a whole number."
    LESS_THAN = "less_than", "The number is too large."
    LESS_THAN_EQUAL = "less_than_equal", "The number is too large."
    LIST_TYPE = "list_type", "The value isn't a list."
    LITERAL_ERROR = "literal_error", "The value is none of those that are listed."
    MISSING = "missing", "A part of the request that is required isn't there."
    MODEL_ATTRIBUTES_TYPE = "model_attributes_type", "The value isn't an object."
    MODEL_TYPE = "model_type", "The value isn't an object."
    MULTIPLE_OF = "multiple_of", "The number isn't a multiple of the step."
    SET_TYPE = "set_type", "The value isn't a list."
    STRING_PATTERN_MISMATCH = "string_pattern_mismatch", "The text isn't written as the contract's pattern says."
    STRING_TOO_LONG = "string_too_long", "The text is too long."
    STRING_TOO_SHORT = "string_too_short", "The text is too short."
    STRING_TYPE = "string_type", "The value isn't text."
    STRING_UNICODE = "string_unicode", "The text isn't valid Unicode."
    TIMEZONE_AWARE = "timezone_aware", "The instant has no time zone."
    TIMEZONE_NAIVE = "timezone_naive", "The time has a time zone."
    TOO_LONG = "too_long", "The list has too many items, or the text too many characters."
    TOO_SHORT = "too_short", "The list has too few items."
    TUPLE_TYPE = "tuple_type", "The value isn't a list."
    UNION_TAG_INVALID = "union_tag_invalid", "The value that says which kind of body it is names none."
    UNION_TAG_NOT_FOUND = "union_tag_not_found", "Nothing says which kind of body it is."
    UUID_PARSING = "uuid_parsing", "The text isn't a UUID."
    UUID_TYPE = "uuid_type", "The value isn't a UUID."
    UUID_VERSION = "uuid_version", "The UUID is of another version."
    VALUE_ERROR = "value_error", "The value isn't allowed; `detail` says why."


def meanings(*kinds: type[FieldCode]) -> dict[str, str]:
    """Every code of these kinds with what it means, in the order of the alphabet."""
    codes = {code.value: code.means for kind in kinds for code in kind}
    return {name: codes[name] for name in sorted(codes)}


def code_named(name: str) -> FieldCode:
    """The code that is declared under this name; `value_error` when none is."""
    for kind in FieldCode.__subclasses__():
        if name in kind.__members__.values():
            return kind(name)  # type: ignore[call-arg]
    return KitCode.VALUE_ERROR
