-- What administrators remove goes as its author would delete it, from the archive as well.
create trigger if not exists content_removed_heard after insert on inbox
when new.type = 'content.removed' and new.body ->> '$.targetType' = 'scoop'
begin
    update scoops set changed_at = new.at, gone = (select coalesce(max(seq), 0) + 1 from outbox)
    where id = new.body ->> '$.targetId' and gone is null;
end;
