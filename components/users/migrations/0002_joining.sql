-- How people come in. An invite is good for one person, until it expires.
create table if not exists invites (
    code text primary key,
    inviter integer not null references people (pk),
    created_at text not null,
    expires_at text not null,
    used_by integer references people (pk),
    used_at text
) without rowid;

create index if not exists invites_by_inviter on invites (inviter, created_at);

create index if not exists invites_by_user on invites (used_by);

-- Who is whom at an outside issuer.
create table if not exists identities (
    issuer text not null,
    subject text not null,
    person integer not null references people (pk),
    primary key (issuer, subject)
) without rowid;

create index if not exists identities_by_person on identities (person);

-- A view to insert into: a newcomer is a row in several tables, and a write is one statement.
-- `held_since`: handles given up after it are held. `invites`: `required`, or `optional`.
create view if not exists newcomers as
select null as id, null as email, null as email_verified, null as handle, null as display_name,
    null as invite_code, null as invites, null as issuer, null as subject, null as at, null as held_since
where 0;

create trigger if not exists newcomer_comes instead of insert on newcomers
begin
    select raise(abort, 'invite_required') where new.invites = 'required' and new.invite_code is null;
    select raise(abort, 'invite_invalid') where new.invite_code is not null and not exists (
        select 1 from invites as i join people as p on p.pk = i.inviter and p.status = 'active'
        where i.code = new.invite_code and i.used_by is null and i.expires_at > new.at);
    select raise(abort, 'handle_taken') where exists (
        select 1 from old_handles where handle = new.handle and given_up_at > new.held_since);
    -- `person_registered` makes the profile.
    insert into people (id, handle, display_name, created_at, changed_at, status, rev)
    values (new.id, new.handle, new.display_name, new.at, new.at, 'active', 1);
    update profiles set email = new.email, email_verified = new.email_verified,
        invited_by = (select inviter from invites where code = new.invite_code)
    where person = (select pk from people where id = new.id);
    update invites set used_by = (select pk from people where id = new.id), used_at = new.at
    where code = new.invite_code;
    insert into identities (issuer, subject, person)
    select new.issuer, new.subject, pk from people where id = new.id and new.issuer is not null;
end;
