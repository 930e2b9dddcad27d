-- What earns points, how many, and how many of a kind count a day (UTC): from one other person, and in all. The one place of
-- these numbers; README.md shows them, and a test holds the two together.
create table if not exists kinds (
    kind text primary key,
    points integer not null,
    -- Null where nobody else has a part in it.
    per_pair integer,
    per_day integer not null
) without rowid;

insert into kinds (kind, points, per_pair, per_day)
values ('post', 10, null, 10), ('comment', 3, 3, 30), ('scoop', 5, null, 5),
    ('commented', 2, 3, 50), ('reacted', 1, 5, 100), ('followed', 2, 1, 50)
on conflict (kind) do nothing;

-- A row for each cause of points, counted or beyond a limit. What counts is a function of the rows that stand and of nothing
-- else, so neither the order in which sources are heard nor what came and went between makes a difference.
create table if not exists ledger (
    pk integer primary key,
    person integer not null references people (pk),
    kind text not null references kinds (kind),
    -- The other person of it, or 0.
    partner integer not null default 0,
    cause text not null,
    -- Below which post it happened: it goes with that.
    post text,
    -- The first time: what was undone and is done again is no news.
    at text not null,
    day text not null,
    -- How often it was done and not undone (a like and a love are one cause that holds twice); at 0 it is not there, but its
    -- time is remembered.
    held integer not null default 1,
    -- Whether it is among the first of its pair and day.
    within integer not null default 0,
    unique (person, kind, partner, cause)
);

create index if not exists ledger_by_pair on ledger (person, kind, partner, day, at) where held > 0;

create index if not exists ledger_within on ledger (person, kind, day, at) where within = 1;

create index if not exists ledger_by_post on ledger (post) where post is not null;

create index if not exists ledger_by_partner on ledger (partner) where partner <> 0;

-- What counts of a person, day and kind.
create table if not exists days (
    person integer not null references people (pk),
    day text not null,
    kind text not null,
    n integer not null default 0,
    points integer not null default 0,
    -- The time of the last that counts.
    reached text,
    primary key (person, day, kind)
) without rowid;

create index if not exists days_reached on days (person, reached) where points > 0;

-- How many of a kind count for a person in all: what badges are given for.
create table if not exists totals (
    person integer not null references people (pk),
    kind text not null,
    n integer not null,
    primary key (person, kind)
) without rowid;

-- While a row is in here, in the middle of one statement, causes go without being taken back one by one: somebody else sees
-- to what depends on them. `all_of_it`: to the boards as well.
create table if not exists clearings (
    all_of_it integer not null
);

-- Views to insert into. Something a person (an id) earns by a cause, with another person or none.
create view if not exists earnings as
select null as person, null as kind, null as partner, null as cause, null as post, null as at where 0;

-- Nobody earns by themselves; a kind that needs another person is nothing without one, as where they were erased since.
create trigger if not exists earned instead of insert on earnings
when new.person is not null and new.person is not new.partner
    and (new.partner is null) = (select per_pair is null from kinds where kind = new.kind)
begin
    insert into people (id) values (new.person) on conflict (id) do nothing;
    insert into people (id) select new.partner where new.partner is not null on conflict (id) do nothing;
    insert into ledger (person, kind, partner, cause, post, at, day)
    select p.pk, new.kind, coalesce(q.pk, 0), new.cause, new.post, new.at, substr(new.at, 1, 10)
    from people as p left join people as q on q.id = new.partner
    where p.id = new.person and p.status <> 'deleted' and q.status is not 'deleted'
    on conflict (person, kind, partner, cause) do update set held = held + 1;
end;

-- That something changed among what a person did with another on a day; without the other (null): among what counts of it.
create view if not exists regroupings as
select null as person, null as kind, null as partner, null as day where 0;

