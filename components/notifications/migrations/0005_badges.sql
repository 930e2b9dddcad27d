-- A badge somebody was given, once and for good: by nobody, and nothing withdraws it.
create trigger if not exists badge_told after insert on inbox when new.type = 'badge.awarded' begin
    insert into people (id) values (new.body ->> '$.userId') on conflict (id) do nothing;
    insert into happenings (person, type, target_type, target_id, at)
    select pk, 'badge', 'badge', new.body ->> '$.badgeId', new.at from people where id = new.body ->> '$.userId';
end;
