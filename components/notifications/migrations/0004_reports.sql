-- What administrators decided: for who reported something, for whose it was, for who appealed.
create trigger if not exists report_resolved_told after insert on inbox when new.type = 'report.resolved' begin
    insert into people (id) values (new.body ->> '$.reporterId') on conflict (id) do nothing;
    insert into happenings (person, type, target_type, target_id, at)
    select pk, 'report_resolved', 'report', new.body ->> '$.reportId', new.at
    from people where id = new.body ->> '$.reporterId';
end;

create trigger if not exists decision_told after insert on inbox
when new.type in ('content.removed', 'suspension.begun')
begin
    insert into people (id) values (coalesce(new.body ->> '$.authorId', new.body ->> '$.userId'))
    on conflict (id) do nothing;
    insert into happenings (person, type, target_type, target_id, at)
    select pk, 'report_resolved', 'report', new.body ->> '$.reportId', new.at
    from people where id = coalesce(new.body ->> '$.authorId', new.body ->> '$.userId');
end;

create trigger if not exists appeal_resolved_told after insert on inbox when new.type = 'appeal.resolved' begin
    insert into people (id) values (new.body ->> '$.authorId') on conflict (id) do nothing;
    insert into happenings (person, type, target_type, target_id, at)
    select pk, 'report_resolved', 'appeal', new.body ->> '$.appealId', new.at
    from people where id = new.body ->> '$.authorId';
end;
