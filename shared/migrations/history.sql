-- For services that tell what `analytics` and `gamification` count: what they told stays in the outbox as history
-- (shared/src/history.rs).

-- Up to which event of the outbox something was done: `swept`, what is no history was deleted; `viewers`, nobody is
-- named as one; `scrubbed`, the erased were looked for.
create table if not exists history_marks (
    name text primary key,
    seq integer not null
) without rowid;

-- The erased who may be named there still. Those of one search have the number of the last event to look at.
create table if not exists history_erasures (
    person text primary key,
    upto integer
) without rowid;

create trigger if not exists history_erasure_heard after insert on inbox when new.type = 'user.deleted' begin
    insert into history_erasures (person) values (new.body ->> '$.id') on conflict (person) do nothing;
end;
