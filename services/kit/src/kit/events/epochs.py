"""The epoch of a service's feed: raised when a backup is restored, since transaction ids belong to one cluster."""

from kit.database.outages import outages_as_503
from kit.database.sessions import Database
from kit.schema.roles import quoted


def raising(schema: str, above: int = 0) -> str:
    """SQL that raises the epoch of a schema's feed over its own and over `above`, as the owner of the schema.

    Run it in the transaction that brings the data back: an end between the two would leave cursors of before valid.
    """
    return (
        f"set local role {quoted(schema)}_owner;"  # noqa: S608 - a checked name and a number
        f"update {schema}.feed_epoch set epoch = greatest(epoch, {above:d}) + 1, raised_at = now(),"
        " system_identifier = (select system_identifier::text from pg_control_system());"
        "set local role none;"
    )


async def epoch_problem(database: Database) -> str | None:
    """Why this database may not be served: it was restored and nobody raised the epoch. None when all is well."""
    with outages_as_503():
        async with database.engine.connect() as pooled:
            raw = await pooled.get_raw_connection()
            assert raw.driver_connection is not None
            same = await raw.driver_connection.fetchval(
                "select e.system_identifier = c.system_identifier::text from feed_epoch e, pg_control_system() c"
            )
    return None if same else "restored from another cluster; `trellis restore` raises the epoch of the feed"
