-- What people want to be told is told to who tells them. The time is that of the change; a statement that makes one says it.
alter table profiles add column preferences_at text;

create trigger if not exists preferences_told after update of preferences on profiles
when new.preferences <> old.preferences
begin
    insert into outbox (type, key, at, body)
    select 'preferences.updated', id, new.preferences_at,
        json_object('userId', id, 'preferences', json(new.preferences))
    from people where pk = new.person;
end;

-- Of changes made before this.
insert into outbox (type, key, at, body)
select 'preferences.updated', p.id, iif(p.changed_at = '', p.created_at, p.changed_at),
    json_object('userId', p.id, 'preferences', json(f.preferences))
from profiles as f join people as p on p.pk = f.person
where f.preferences <>
    '{"push":{"follow":true,"reaction":true,"comment":true,"mention":true,"scoop":true},"quietHours":null}';
