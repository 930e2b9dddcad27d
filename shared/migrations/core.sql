-- What every service has: events out, events in, retries, limits.
-- Times here are milliseconds or RFC 3339 text given by the service's clock, never SQLite's.

-- Events of this service in the order they happened. Triggers write them in the statement of
-- the change, so a change and its event commit together.
create table if not exists outbox (
    seq integer primary key autoincrement,
    type text not null,
    key text not null,
    at text not null,
    body text not null
);

-- The last event each subscriber has confirmed, and how far the outbox was looked through for more:
-- most events have few subscribers, and the others need not be passed over at every relay.
create table if not exists outbox_cursors (
    subscriber text primary key,
    seq integer not null,
    scanned integer not null default 0
) without rowid;

-- Work that one instance at a time does for all, until when it may.
create table if not exists leases (
    name text primary key,
    until integer not null
) without rowid;

-- Events heard. Triggers of the service apply them in the statement that inserts them, so an
-- event is applied exactly once, or not yet.
create table if not exists inbox (
    source text not null,
    seq integer not null,
    type text not null,
    key text not null,
    at text not null,
    body text not null,
    primary key (source, seq)
) without rowid;

-- How far each source has been applied; outlives the rows of `inbox`.
create table if not exists inbox_cursors (
    source text primary key,
    seq integer not null
) without rowid;

create trigger if not exists inbox_cursor after insert on inbox begin
    insert into inbox_cursors (source, seq) values (new.source, new.seq)
    on conflict (source) do update set seq = excluded.seq;
    -- The newest thousand of each source stay, for who wants to see what was heard.
    delete from inbox where source = new.source and seq <= new.seq - 1000;
end;

-- One row per Idempotency-Key: the effects its request had, then its answer.
create table if not exists idempotency (
    scope text not null,
    key text not null,
    fingerprint text not null,
    state text not null check (state in ('running', 'done')),
    lease_until integer not null,
    effects text not null default '[]',
    answer text,
    created_at integer not null,
    primary key (scope, key)
) without rowid;

create index if not exists idempotency_by_age on idempotency (created_at);

-- Points used per window of a limit.
create table if not exists rate_limits (
    key text primary key,
    resets_at integer not null,
    used integer not null
) without rowid;

create index if not exists rate_limits_by_age on rate_limits (resets_at);

-- When each chore of the clock was last begun.
create table if not exists chores (
    name text primary key,
    done_at integer not null
) without rowid;
