"""The statements that migrations share."""

from collections.abc import Callable

import pytest

from kit.schema.ddl import (
    drop_kit_tables,
    job_enqueue_grants,
    job_tables,
    kit_tables,
    reader_policy,
    reference_table_grants,
    tenant_table_policies,
)


def test_a_tenant_table_has_one_policy_for_its_trust() -> None:
    statements = tenant_table_policies("academy", "plan", academy_column=None, grants=("select", "insert"))
    rule = "(trust_id = nullif(current_setting('app.trust_id', true), '')::uuid)"
    assert [line for line in statements if line.startswith("create policy")] == [
        f"create policy trust on academy.plan to academy_app using {rule} with check {rule}"
    ]
    assert statements[:2] == [
        "alter table academy.plan enable row level security",
        "alter table academy.plan force row level security",
    ]
    assert statements[-1] == "grant select, insert on academy.plan to academy_app"


@pytest.mark.parametrize("optional", [False, True])
def test_an_academys_rows_are_restricted_by_a_second_policy(optional: bool) -> None:
    (policy,) = (
        line
        for line in tenant_table_policies("academy", "visit", academy_column="urn", academy_optional=optional)
        if "restrictive" in line
    )
    assert ("urn is null or" in policy) == optional
    assert policy.count("current_setting('app.academies', true) = '*'") == 2


MAKERS: dict[str, Callable[[str], list[str]]] = {
    "schema": lambda name: tenant_table_policies(name, "plan", academy_column=None),
    "table": lambda name: tenant_table_policies("academy", name, academy_column=None),
    "column": lambda name: tenant_table_policies("academy", "plan", academy_column=name),
    "grant": lambda name: tenant_table_policies("academy", "plan", academy_column=None, grants=[name]),
    "reader": lambda name: reader_policy("academy", "plan", name),
    "loader": lambda name: reference_table_grants("academy", "school", loader=name),
    "queue": lambda name: job_enqueue_grants("academy", name),
    "kit": kit_tables,
    "drop": drop_kit_tables,
    "jobs": job_tables,
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
@pytest.mark.parametrize("name", ["x; drop table y", "Plan", "a.b", 'a"b', "1a", " "])
def test_names_are_plain(make: Callable[[str], list[str]], name: str) -> None:
    with pytest.raises(ValueError, match="plain lower-case"):
        make(name)


def test_the_job_librarys_schema_comes_without_what_only_a_superuser_may_do() -> None:
    statements = job_tables("academy")
    assert not any("create extension" in line.lower() for line in statements)
    assert statements[0] == "set local search_path = academy, pg_temp"
    dropped = [line for line in statements if line.startswith("drop trigger")]
    assert len(dropped) == 2
    assert all("notify" in line for line in dropped)


def test_the_loader_is_the_services_own_unless_named() -> None:
    assert "to academy_loader" in reference_table_grants("academy", "school")[1]
    assert "to other_loader" in reference_table_grants("academy", "school", loader="other_loader")[1]


def test_two_columns_of_academies_are_refused() -> None:
    with pytest.raises(ValueError, match="one column"):
        tenant_table_policies("academy", "plan", academy_column="urn", covered_column="academies")
