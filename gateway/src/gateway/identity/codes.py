"""What can be wrong with one part of a request to identity, beside what every service finds."""

from kit.field_codes import FieldCode


class Code(FieldCode):
    """Faults of requests."""

    ACADEMIES_REPEATED = "academies_repeated", "An academy is named twice."
    ACADEMY_NOT_OF_TRUST = "academy_not_of_trust", "The school isn't an academy of the trust."
    ACCOUNT_INCOMPLETE = "account_incomplete", "An account is an issuer and a subject; one of them isn't given."
    CLIENT_PUBLIC = "client_public", "A public client holds no role."
    ENDS_BEFORE_START = "ends_before_start", "The last day comes before the first."
    ENDS_IN_THE_PAST = "ends_in_the_past", "The last day is over."
    EXTENT_UNCLEAR = "extent_unclear", "Both academies and a project are named."
    EXTENT_UNSUITABLE = "extent_unsuitable", "The role isn't held for this extent."
    HOLDER_UNCLEAR = "holder_unclear", "Not one holder is named: none, or both a person and a client."
    HOLDER_UNSUITABLE = "holder_unsuitable", "This kind of holder can't have the role."
    SIGN_IN_IMPOSSIBLE = "sign_in_impossible", "Neither an address nor an account is given."
    UNKNOWN_CLIENT = "unknown_client", "There is no such client that you may see."
    UNKNOWN_ISSUER = "unknown_issuer", "No such identity provider is configured for the trust."
    UNKNOWN_PERSON = "unknown_person", "There is no such person that you may see."
