-- What people are told: a row for what happened to one thing of theirs, with everybody who did it.
create table if not exists notifications (
    pk integer primary key autoincrement,
    -- A UUIDv7, from `notification_made`.
    id text unique,
    person integer not null references people (pk),
    type text not null check (type in ('follow', 'follow_request', 'reaction', 'comment', 'mention',
        'scoop_view', 'badge', 'media_ready', 'media_failed', 'report_resolved')),
    -- What it is about; null where it is the person.
    target_type text,
    target_id text,
    -- The post below which it happened, whose that is, and whether followers alone see it. For the privacy rule, so that
    -- nobody hears of what they may not look at.
    post text,
    host integer references people (pk),
    closed integer not null default 0,
    -- Kept by triggers.
    actor_count integer not null default 0,
    created_at text not null,
    updated_at text not null,
    -- Its place in the list of the person: the greatest is the newest. Another at every update, from `boxes`.
    place integer not null default 0,
    read integer not null default 0,
    -- When a push of it was queued last.
    pushed_at text
);

create index if not exists notifications_by_place on notifications (person, place);

-- What is unread is counted at every read, and looked through for the row that something more goes to.
create index if not exists notifications_unread on notifications (person, type, target_id) where read = 0;

create index if not exists notifications_by_post on notifications (post) where post is not null;

create index if not exists notifications_by_target on notifications (target_id) where target_id is not null;

create index if not exists notifications_by_age on notifications (updated_at);

-- The last place given in the list of a person, and how many rows are in it.
create table if not exists boxes (
    person integer primary key references people (pk),
    top integer not null,
    kept integer not null
);

-- Places that rows left for the top. A page goes on in the order of the first one: what moved since is found where it
-- was. Kept for a day.
create table if not exists moves (
    person integer not null,
    -- The place it went to.
    at integer not null,
    notification integer not null references notifications (pk) on delete cascade,
    -- The place it left.
    place integer not null,
    moved_at text not null,
    primary key (person, at)
) without rowid;

create index if not exists moves_by_notification on moves (notification, at);

create index if not exists moves_by_age on moves (moved_at);

-- Who did it, each once. `owner` is the person of the notification, so that what is between two people is found.
create table if not exists actors (
    notification integer not null references notifications (pk) on delete cascade,
    person integer not null references people (pk),
    owner integer not null,
    at text not null,
    causes integer not null default 0,
    primary key (notification, person)
) without rowid;

create index if not exists actors_newest on actors (notification, at);

create index if not exists actors_by_person on actors (person, owner);

-- What exactly they did: a type of reaction, a comment. Somebody is an actor as long as one of these holds.
create table if not exists causes (
    notification integer not null,
    actor integer not null,
    cause text not null,
    at text not null,
    primary key (notification, actor, cause),
    foreign key (notification, actor) references actors (notification, person) on delete cascade
) without rowid;

-- Pushes of what was withdrawn since: who takes a like back and likes again does not ring twice. Kept for an hour.
create table if not exists withdrawn (
    person integer not null,
    type text not null,
    target_id text not null,
    pushed_at text not null,
    primary key (person, type, target_id)
) without rowid;

create index if not exists withdrawn_by_age on withdrawn (pushed_at);

-- Posts that followers alone see; of all others nothing is kept.
create table if not exists closed_posts (
    id text primary key
) without rowid;

-- Makes ids of this database like no others, and hides in them how many there are. Random, once.
create table if not exists salt (
    factor integer not null,
    summand integer not null,
    upper integer not null
);

insert into salt (factor, summand, upper)
select (random() & 1073741823) * 2 + 1, random() & 281474976710655, random() & 67108863
where not exists (select 1 from salt);

-- Its id is a UUIDv7 of the time it happened and of `pk`, 74 bits that are different for every one: the lower 48 an
-- odd multiple of its lower 31 bits, which is one to one, the upper 26 its others.
create trigger if not exists notification_made after insert on notifications begin
    insert into boxes (person, top, kept) values (new.person, 1, 1)
    on conflict (person) do update set top = top + 1, kept = kept + 1;
    update notifications set
        place = (select top from boxes where person = new.person),
        id = (select substr(millis, 1, 8) || '-' || substr(millis, 9) || '-7' || printf('%03x', upper / 16384) || '-'
                || printf('%04x', 32768 + upper % 16384) || '-' || printf('%012x', lower)
            from (select
                printf('%012x', strftime('%s', new.created_at) * 1000 + substr(new.created_at, 21, 3)) as millis,
                (upper + new.pk / 2147483648) % 67108864 as upper,
                (new.pk % 2147483648 * factor + summand) % 281474976710656 as lower
                from salt))
    where pk = new.pk;
    insert into outbox (type, key, at, body)
    select 'notification.created', p.id, new.created_at, json_object('notificationId', n.id, 'userId', p.id)
    from notifications as n join people as p on p.pk = n.person where n.pk = new.pk;
    -- Counting what is unread stays cheap.
    delete from notifications where pk = (
        select pk from notifications
        where person = new.person and (select kept from boxes where person = new.person) > 1000
        order by place limit 1);
end;

