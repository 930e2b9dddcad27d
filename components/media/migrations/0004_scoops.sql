-- A scoop uses its media from when it is made until it is deleted. Others see it there through the scoop, never by its key, so
-- such a use is published to nobody.
--
-- `uses` is made anew, because a check cannot be changed. What another process hears or deletes meanwhile is refused, and
-- comes again; so nothing is lost on the way.
create trigger if not exists uses_held_insert before insert on uses begin
    select raise(abort, 'uses_held');
end;

create trigger if not exists uses_held_update before update on uses begin
    select raise(abort, 'uses_held');
end;

create trigger if not exists uses_held_delete before delete on uses begin
    select raise(abort, 'uses_held');
end;

create table if not exists uses_before as select media, kind, target, visibility, published from uses;

drop table if exists uses;

-- What shows a media: a post, its owner's profile, or a scoop.
create table if not exists uses (
    media integer not null references media (pk) on delete cascade,
    kind text not null check (kind in ('post', 'avatar', 'scoop')),
    -- Id of the post, of the owner, or of the scoop.
    target text not null,
    visibility text not null default 'public',
    -- Whether others see the post yet; of a scoop 0.
    published integer not null default 1,
    primary key (media, kind, target)
) without rowid;

insert into uses (media, kind, target, visibility, published)
select media, kind, target, visibility, published from uses_before where true
on conflict (media, kind, target) do nothing;

drop table if exists uses_before;

create index if not exists uses_by_target on uses (target);

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
