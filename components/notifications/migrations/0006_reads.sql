-- A view to insert into, for what a person has read: these (`ids`, a JSON array), one and what stands below it (`up_to`), or all. It is told
-- once, however many it were, and not where nothing was left to read.
create view if not exists readings as
select null as person, null as ids, null as up_to, null as at where 0;

create trigger if not exists reading_done instead of insert on readings
when exists (
    select 1 from people as me cross join notifications as n
    where me.id = new.person and n.person = me.pk and n.read = 0
      and (new.ids is null or n.id in (select value from json_each(new.ids)))
      and (new.up_to is null or n.place <= (select place from notifications where id = new.up_to and person = me.pk)))
begin
    insert into outbox (type, key, at, body)
    values ('notification.read', new.person, new.at, json_object('userId', new.person));
    update notifications set read = 1
    where person = (select pk from people where id = new.person) and read = 0
      and (new.ids is null or id in (select value from json_each(new.ids)))
      and (new.up_to is null or place <= (select place from notifications
        where id = new.up_to and person = (select pk from people where id = new.person)));
end;
