-- Who listens, and what they are to hear. Times that are compared with those of events are RFC 3339 text, others milliseconds.

-- People who opened a stream at some time. What happens is kept for them from then on, and for a day after the last sign of a stream.
create table if not exists listeners (
    person integer primary key references people (pk),
    -- The number of their last event. It never goes back, however little of the log is left: an old number must not name another event.
    head integer not null default 0,
    until text not null
);

create index if not exists listeners_active on listeners (until);

-- The numbered log of each listener: the newest 1,000 of a day. A row names what happened, and what is told of it is looked up when it is
-- delivered, so that nobody is told more than they may see by then.
create table if not exists log (
    pk integer primary key autoincrement,
    person integer not null references people (pk),
    seq integer not null,
    -- 'nothing': its author was deleted. The number stays, since a log without gaps shows that nothing is missing.
    kind text not null check (kind in ('notification', 'unread', 'feed', 'scoop', 'media', 'nothing')),
    -- The id of the notification, the post, the scoop; or the media itself, a template of links (shared::media).
    ref text,
    -- Whose post or scoop it is, and whether it is for fewer than followers: for close friends.
    author integer references people (pk),
    close integer not null default 0,
    -- When the scoop ends.
    until text,
    at text not null,
    unique (person, seq)
);

create index if not exists log_by_author on log (author) where author is not null;

create trigger if not exists log_numbered after insert on log begin
    update listeners set head = new.seq where person = new.person;
    delete from log where person = new.person and seq <= new.seq - 1000;
end;

-- Streams that are open, in whatever instance. Each instance says again and again that its own are; those of one that died free
-- their places a minute later.
create table if not exists streams (
    pk integer primary key autoincrement,
    person integer not null references people (pk),
    session text,
    until integer not null
);

create index if not exists streams_by_person on streams (person);

create index if not exists streams_by_session on streams (session) where session is not null;

-- Who comes back after their log was kept no more has missed what nobody knows: a number that no event has stands for that. With five
-- minutes to spare, since clocks differ and events are on their way for a while.
create trigger if not exists stream_opened after insert on streams begin
    insert into listeners (person, until)
    values (new.person, strftime('%Y-%m-%dT%H:%M:%fZ', new.until / 1000.0, 'unixepoch', '+1 day'))
    on conflict (person) do update set
        head = head + (until <= strftime('%Y-%m-%dT%H:%M:%fZ', new.until / 1000.0, 'unixepoch', '+5 minutes')),
        until = max(until, excluded.until);
end;

create trigger if not exists stream_renewed after update of until on streams begin
    update listeners set until = strftime('%Y-%m-%dT%H:%M:%fZ', new.until / 1000.0, 'unixepoch', '+1 day')
    where person = new.person
      and until < strftime('%Y-%m-%dT%H:%M:%fZ', new.until / 1000.0, 'unixepoch', '+23 hours', '+50 minutes');
end;

-- What an instance is told of its streams: that one is to end, or to be asked whether anybody still reads it.
create table if not exists signals (
    pk integer primary key autoincrement,
    stream integer not null,
    what text not null check (what in ('end', 'ask')),
    at text not null
);

-- Tickets by their hash, each good once.
create table if not exists tickets (
    hash text primary key,
    person integer not null references people (pk),
    session text,
    -- When the token it was had for ends, and with it the stream; and when the ticket does.
    ends integer not null,
    until integer not null
) without rowid;

create index if not exists tickets_by_person on tickets (person);

-- Sessions that are over: a token of one holds for its minutes, but opens no stream.
create table if not exists ended_sessions (
    id text primary key,
    at text not null
) without rowid;
