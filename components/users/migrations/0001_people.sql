-- `users` owns the rows of `people` that every other service keeps a projection of. Whatever
-- changes a row says when in `changed_at`, because a trigger has no clock.
alter table people add column changed_at text not null default '';

-- Why an administrator suspended them; nobody but administrators reads it.
alter table people add column suspension_reason text;

-- A handle belongs to one person. This index replaces the one of the projection, which is not unique.
create unique index if not exists people_owned_handle on people (handle);

drop index if exists people_by_handle;

-- What is nobody else's to see. One row per person, made with them and gone with their deletion.
create table if not exists profiles (
    person integer primary key references people (pk),
    email text,
    email_verified integer not null default 0,
    terms_version text,
    terms_accepted_at text,
    -- JSON in the form it is answered; a change merges into it.
    preferences text not null default
        '{"push":{"follow":true,"reaction":true,"comment":true,"mention":true,"scoop":true},"quietHours":null}',
    -- By whose invite they came, so that abuse can be followed up the tree.
    invited_by integer references people (pk)
);

create index if not exists profiles_by_inviter on profiles (invited_by);

-- Handles that were given up. Others may not take one for 30 days, and links to it lead to the
-- new one that long. `person` is null once they were deleted: the word stays held, whose it was
-- is forgotten.
create table if not exists old_handles (
    pk integer primary key,
    handle text not null,
    person integer references people (pk),
    given_up_at text not null
);

create index if not exists old_handles_by_handle on old_handles (handle, given_up_at);

create index if not exists old_handles_by_person on old_handles (person, given_up_at);

create index if not exists old_handles_by_age on old_handles (given_up_at);

create trigger if not exists handle_given_up after update of handle on people
when old.handle is not null and new.handle is not old.handle
begin
    insert into old_handles (handle, person, given_up_at)
    values (old.handle, iif(new.status = 'deleted', null, new.pk), new.changed_at);
end;

create trigger if not exists person_registered after insert on people when new.status <> 'unknown'
begin
    insert into profiles (person) values (new.pk) on conflict (person) do nothing;
    insert into outbox (type, key, at, body)
    values ('user.registered', new.id, iif(new.changed_at = '', new.created_at, new.changed_at), json_object(
        'id', new.id, 'handle', new.handle, 'displayName', new.display_name, 'bio', new.bio,
        'avatarUrl', new.avatar_url, 'private', new.private, 'createdAt', new.created_at,
        'status', new.status, 'rev', new.rev));
end;

-- One event and one `rev` per change of what others are shown. Counters are not among the columns,
-- so they tell nobody anything.
create trigger if not exists person_updated
after update of handle, display_name, bio, avatar_url, private, status on people
when new.status in ('active', 'suspended')
    and (new.handle, new.display_name, new.bio, new.avatar_url, new.private, new.status)
        is not (old.handle, old.display_name, old.bio, old.avatar_url, old.private, old.status)
begin
    update people set rev = rev + 1 where pk = new.pk;
    insert into outbox (type, key, at, body)
    select case
            when new.status = old.status then 'user.updated'
            when new.status = 'suspended' then 'user.suspended'
            when old.status = 'suspended' then 'user.unsuspended'
            else 'user.registered'
        end, id, changed_at, json_object(
            'id', id, 'handle', handle, 'displayName', display_name, 'bio', bio, 'avatarUrl', avatar_url,
            'private', private, 'createdAt', created_at, 'status', status, 'rev', rev)
    from people where pk = new.pk;
end;

-- What `posts` and `auth` tell. The counter of posts counts what was published and not yet deleted.
create trigger if not exists post_published_heard after insert on inbox when new.type = 'post.published'
begin
    update people set posts = posts + 1
    where id = new.body ->> '$.authorId' and status <> 'deleted';
end;

create trigger if not exists post_deleted_heard after insert on inbox
when new.type = 'post.deleted' and new.body ->> '$.wasPublished'
begin
    update people set posts = max(posts - 1, 0)
    where id = new.body ->> '$.authorId' and status <> 'deleted';
end;

-- An address changed since is not the one that was verified.
create trigger if not exists email_verified_heard after insert on inbox when new.type = 'email.verified'
begin
    update profiles set email = new.body ->> '$.email', email_verified = 1
    where person = (select pk from people where id = new.body ->> '$.userId')
        and (email is null or email = new.body ->> '$.email');
end;
