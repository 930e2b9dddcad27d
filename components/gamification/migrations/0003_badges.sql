-- When people did something: a bit for each quarter of an hour of half a day (UTC), since what day it was depends on a time
-- zone that may change. Only added to: that one posted on a day stays true when the post goes.
create table if not exists activity (
    person integer not null references people (pk),
    -- Half days since 1970.
    half integer not null,
    mask integer not null,
    primary key (person, half)
) without rowid;

-- Another view to insert into: something a person (an id) did.
create view if not exists deeds as select null as person, null as at where 0;

create trigger if not exists deed_done instead of insert on deeds when new.person is not null begin
    insert into people (id) values (new.person) on conflict (id) do nothing;
    -- Before it is noted: the first in a quarter of an hour may complete a streak.
    insert into checks (person, at, active)
    select pk, new.at, 1 from people as p
    where id = new.person and status <> 'deleted' and not exists (
        select 1 from activity where person = p.pk and half = strftime('%s', new.at) / 43200
          and mask >> (strftime('%s', new.at) / 900 % 48) & 1 = 1)
    on conflict (person) do update set version = version + 1, at = max(at, excluded.at), active = 1;
    insert into activity (person, half, mask)
    select pk, strftime('%s', new.at) / 43200, 1 << (strftime('%s', new.at) / 900 % 48) from people
    where id = new.person and status <> 'deleted'
    on conflict (person, half) do update set mask = mask | excluded.mask;
end;

-- Whose numbers changed since badges were looked at (src/handlers/badges.rs). Another version is another look.
create table if not exists checks (
    person integer primary key references people (pk),
    version integer not null default 0,
    at text not null,
    -- Whether they did something in a quarter of an hour they had not.
    active integer not null default 0
);

-- Whom events named and `users` has not told of: they are asked for, since nobody is shown them before.
create index if not exists people_unknown on people (pk) where status = 'unknown';

-- Badges given (src/badges.json), for good: a fact of its own, which a rebuild leaves alone.
create table if not exists awards (
    person integer not null references people (pk),
    badge text not null,
    name text not null,
    at text not null,
    -- Whether it is worth telling: a first step is not, whoever took it knows.
    news integer not null default 1,
    primary key (person, badge)
) without rowid;

create trigger if not exists award_told after insert on awards when new.news begin
    insert into outbox (type, key, at, body)
    select 'badge.awarded', p.id, new.at, json_object('userId', p.id, 'badgeId', new.badge, 'name', new.name)
    from people as p where p.pk = new.person;
end;
