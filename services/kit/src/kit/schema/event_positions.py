"""Which place an event gets in the order of the feed: for migrations."""


def late_event_positions(schema: str) -> list[str]:
    """Let a transaction give its events another place than its own number (`kit.events.quiet`)."""
    return [_event_position(schema, "coalesce(nullif(current_setting('app.event_position', true), '')::xid8, {own})")]


def no_late_event_positions(schema: str) -> list[str]:
    """Undo `late_event_positions`."""
    return [_event_position(schema, "{own}")]


def _event_position(schema: str, place: str) -> str:
    return f"""create or replace function {schema}.event_position() returns trigger language plpgsql as $$
        begin
            new.xid := {place.format(own="pg_current_xact_id()")};
            select e.epoch into strict new.epoch from {schema}.feed_epoch e;
            return new;
        end $$"""  # noqa: S608 - the name is checked
