"""The statements of migrations that let a service erase people from its histories, and do nothing else to them.

What a released migration executes must not change: alter these by a later migration, not here.
"""

from typing import Final

from kit.schema.roles import quoted

_COLUMNS: Final = {"event": "data", "state_change": "by", "stored_file": "created_by"}


def erasable(schema: str, *tables: str) -> list[str]:
    """Let the app role replace subjects in these histories (of `event`, `state_change`, `stored_file`).

    A trigger refuses every other change: whatever a program does wrong, such a row only ever loses a name.
    """
    s = quoted(schema)
    return [
        f"""create function {s}.only_erases() returns trigger language plpgsql set search_path = pg_catalog as $$
            declare
                subject constant text := '"(person:[^"]*|erased:[0-9a-f]{{32}})"';
                before constant text := to_jsonb(old)::text;
                after constant text := to_jsonb(new)::text;
            begin
                if regexp_replace(after, subject, '""', 'g') <> regexp_replace(before, subject, '""', 'g')
                    or exists (select m from regexp_matches(after, '"person:[^"]*"', 'g') m
                               except all select m from regexp_matches(before, '"person:[^"]*"', 'g') m)
                then
                    raise exception 'a history changes only where a person is erased'
                        using errcode = 'restrict_violation';
                end if;
                return new;
            end $$""",  # noqa: S608 - the name is checked
        *(
            statement
            for table in tables
            for statement in (
                f"grant update ({_COLUMNS[table]}) on {s}.{table} to {s}_app",
                f"""create trigger only_erases before update on {s}.{table}
                    for each row execute function {s}.only_erases()""",
            )
        ),
    ]


def drop_erasable(schema: str, *tables: str) -> list[str]:
    """Undo `erasable`."""
    s = quoted(schema)
    return [
        *(
            statement
            for table in tables
            for statement in (
                f"drop trigger only_erases on {s}.{table}",
                f"revoke update ({_COLUMNS[table]}) on {s}.{table} from {s}_app",
            )
        ),
        f"drop function {s}.only_erases()",
    ]