-- Of a pair the first few of the day count, and of those the first few of the day in all. One row changed, so at most one
-- falls out of the first and at most one comes in: none of this looks at more rows than the limits are long.
create trigger if not exists regrouped instead of insert on regroupings begin
    update ledger set within = 0
    where within = 1 and pk = (
        select pk from ledger
        where person = new.person and kind = new.kind and partner = new.partner and day = new.day and held > 0
        order by at, pk limit 1
        offset (select coalesce(per_pair, per_day) from kinds where kind = new.kind));
    update ledger set within = 1
    where within = 0 and pk in (
        select pk from ledger
        where person = new.person and kind = new.kind and partner = new.partner and day = new.day and held > 0
        order by at, pk limit (select coalesce(per_pair, per_day) from kinds where kind = new.kind));
    insert into days (person, day, kind) values (new.person, new.day, new.kind)
    on conflict (person, day, kind) do nothing;
    update days set (n, points, reached) = (
        select count(*), count(*) * (select points from kinds where kind = new.kind), max(at) from (
            select at from ledger where person = new.person and kind = new.kind and day = new.day and within = 1
            order by at limit (select per_day from kinds where kind = new.kind)))
    where person = new.person and day = new.day and kind = new.kind;
end;

create trigger if not exists cause_came after insert on ledger begin
    insert into regroupings (person, kind, partner, day) values (new.person, new.kind, new.partner, new.day);
end;

create trigger if not exists cause_held after update of held on ledger when (new.held > 0) <> (old.held > 0) begin
    update ledger set within = 0 where pk = new.pk and new.held = 0;
    insert into regroupings (person, kind, partner, day) values (new.person, new.kind, new.partner, new.day);
end;

create trigger if not exists cause_gone after delete on ledger
when old.held > 0 and not exists (select 1 from clearings)
begin
    insert into regroupings (person, kind, partner, day) values (old.person, old.kind, old.partner, old.day);
end;

-- A view to insert into for many at once: all causes below a post, or all there are with one other person. Each pair, and
-- each day, is counted again once.
create view if not exists withdrawals as select null as post, null as partner where 0;

create table if not exists withdrawn (
    person integer not null,
    kind text not null,
    day text not null,
    partner integer not null,
    primary key (person, kind, day, partner)
) without rowid;

create trigger if not exists withdrawal_done instead of insert on withdrawals begin
    insert into withdrawn (person, kind, day, partner)
    select person, kind, day, partner from ledger where post = new.post and held > 0
    union
    select person, kind, day, partner from ledger where partner = new.partner and partner <> 0 and held > 0;
    insert into clearings (all_of_it) values (0);
    delete from ledger where post = new.post;
    delete from ledger where partner = new.partner and partner <> 0;
    delete from clearings;
    -- Who came in where others of the same pair went.
    insert into regroupings (person, kind, day, partner)
    select person, kind, day, partner from withdrawn as w
    where exists (select 1 from ledger
        where person = w.person and kind = w.kind and partner = w.partner and day = w.day and held > 0);
    insert into regroupings (person, kind, day) select person, kind, day from withdrawn group by person, kind, day;
    delete from withdrawn;
end;

-- Into all that is counted of the person.
create trigger if not exists day_counted after update on days
when (new.n, new.reached) is not (old.n, old.reached)
begin
    insert into totals (person, kind, n) values (new.person, new.kind, new.n - old.n)
    on conflict (person, kind) do update set n = n + excluded.n;
    insert into checks (person, at) select new.person, new.reached where new.n > old.n
    on conflict (person) do update set version = version + 1, at = max(at, excluded.at);
    insert into scores (person, board, points, reached, id, shown)
    select p.pk, b.board, new.points - old.points,
        (select max(reached) from days
            where person = new.person and points > 0 and reached >= b.since and reached < b.until),
        p.id, p.status = 'active' and not exists (select 1 from settings where person = p.pk and opted_out = 1)
    from people as p cross join (
        select 'all' as board, '' as since, '~' as until
        union all
        select monday, monday, date(monday, '+7 days') from (select date(new.day, 'weekday 0', '-6 days') as monday)
        union all
        select substr(new.day, 1, 7), substr(new.day, 1, 7), substr(new.day, 1, 7) || '~') as b
    where p.pk = new.person
    on conflict (person, board) do update set points = points + excluded.points, reached = excluded.reached;
end;
