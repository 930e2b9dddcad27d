-- What is to be processed, one job a media, which names it too. A job outlives its media, so that a worker that has
-- it learns that nobody wants it any more.
create table if not exists jobs (
    key text primary key,
    -- Of the media's objects.
    prefix text not null,
    kind text not null check (kind in ('image', 'video')),
    state text not null default 'waiting' check (state in ('waiting', 'leased', 'done', 'dead', 'cancelled')),
    -- How many times it was leased and not handed back.
    attempt integer not null default 0,
    -- Grows with every lease: who shows an older one has lost it.
    fence integer not null default 0,
    worker text,
    -- When a waiting job may be leased, and when a lease ends.
    due_at integer not null,
    created_at integer not null
) without rowid;

create index if not exists jobs_by_due on jobs (state, due_at);

-- A job begins by its media's status, and the media follows its job: one statement moves both.
create trigger if not exists media_queued after update of status on media
when new.status = 'queued' and old.status in ('uploaded', 'failed')
begin
    insert into jobs (key, prefix, kind, due_at, created_at)
    select new.key, owner.id || '/' || new.key || '/', new.kind, new.queued_at, new.queued_at
    from people as owner where owner.pk = new.owner
    on conflict (key) do update set state = 'waiting', attempt = 0, due_at = excluded.due_at
    where jobs.state = 'dead';
end;

create trigger if not exists job_leased after update of fence on jobs when new.state = 'leased' begin
    update media set status = 'processing', progress = 0 where key = new.key;
end;

create trigger if not exists job_waits after update of state on jobs
when new.state = 'waiting' and old.state = 'leased'
begin
    update media set status = 'queued', progress = 0 where key = new.key;
end;

create trigger if not exists job_ended after update of status on media
when old.status = 'processing' and new.status in ('ready', 'failed')
begin
    update jobs set state = iif(new.status = 'ready', 'done', 'dead') where key = new.key;
end;

-- One that waits is gone with its media; one that runs is told at its next heartbeat.
create trigger if not exists media_job_cancelled after delete on media begin
    delete from jobs where key = old.key and state <> 'leased';
    update jobs set state = 'cancelled' where key = old.key;
end;

-- A worker may have written below the prefix of a cancelled job after it was cleared.
create trigger if not exists cancelled_job_cleared after delete on jobs when old.state = 'cancelled' begin
    insert into removals (prefix, due_at) values (old.prefix, 0) on conflict (prefix) do update set due_at = 0;
end;
