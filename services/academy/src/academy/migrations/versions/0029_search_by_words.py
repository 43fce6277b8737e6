"""Find schools and trusts by words of their names, through an index.

A name is kept as its words and the ends of its words, so that a part of a word is the beginning of one of them and is
found in the index: "worth" in Ellesworth. A postcode is kept without its blank, and its last part. It takes
nothing but what Postgres has: `pg_trgm` would be an extension, which a backup of our schemas doesn't hold, and its
index finds no words of less than three letters.

Safe with the previous release, which doesn't look.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0029_search_by_words"
down_revision: str | None = "0028_erase_figures"
oldest_code: str = "0015_create_followers"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

# Straight and typographic apostrophes belong to their word.
WORDS = r"""
create function academy.search_words(phrase text) returns setof text language sql immutable parallel safe
begin atomic
    select left(word, 100)
    from regexp_split_to_table(lower(translate(phrase, U&'''\2018\2019', '')), '[^[:alnum:]]+') word
    where word <> '';
end"""
# Twenty times as fast as one SQL statement: an import computes it for every school that is new or renamed.
TERMS = """
create function academy.search_terms(name text, postcode text) returns tsvector language plpgsql immutable parallel safe
as $$
declare
    word text;
    terms text[] := '{}';
    whole constant text := lower(replace(postcode, ' ', ''));
begin
    for word in select part from academy.search_words(name) part loop
        terms := terms || word;
        for start in 2 .. length(word) - 1 loop
            terms := terms || substr(word, start);
        end loop;
    end loop;
    if whole <> '' then
        terms := terms || whole || right(whole, 3);
    end if;
    return array_to_tsvector(terms);
end $$"""
QUERY = """
create function academy.search_query(phrase text) returns tsquery language sql immutable parallel safe
begin atomic
    select string_agg('''' || word || ''':*', ' & ')::tsquery from academy.search_words(phrase) word;
end"""
NUMBERS = ("ukprn", "companies_house_number")


def upgrade() -> None:
    """The functions, and an index of each list."""
    for statement in (WORDS, TERMS, QUERY):
        op.execute(statement)
    op.execute("create index school_search_idx on academy.school using gin (academy.search_terms(name, postcode))")
    op.execute(
        "create index trust_register_search_idx on academy.trust_register"
        " using gin (academy.search_terms(name, null::text))"
    )
    # A search looks for the other numbers too: without an index for each it would read every trust.
    for column in NUMBERS:
        op.execute(f"create index trust_register_{column}_idx on academy.trust_register ({column})")
    # The planner knows how rare a word is only once it has looked.
    op.execute("analyze academy.school, academy.trust_register")


def downgrade() -> None:
    """Drop them."""
    for column in NUMBERS:
        op.execute(f"drop index academy.trust_register_{column}_idx")
    op.execute("drop index academy.trust_register_search_idx")
    op.execute("drop index academy.school_search_idx")
    op.execute("drop function academy.search_query(text)")
    op.execute("drop function academy.search_terms(text, text)")
    op.execute("drop function academy.search_words(text)")
