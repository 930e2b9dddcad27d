-- People as this service knows them. `users` owns the rows; every other service keeps this
-- projection of them from `user.*` events, so that no read has to ask another service.
-- Rows refer to people by `pk`, an integer of this database alone; ids are for the outside.
-- A person who was deleted stays as a bare id, so that a late event cannot bring them back.
create table if not exists people (
    pk integer primary key,
    id text not null unique,
    handle text,
    display_name text,
    bio text,
    avatar_url text,
    private integer not null default 0,
    created_at text not null default '',
    -- 'unknown': an event named them before `users` told of them.
    status text not null default 'unknown' check (status in ('unknown', 'active', 'suspended', 'deleted')),
    -- Counts the changes by `users`; an older snapshot never overwrites a newer one.
    rev integer not null default 0,
    followers integer not null default 0,
    following integer not null default 0,
    posts integer not null default 0
);

create index if not exists people_by_handle on people (handle);

create trigger if not exists people_from_users after insert on inbox
when new.type in ('user.registered', 'user.updated', 'user.suspended', 'user.unsuspended', 'user.deleted')
begin
    insert into people (id, handle, display_name, bio, avatar_url, private, created_at, status, rev)
    values (
        new.body ->> '$.id', new.body ->> '$.handle', new.body ->> '$.displayName',
        new.body ->> '$.bio', new.body ->> '$.avatarUrl', new.body ->> '$.private',
        new.body ->> '$.createdAt', new.body ->> '$.status', new.body ->> '$.rev'
    )
    on conflict (id) do update set
        handle = excluded.handle, display_name = excluded.display_name, bio = excluded.bio,
        avatar_url = excluded.avatar_url, private = excluded.private,
        created_at = excluded.created_at, status = excluded.status, rev = excluded.rev
    where excluded.rev > people.rev;
end;

-- What was heard of a deleted person before holds what they erased.
create trigger if not exists people_forgotten after insert on inbox when new.type = 'user.deleted'
begin
    delete from inbox where source = new.source and key = new.key and seq < new.seq;
end;
