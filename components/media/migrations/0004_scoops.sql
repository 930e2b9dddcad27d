-- A scoop uses its media from when it is made until it is deleted. Others see it there through the scoop, never by its key, so
-- such a use is published to nobody.

create trigger if not exists scoop_created_heard after insert on inbox when new.type = 'scoop.created' begin
    insert into uses (media, kind, target, published)
    select m.pk, 'scoop', new.body ->> '$.scoopId', 0
    from media as m join people as owner on owner.pk = m.owner
    where m.key = new.body ->> '$.mediaKey' and owner.id = new.body ->> '$.authorId'
    on conflict (media, kind, target) do nothing;
end;

create trigger if not exists scoop_deleted_heard after insert on inbox when new.type = 'scoop.deleted' begin
    update media set removed = 1, changed_at = new.at
    where pk in (select media from uses where kind = 'scoop' and target = new.body ->> '$.scoopId')
      and not exists (select 1 from uses where uses.media = media.pk
        and (uses.kind <> 'scoop' or uses.target <> new.body ->> '$.scoopId'));
    delete from uses where kind = 'scoop' and target = new.body ->> '$.scoopId';
end;
