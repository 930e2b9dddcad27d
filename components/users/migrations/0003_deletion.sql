-- Deletions asked for, and the receipt: one row per service that has to erase. Neither says whose
-- it was to anybody but by the id that only the person was given.
create table if not exists deletions (
    id text primary key,
    person integer not null unique references people (pk),
    -- JSON array of the services that have to erase.
    services text not null,
    at text not null
) without rowid;

create table if not exists deletion_services (
    deletion text not null references deletions (id),
    service text not null,
    rows integer not null default 0,
    done_at text,
    primary key (deletion, service)
) without rowid;

create index if not exists outbox_by_key on outbox (key);

-- To insert a deletion is to delete: counts, hides, erases, and tells the other services.
create trigger if not exists deletion_done after insert on deletions
begin
    insert into deletion_services (deletion, service) select new.id, value from json_each(new.services);
    insert into deletion_services (deletion, service, rows, done_at) values (new.id, 'users', 1
        + (select count(*) from profiles where person = new.person)
        + (select count(*) from invites where inviter = new.person)
        + (select count(*) from profiles where invited_by = new.person)
        + (select count(*) from old_handles where person = new.person)
        + (select count(*) from follows where follower = new.person)
        + (select count(*) from follows where followee = new.person)
        + (select count(*) from follow_requests where requester = new.person)
        + (select count(*) from follow_requests where target = new.person)
        + (select count(*) from blocks where blocker = new.person)
        + (select count(*) from blocks where blocked = new.person)
        + (select count(*) from mutes where muter = new.person)
        + (select count(*) from mutes where muted = new.person), new.at)
    on conflict (deletion, service) do update set rows = excluded.rows, done_at = excluded.done_at;
    -- Ties, search and events follow from this by their own triggers. What stays of the person is
    -- an id, so that nothing late can bring them back.
    update people set status = 'deleted', handle = null, display_name = null, bio = null,
        avatar_url = null, private = 0, posts = 0, suspension_reason = null, changed_at = new.at
    where pk = new.person;
    delete from profiles where person = new.person;
    update profiles set invited_by = null where invited_by = new.person;
    delete from invites where inviter = new.person;
    -- An outside identity stays for a day (`Store::sweep`), or its next call would make a new person.
    update old_handles set person = null where person = new.person;
    -- Events before this one are older snapshots of the person, and say what is erased here.
    delete from outbox where key = (select id from people where pk = new.person);
    delete from inbox where source = 'auth' and key = (select id from people where pk = new.person);
    update people set rev = rev + 1 where pk = new.person;
    insert into outbox (type, key, at, body)
    select 'user.deleted', id, new.at, json_object(
        'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
        'private', private, 'createdAt', created_at, 'status', status, 'rev', rev, 'deletionId', new.id)
    from people where pk = new.person;
end;

-- A service counts once; one that was not expected is noted all the same.
create trigger if not exists erasure_heard after insert on inbox when new.type = 'erasure.completed'
begin
    insert into deletion_services (deletion, service, rows, done_at)
    select d.id, new.body ->> '$.service', new.body ->> '$.rows', new.at
    from deletions as d join people as p on p.pk = d.person
    where d.id = new.body ->> '$.deletionId' and p.id = new.body ->> '$.userId'
    on conflict (deletion, service) do update set rows = excluded.rows, done_at = excluded.done_at
    where deletion_services.done_at is null;
end;
