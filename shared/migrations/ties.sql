-- Who follows, asked to follow, blocks and mutes whom. `social` owns the rows; other services
-- keep them as a projection (ties_events.sql), because the privacy rule reads them everywhere.
create table if not exists follows (
    follower integer not null references people (pk),
    followee integer not null references people (pk),
    created_at text not null,
    primary key (follower, followee)
) without rowid;

create index if not exists follows_by_followee on follows (followee, follower);

create table if not exists follow_requests (
    requester integer not null references people (pk),
    target integer not null references people (pk),
    created_at text not null,
    primary key (requester, target)
) without rowid;

create index if not exists follow_requests_by_target on follow_requests (target, created_at, requester);

create table if not exists blocks (
    blocker integer not null references people (pk),
    blocked integer not null references people (pk),
    created_at text not null,
    primary key (blocker, blocked)
) without rowid;

create index if not exists blocks_by_blocked on blocks (blocked, blocker);

create table if not exists mutes (
    muter integer not null references people (pk),
    muted integer not null references people (pk),
    created_at text not null,
    primary key (muter, muted)
) without rowid;

create index if not exists mutes_by_muted on mutes (muted, muter);

create trigger if not exists follows_counted after insert on follows begin
    update people set followers = followers + 1 where pk = new.followee;
    update people set following = following + 1 where pk = new.follower;
end;

create trigger if not exists follows_uncounted after delete on follows begin
    update people set followers = followers - 1 where pk = old.followee;
    update people set following = following - 1 where pk = old.follower;
end;

-- A deleted person has no ties.
create trigger if not exists ties_of_deleted after update of status on people
when new.status = 'deleted' and old.status <> 'deleted'
begin
    delete from follows where follower = new.pk;
    delete from follows where followee = new.pk;
    delete from follow_requests where requester = new.pk;
    delete from follow_requests where target = new.pk;
    delete from blocks where blocker = new.pk;
    delete from blocks where blocked = new.pk;
    delete from mutes where muter = new.pk;
    delete from mutes where muted = new.pk;
end;
