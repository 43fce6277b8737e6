"""The codes of the roles that people and programs can hold. What each may do is identity's to say
(`gateway.identity.roles`)."""

from enum import StrEnum


class RoleCode(StrEnum):
    """A role, by its code in tokens, events and contracts."""

    CHIEF_EXECUTIVE = "chief-executive"
    TRUSTEE = "trustee"
    EXECUTIVE_HEADTEACHER = "executive-headteacher"
    HEADTEACHER = "headteacher"
    CHAIR_OF_GOVERNORS = "chair-of-governors"
    GOVERNOR = "governor"
    IMPROVEMENT_LEAD = "improvement-lead"
    IMPROVEMENT_ADVISER = "improvement-adviser"
    SPECIALIST_LEADER = "specialist-leader"
    RESEARCH_LEAD = "research-lead"
    TEACHER_RESEARCHER = "teacher-researcher"
    DATA_MANAGER = "data-manager"
    MIS_CLIENT = "mis-client"
    WAREHOUSE = "warehouse"
    STATUS_READER = "status-reader"
    TRUST_ADMIN = "trust-admin"
    AUDITOR = "auditor"
    ALLIANCE_PARTNER = "alliance-partner"
    PLATFORM_OPERATOR = "platform-operator"
    FOLLOWER = "follower"
    SERVICE_READER = "service-reader"