create trigger if not exists notification_gone after delete on notifications begin
    update boxes set kept = kept - 1 where person = old.person;
    insert into withdrawn (person, type, target_id, pushed_at)
    select old.person, old.type, coalesce(old.target_id, ''), old.pushed_at where old.pushed_at is not null
    on conflict (person, type, target_id) do update set pushed_at = max(pushed_at, excluded.pushed_at);
end;

create trigger if not exists actor_counted after insert on actors begin
    update notifications set actor_count = actor_count + 1 where pk = new.notification;
end;

create trigger if not exists actor_uncounted after delete on actors begin
    update notifications set actor_count = actor_count - 1 where pk = old.notification;
end;

create trigger if not exists cause_uncounted after delete on causes begin
    update actors set causes = causes - 1 where notification = old.notification and person = old.actor;
end;

-- The first of a row came with it; every other moves it to the top, and is told.
create trigger if not exists cause_counted after insert on causes begin
    update actors set causes = causes + 1, at = max(at, new.at)
    where notification = new.notification and person = new.actor;
    update notifications set updated_at = max(updated_at, new.at) where pk = new.notification;
    insert into moves (person, at, notification, place, moved_at)
    select n.person, b.top + 1, n.pk, n.place, new.at
    from notifications as n join boxes as b on b.person = n.person
    where n.pk = new.notification and n.place < b.top;
    insert into outbox (type, key, at, body)
    select 'notification.updated', p.id, new.at, json_object('notificationId', n.id, 'userId', p.id)
    from notifications as n join people as p on p.pk = n.person
    where n.pk = new.notification and exists (
        select 1 from causes where notification = new.notification and (actor, cause) <> (new.actor, new.cause));
end;

create trigger if not exists notification_moved after insert on moves begin
    update boxes set top = new.at where person = new.person;
    update notifications set place = new.at where pk = new.notification;
end;

-- A view to insert into, for what happened to `person` by `actor` (null: by nobody): it goes to the row of its type and
-- target that is unread and younger than 12 h, or to a new one. Nobody hears of themselves, of who a block stands
-- between, of whom they mute. All are `people.pk`s.
create view if not exists happenings as
select null as person, null as actor, null as type, null as target_type, null as target_id, null as post,
    null as host, null as cause, null as at
where 0;

create trigger if not exists happening_noted instead of insert on happenings
when exists (select 1 from people where pk = new.person and status <> 'deleted')
    and (new.actor is null or (
        new.actor <> new.person
        and exists (select 1 from people where pk = new.actor and status <> 'deleted')
        and not exists (select 1 from blocks where blocker = new.person and blocked = new.actor)
        and not exists (select 1 from blocks where blocker = new.actor and blocked = new.person)
        and not exists (select 1 from mutes where muter = new.person and muted = new.actor)))
begin
    insert into notifications (
        person, type, target_type, target_id, post, host, closed, created_at, updated_at, pushed_at)
    select new.person, new.type, new.target_type, new.target_id, new.post, new.host,
        exists (select 1 from closed_posts where id = new.post), new.at, new.at,
        (select pushed_at from withdrawn
            where person = new.person and type = new.type and target_id = coalesce(new.target_id, '')
              and pushed_at > strftime('%Y-%m-%dT%H:%M:%fZ', new.at, '-1 hour'))
    where not exists (
        select 1 from notifications
        where person = new.person and type = new.type and target_id is new.target_id and read = 0
          and created_at > strftime('%Y-%m-%dT%H:%M:%fZ', new.at, '-12 hours'));
    insert into actors (notification, person, owner, at)
    select pk, new.actor, new.person, new.at from notifications
    where person = new.person and type = new.type and target_id is new.target_id and read = 0
      and new.actor is not null
    order by pk desc limit 1
    on conflict (notification, person) do nothing;
    insert into causes (notification, actor, cause, at)
    select pk, new.actor, new.cause, new.at from notifications
    where person = new.person and type = new.type and target_id is new.target_id and read = 0
      and new.actor is not null
    order by pk desc limit 1
    on conflict (notification, actor, cause) do nothing;
    -- A row is pushed when it is made, and again with what was added when an hour has passed.
    update notifications set pushed_at = new.at
    where pk = (
        select max(pk) from notifications
        where person = new.person and type = new.type and target_id is new.target_id and read = 0)
      and (pushed_at is null or pushed_at <= strftime('%Y-%m-%dT%H:%M:%fZ', new.at, '-1 hour'));
end;

-- Another, for what does not hold any more: all of a notification where there is no actor, all they did where there is no
-- cause. A row whose last actor goes, goes.
create view if not exists withdrawals as
select null as notification, null as actor, null as cause, null as at where 0;

create trigger if not exists withdrawal_done instead of insert on withdrawals begin
    insert into outbox (type, key, at, body)
    select 'notification.updated', p.id, new.at, json_object('notificationId', n.id, 'userId', p.id)
    from notifications as n join people as p on p.pk = n.person where n.pk = new.notification;
    delete from causes
    where notification = new.notification and actor = new.actor and (new.cause is null or cause = new.cause);
    delete from actors where notification = new.notification and person = new.actor and causes = 0;
    delete from notifications where pk = new.notification and (new.actor is null or actor_count = 0);
end;
