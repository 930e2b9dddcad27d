-- What badges are called, as `gamification` told last; a push names them. One heard of before stays without a name until somebody
-- is given it again.
create table if not exists badges (
    id text primary key,
    name text not null
) without rowid;

create trigger if not exists badge_named after insert on inbox
when new.type = 'badge.awarded' and new.body ->> '$.name' is not null
begin
    insert into badges (id, name) values (new.body ->> '$.badgeId', new.body ->> '$.name')
    on conflict (id) do update set name = excluded.name;
end;
