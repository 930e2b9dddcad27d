-- Where pushes go. Times here are milliseconds, since they are compared and not shown, but for `registered_at`.
create table if not exists push_endpoints (
    pk integer primary key autoincrement,
    id text not null unique,
    person integer not null references people (pk),
    provider text not null check (provider in ('webpush', 'expo', 'fcm')),
    -- The URL of a subscription, or a token.
    address text not null,
    -- The keys of a subscription, base64url.
    p256dh text,
    auth text,
    registered_at text not null,
    -- Failures in a row, since when, and until when nothing is sent there.
    failures integer not null default 0,
    failing_since integer,
    paused_until integer not null default 0,
    unique (provider, address)
);

create index if not exists push_endpoints_by_person on push_endpoints (person, registered_at);

create index if not exists push_endpoints_failing on push_endpoints (failing_since) where failing_since is not null;

-- The queue: one row for each endpoint a notification goes to, gone when it is delivered or pointless.
create table if not exists pushes (
    pk integer primary key autoincrement,
    notification integer not null references notifications (pk) on delete cascade,
    endpoint integer not null references push_endpoints (pk) on delete cascade,
    queued_at integer not null,
    due_at integer not null,
    -- When it failed first.
    tried_at integer,
    -- Grows with every claim: who holds an older one has lost the row.
    lease integer not null default 0,
    unique (notification, endpoint)
);

create index if not exists pushes_by_due on pushes (due_at);

create index if not exists pushes_by_endpoint on pushes (endpoint);

-- The key that signs Web Push where no variable brings one, made once.
create table if not exists vapid_keys (
    one integer primary key check (one = 1),
    secret text not null
);

-- Access tokens of FCM, shared by all instances until they end.
create table if not exists access_tokens (
    account text primary key,
    token text not null,
    ends_at integer not null
) without rowid;

-- In the statement that makes the notification. Sent 2 s later, unless it was read by then.
create trigger if not exists notification_pushed after update of pushed_at on notifications
when new.pushed_at is not old.pushed_at
begin
    insert into pushes (notification, endpoint, queued_at, due_at)
    select new.pk, pk, at, max(paused_until, at + 2000)
    from push_endpoints, (select strftime('%s', new.pushed_at) * 1000 + substr(new.pushed_at, 21, 3) as at)
    where person = new.person
    on conflict (notification, endpoint) do update set
        queued_at = excluded.queued_at, due_at = excluded.due_at, tried_at = null;
end;

-- What was on its way to the one is not the other's to see.
create trigger if not exists endpoint_taken_over after update of person on push_endpoints
when new.person <> old.person
begin
    delete from pushes where endpoint = new.pk;
end;

create trigger if not exists endpoint_paused after update of paused_until on push_endpoints
when new.paused_until > old.paused_until
begin
    update pushes set due_at = new.paused_until where endpoint = new.pk and due_at < new.paused_until;
end;

-- The 20 registered last stay: an app that is installed again and again must not keep out the one in use.
create trigger if not exists endpoints_bounded after insert on push_endpoints begin
    delete from push_endpoints where person = new.person and pk not in (
        select pk from push_endpoints where person = new.person order by registered_at desc, pk desc limit 20);
end;

create trigger if not exists endpoints_bounded_again after update of person on push_endpoints
when new.person <> old.person
begin
    delete from push_endpoints where person = new.person and pk not in (
        select pk from push_endpoints where person = new.person order by registered_at desc, pk desc limit 20);
end;
