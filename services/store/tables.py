"""The tables. What one row is stands beside each; hashes are signed 64-bit, handles and event ids 16 bytes.

`correlation.md` in docs tells why the history lies inside the pool's row and not in a row per event.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    false,
    text,
)

from services.domain.blocks import KINDS

METADATA = MetaData()
BLOCKS = ("block_family_birth", "block_name_year", "block_given_birth", "block_name_day", "block_initials_month")
"""The blocks of a claim, in the order of `services.domain.blocks.blocks_of`."""
SERIAL = BigInteger().with_variant(Integer(), "sqlite")  # SQLite counts only INTEGER PRIMARY KEY by itself


def _hash(name: str, *, primary: bool = False) -> Column[int]:
    return Column(name, BigInteger, primary_key=primary, autoincrement=False, nullable=False)


def _block_index(name: str) -> Index:
    some = text(f"{name} <> 0")
    return Index(f"claim_{name}", name, postgresql_where=some, sqlite_where=some)


def _person_columns() -> tuple[Column[Any], ...]:
    return (
        Column("person", LargeBinary, primary_key=True),
        _hash("pool"),
        Column("class", Text),
        Column("citizenship", Text),
        Column("port", Text),
        Column("code", Text),  # outcome that was emitted last
        Column("period_end", Text),
        Column("announced", Text),  # digest of the answer that was emitted last
        Column("sequence", BigInteger, nullable=False),  # changes emitted
        Column("next_change_at", BigInteger),  # second at which the answer changes by itself
        # seconds between which departures have to be complete for the answer to change
        Column("awaits_from", BigInteger),
        Column("awaits", BigInteger),
        Column("doc", LargeBinary),
    )


def _person_indexes(table: str) -> tuple[Index, ...]:
    """With the person behind the second: of those that fall due together the order is that of their ids."""
    return (
        Index(f"{table}_pool", "pool"),
        Index(f"{table}_next", "next_change_at", "person", postgresql_where=text("next_change_at IS NOT NULL")),
        Index(f"{table}_awaits", "awaits", "person", postgresql_where=text("awaits IS NOT NULL")),
    )


# identifier, record handle or claim -> the pool it was founded in; never changes, so it may be cached
KEY = Table("key", METADATA, _hash("key", primary=True), _hash("pool"))

# a distinct claim: since when it is known, and the blocks in which it is compared (0: none); since when it is known by
# records that may be told to all, where that is later than `known` (NEVER: by none)
CLAIM = Table(
    "claim",
    METADATA,
    _hash("claim", primary=True),
    _hash("pool"),
    Column("known", BigInteger, nullable=False),
    *(_hash(name) for name in BLOCKS),
    Column("features", LargeBinary, nullable=False),
    Column("open_known", BigInteger),
    *(_block_index(name) for name in BLOCKS),
)

# a key or block that more claims share than it admits: the rank (known, claim) of the last one admitted; it only falls
CAPPED_KEY = Table(
    "capped_key",
    METADATA,
    _hash("key", primary=True),
    Column("cutoff_known", BigInteger, nullable=False),
    _hash("cutoff_claim"),
)

# the same for who lacks the right to confidential records, of the keys and blocks for which it is another; NULL: they
# admit all claims
OPEN_CAPPED_KEY = Table(
    "open_capped_key",
    METADATA,
    _hash("key", primary=True),
    Column("cutoff_known", BigInteger),
    Column("cutoff_claim", BigInteger),
)

# a claim whose pool was not merged over a capped number, since when both are known together, and the pool: should
# records be hidden that the number had admitted, it is found here
REFUSED = Table(
    "refused",
    METADATA,
    _hash("key"),
    _hash("claim"),
    Column("known", BigInteger, nullable=False),
    _hash("pool"),
    PrimaryKeyConstraint("key", "claim"),
    Index("refused_rank", "key", "known", "claim"),
)

# a pool that was merged into a lesser one; the least wins, so chains end
ALIAS = Table("alias", METADATA, _hash("loser", primary=True), _hash("winner"))

# facts of a pool, packed
POOL = Table("pool", METADATA, _hash("pool", primary=True), Column("blob", LargeBinary, nullable=False))

# a pool that the present program cannot resolve, and where it fails; empty but for a mistake in the program
QUARANTINE = Table("quarantine", METADATA, _hash("pool", primary=True), Column("why", Text, nullable=False))

# of a pool with confidential facts those that may be told to all, packed; empty if none may
OPEN_POOL = Table("open_pool", METADATA, _hash("pool", primary=True), Column("blob", LargeBinary))

# the view: a person; `doc` is the canonical history, absent once the person was merged away, or is quarantined
PERSON = Table("person", METADATA, *_person_columns(), *_person_indexes("person"))

# the view of who lacks the right to confidential records, of the pools that have an open pool; as `person`
OPEN_PERSON = Table("open_person", METADATA, *_person_columns(), *_person_indexes("open_person"))

# what is to be resolved; a queue emptied by delete, never read by a cursor
WORK = Table(
    "work",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("compared", Boolean, nullable=False, server_default=false()),
    Column("shard", Integer),  # of the pools in it; absent: not sorted, it may be of any
    Column("blob", LargeBinary, nullable=False),
)

# the outbox: the changes of one resolved batch, those for all or those for who has the right to confidential records
CHANGE = Table(
    "change",
    METADATA,
    Column("id", SERIAL, primary_key=True, autoincrement=True),
    Column("confidential", Boolean, nullable=False, server_default=false()),
    Column("blob", LargeBinary, nullable=False),
)

# a coverage event; the copy known first stands
COVERAGE_EVENT = Table(
    "coverage_event",
    METADATA,
    Column("id", LargeBinary, primary_key=True),
    Column("record", LargeBinary, nullable=False),
    Column("system", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("mapping", Integer, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("retract", Integer, nullable=False),  # 1 takes the record back
    Column("since", BigInteger, nullable=False),
    Column("through", BigInteger, nullable=False),
    Index("coverage_event_record", "record"),
    Index("coverage_event_system", "system", "known"),
)

# all that the coverage events of a system vouch for in a scope, joined: packed stretches
COVERAGE = Table(
    "coverage",
    METADATA,
    Column("system", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("stretches", LargeBinary, nullable=False),
    PrimaryKeyConstraint("system", "scope"),
)

# where a partition is read from next, by whom (epoch), and the latest publication stamp taken in
POSITION = Table(
    "position",
    METADATA,
    Column("topic", Text, nullable=False),
    Column("part", Integer, nullable=False),
    Column("next", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("known", BigInteger, nullable=False),
    Column("open_known", BigInteger, nullable=False, server_default="0"),  # the same of what may be told to all
    Column("tail", LargeBinary),  # digest of the message before `next`
    PrimaryKeyConstraint("topic", "part"),
)

# when a correlator that runs last said so, and how many messages it had not read then; one that ends takes its row
# away. Times are microseconds since 1970
HEARTBEAT = Table(
    "heartbeat",
    METADATA,
    Column("process", Text, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("behind", BigInteger, nullable=False),
    Column("partitions", Text, nullable=False, server_default=""),  # that it holds: topic/number, with blanks between
    Column("committed", BigInteger),  # when it last committed events; absent: not since it started
)

# rules, weights and code tables that made this store, and the name it was given when it was founded: one row
CONFIG = Table("config", METADATA, Column("fingerprint", Text, primary_key=True), Column("name", Text, nullable=False))

# an edition of the store: the live one, one that is built beside it, and those that were. Only the table in the home,
# the place that the address names, is read. Its layout never changes, for programs of all versions read it
EDITION = Table(
    "edition",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),  # building, live, old or dropped
    Column("fingerprint", Text),  # of the rules by which it is built; absent: it was founded without a rebuild
    Column("begun", BigInteger),  # microseconds since 1970
    Column("switched", BigInteger),  # when it became the live one
    Column("noted", Text),  # JSON: what the last comparison came to
)


def members_of(holds: str) -> str:
    """Return the query for the claims that stand in blocks, given by kind, each claim once for each block.

    `holds`: the condition that a column is in the list of so much a parameter. UNION ALL, since OR is often planned as
    a scan; `<> 0` is said again so that the partial indexes are used.
    """
    arms = []
    for parameter, places in enumerate(KINDS, 1):
        for at, place in enumerate(places):
            others = "".join(f" AND {BLOCKS[place]} <> {BLOCKS[before]}" for before in places[:at])
            arms.append(
                f"SELECT {BLOCKS[place]} AS block, claim, pool, known, open_known FROM claim"  # noqa: S608 - our own names
                f" WHERE {BLOCKS[place]} {holds.format(parameter)} AND {BLOCKS[place]} <> 0{others}"
            )
    return " UNION ALL ".join(arms)
