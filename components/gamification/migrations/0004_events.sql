-- What gamification does with what it hears. Events of two sources come in any order, so each may be the first to name a
-- person, and may name one who is deleted already, or was erased from it.

create trigger if not exists post_earned after insert on inbox when new.type = 'post.published' begin
    insert into deeds (person, at) values (new.body ->> '$.authorId', new.at);
    insert into earnings (person, kind, cause, post, at)
    values (new.body ->> '$.authorId', 'post', new.body ->> '$.postId', new.body ->> '$.postId', new.at);
end;

-- Its comments and reactions go untold with it.
create trigger if not exists post_taken_back after insert on inbox when new.type = 'post.deleted' begin
    insert into withdrawals (post) values (new.body ->> '$.postId');
end;

create trigger if not exists comment_earned after insert on inbox when new.type = 'comment.created' begin
    insert into deeds (person, at) values (new.body ->> '$.authorId', new.at);
    insert into earnings (person, kind, partner, cause, post, at)
    values (new.body ->> '$.authorId', 'comment', new.body ->> '$.postAuthorId', new.body ->> '$.commentId',
        new.body ->> '$.postId', new.at);
    insert into earnings (person, kind, partner, cause, post, at)
    values (new.body ->> '$.postAuthorId', 'commented', new.body ->> '$.authorId', new.body ->> '$.commentId',
        new.body ->> '$.postId', new.at);
end;

create trigger if not exists comment_taken_back after insert on inbox when new.type = 'comment.deleted' begin
    delete from ledger
    where person = (select pk from people where id = new.body ->> '$.authorId') and kind = 'comment'
      and partner = (select pk from people where id = new.body ->> '$.postAuthorId')
      and cause = new.body ->> '$.commentId';
    delete from ledger
    where person = (select pk from people where id = new.body ->> '$.postAuthorId') and kind = 'commented'
      and partner = (select pk from people where id = new.body ->> '$.authorId')
      and cause = new.body ->> '$.commentId';
end;

create trigger if not exists reaction_earned after insert on inbox when new.type = 'reaction.created' begin
    insert into deeds (person, at) values (new.body ->> '$.userId', new.at);
    insert into earnings (person, kind, partner, cause, post, at)
    values (new.body ->> '$.postAuthorId', 'reacted', new.body ->> '$.userId', new.body ->> '$.postId',
        new.body ->> '$.postId', new.at);
end;

create trigger if not exists reaction_taken_back after insert on inbox when new.type = 'reaction.removed' begin
    update ledger set held = held - 1
    where person = (select pk from people where id = new.body ->> '$.postAuthorId') and kind = 'reacted'
      and partner = (select pk from people where id = new.body ->> '$.userId')
      and cause = new.body ->> '$.postId' and held > 0;
end;

create trigger if not exists follow_earned after insert on inbox when new.type = 'follow.created' begin
    insert into deeds (person, at) values (new.body ->> '$.followerId', new.at);
    insert into earnings (person, kind, partner, cause, at)
    values (new.body ->> '$.followeeId', 'followed', new.body ->> '$.followerId', '', new.at);
end;

create trigger if not exists follow_taken_back after insert on inbox when new.type = 'follow.removed' begin
    update ledger set held = held - 1
    where person = (select pk from people where id = new.body ->> '$.followeeId') and kind = 'followed'
      and partner = (select pk from people where id = new.body ->> '$.followerId') and cause = '' and held > 0;
end;

create trigger if not exists scoop_earned after insert on inbox when new.type = 'scoop.published' begin
    insert into deeds (person, at) values (new.body ->> '$.authorId', new.at);
    insert into earnings (person, kind, cause, at)
    values (new.body ->> '$.authorId', 'scoop', new.body ->> '$.scoopId', new.at);
end;

-- A scoop that lived to its end holds by that as well: that it leaves the archive takes nothing back.
create trigger if not exists scoop_lived after insert on inbox when new.type = 'scoop.expired' begin
    update ledger set held = held + 1
    where person = (select pk from people where id = new.body ->> '$.authorId') and kind = 'scoop' and partner = 0
      and cause = new.body ->> '$.scoopId' and held > 0;
end;

create trigger if not exists scoop_taken_back after insert on inbox when new.type = 'scoop.deleted' begin
    update ledger set held = held - 1
    where person = (select pk from people where id = new.body ->> '$.authorId') and kind = 'scoop' and partner = 0
      and cause = new.body ->> '$.scoopId' and held > 0;
end;

create trigger if not exists zone_heard after insert on inbox
when new.type = 'preferences.updated' and new.body ->> '$.userId' is not null
begin
    insert into people (id) values (new.body ->> '$.userId') on conflict (id) do nothing;
    insert into settings (person, time_zone)
    select pk, new.body ->> '$.preferences.quietHours.timeZone' from people
    where id = new.body ->> '$.userId' and status <> 'deleted'
    on conflict (person) do update set time_zone = excluded.time_zone;
end;

-- The receipt counts what was theirs before it goes, and what others have by them. That is taken from those like anything
-- else whose cause is gone.
create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'gamification',
        'rows', (select count(*) from people where pk = gone.pk and status <> 'deleted')
            + (select count(*) from ledger where person = gone.pk)
            + (select count(*) from ledger where partner = gone.pk and partner <> 0)
            + (select count(*) from activity where person = gone.pk)
            + (select count(*) from awards where person = gone.pk)
            + (select count(*) from settings where person = gone.pk))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as gone;
    insert into clearings (all_of_it) values (0);
    delete from ledger where person = (select pk from people where id = new.body ->> '$.id');
    delete from scores where person = (select pk from people where id = new.body ->> '$.id');
    delete from clearings;
    insert into withdrawals (partner) select pk from people where id = new.body ->> '$.id';
    delete from days where person = (select pk from people where id = new.body ->> '$.id');
    delete from totals where person = (select pk from people where id = new.body ->> '$.id');
    delete from moves where person = (select pk from people where id = new.body ->> '$.id');
    delete from activity where person = (select pk from people where id = new.body ->> '$.id');
    delete from checks where person = (select pk from people where id = new.body ->> '$.id');
    delete from awards where person = (select pk from people where id = new.body ->> '$.id');
    delete from settings where person = (select pk from people where id = new.body ->> '$.id');
end;

-- To insert here is to begin a rebuild: what events made goes, and how far they were heard, so that every source tells
-- again from its first. What is not made of them stays (opting out, awards), and so does what they are only added to
-- (people, ties, activity). `awaited` is how far each source had been heard: until it has been again, the numbers are those
-- of a part of the past, and no badge is given for them.
create table if not exists rebuilds (
    pk integer primary key,
    begun_at text not null,
    awaited text not null default '{}'
);

create trigger if not exists rebuild_begun after insert on rebuilds begin
    update rebuilds set awaited = (select json_group_object(source, seq) from inbox_cursors) where pk = new.pk;
    insert into clearings (all_of_it) values (1);
    delete from ledger;
    delete from scores;
    delete from clearings;
    delete from days;
    delete from totals;
    delete from standings;
    delete from moves;
    delete from checks;
    delete from inbox;
    delete from inbox_cursors;
end;
