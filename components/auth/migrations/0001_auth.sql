-- Accounts, sessions, the tokens of both, mail to send, and the keys tokens are signed with.
-- Secrets a person carries (refresh tokens, tokens of mails) are kept as SHA-256 alone. Times that
-- are answered are RFC 3339 text, times that are only compared are milliseconds.

-- Who can sign in. `id` is the id of the person in `users`; both are made by one registration.
create table if not exists accounts (
    pk integer primary key,
    id text not null unique,
    -- Lower case and NFC, so that one mailbox is one account.
    email text not null unique,
    verified_at text,
    -- Argon2id with its parameters, in PHC form.
    password text not null,
    password_set_at text not null,
    -- The session that outlives the change of password at hand.
    kept_session text,
    -- 'pending' until `users` has the person. The registration at work is `attempt`, which is also
    -- the id of the session it will open; after `attempt_until` another may take the row over. It
    -- keeps the id, so that a person made by the first try is found by the second.
    state text not null default 'pending' check (state in ('pending', 'active')),
    attempt text not null,
    attempt_until integer not null,
    activated_at integer,
    created_at text not null
);

create index if not exists accounts_pending on accounts (attempt_until) where state = 'pending';

-- A device signed in, and so a family of refresh tokens. Every token of `generation` is good once;
-- its first use begins the next generation (at `rotated_at`), and then one of the generation
-- before is taken for a lost answer for ten seconds, and for theft after that.
create table if not exists sessions (
    pk integer primary key,
    id text not null unique,
    account integer not null references accounts (pk) on delete cascade,
    created_at text not null,
    last_used_at text not null,
    user_agent text,
    generation integer not null default 1,
    rotated_at integer not null,
    -- The hash of the newest token and when it was made; a trigger puts it among the tokens.
    minted text not null,
    minted_at integer not null,
    -- Ended sessions stay until their tokens would have ended, to tell a reused token from an unknown one.
    ended_at text
);

create index if not exists sessions_by_account on sessions (account, created_at);
create index if not exists sessions_by_age on sessions (minted_at);

create table if not exists refresh_tokens (
    hash text primary key,
    session integer not null references sessions (pk) on delete cascade,
    generation integer not null,
    expires_at integer not null
) without rowid;

create index if not exists refresh_tokens_by_session on refresh_tokens (session);
create index if not exists refresh_tokens_by_age on refresh_tokens (expires_at);

-- Mail to send. The token it carries is made when it is sent, so that only its hash is ever kept.
-- Asking to reset the password of an address without an account queues a mail to nobody, so that the
-- time of the answer does not tell.
create table if not exists mails (
    pk integer primary key,
    account integer references accounts (pk) on delete cascade,
    kind text not null check (kind in ('verify_email', 'password_reset')),
    queued_at integer not null,
    due_at integer not null,
    attempts integer not null default 0,
    token text,
    token_until integer
);

create index if not exists mails_by_due on mails (due_at);
create index if not exists mails_by_account on mails (account);

-- Tokens that mails carry.
create table if not exists mail_tokens (
    hash text primary key,
    account integer not null references accounts (pk) on delete cascade,
    kind text not null,
    expires_at integer not null
) without rowid;

create index if not exists mail_tokens_by_account on mail_tokens (account);
create index if not exists mail_tokens_by_age on mail_tokens (expires_at);

-- Ed25519 keys; the newest signs. The secret of an older one is dropped when the next is made; its
-- public part stays published until its tokens have ended.
create table if not exists signing_keys (
    pk integer primary key,
    kid text not null unique,
    secret text,
    public text not null,
    made_at integer not null
);

create trigger if not exists signing_keys_retired after insert on signing_keys begin
    update signing_keys set secret = null where pk <> new.pk;
end;

-- The keys of an outside issuer as they were last fetched.
create table if not exists issuer_keys (
    issuer text primary key,
    jwks text,
    fetched_at integer not null default 0,
    failed_at integer not null default 0,
    -- When an unknown `kid` last made us fetch.
    asked_at integer not null default 0
) without rowid;

-- A session opened: its first token, and the account it opens is active from now on. Nobody has
-- more than a hundred devices; the longest unused go first.
create trigger if not exists sessions_opened after insert on sessions begin
    insert into refresh_tokens (hash, session, generation, expires_at)
    values (new.minted, new.pk, new.generation, new.minted_at + 2592000000);
    update accounts set state = 'active', activated_at = new.minted_at
    where pk = new.account and state = 'pending';
    update sessions set ended_at = new.created_at
    where account = new.account and ended_at is null and pk in (
        select pk from sessions where account = new.account and ended_at is null
        order by last_used_at desc, pk desc limit -1 offset 100);
end;

create trigger if not exists sessions_minted after update of minted on sessions when new.ended_at is null begin
    insert into refresh_tokens (hash, session, generation, expires_at)
    values (new.minted, new.pk, new.generation, new.minted_at + 2592000000);
end;

create trigger if not exists accounts_activated after update of state on accounts
when new.state = 'active' and old.state = 'pending'
begin
    insert into mails (account, kind, queued_at, due_at)
    values (new.pk, 'verify_email', new.activated_at, new.activated_at);
end;

create trigger if not exists mails_tried after update of token on mails
when new.token is not null and new.account is not null
begin
    insert into mail_tokens (hash, account, kind, expires_at)
    values (new.token, new.account, new.kind, new.token_until);
end;

-- Once verified, every other link to verify is spent as well.
create trigger if not exists accounts_verified after update of verified_at on accounts begin
    delete from mail_tokens where account = new.pk and kind = 'verify_email';
    delete from mails where account = new.pk and kind = 'verify_email';
end;

create trigger if not exists email_verified after update of verified_at on accounts
when old.verified_at is null and new.verified_at is not null
begin
    insert into outbox (type, key, at, body)
    values ('email.verified', new.id, new.verified_at, json_object('userId', new.id, 'email', new.email));
end;

-- A new password ends what the old one, or a mail about it, opened.
create trigger if not exists accounts_password_set after update of password on accounts
when new.state = 'active'
begin
    update sessions set ended_at = new.password_set_at
    where account = new.pk and ended_at is null and id is not new.kept_session;
    delete from mail_tokens where account = new.pk and kind = 'password_reset';
    delete from mails where account = new.pk and kind = 'password_reset';
end;

create trigger if not exists user_suspended_heard after insert on inbox when new.type = 'user.suspended' begin
    update sessions set ended_at = new.at
    where ended_at is null and account = (select pk from accounts where id = new.body ->> '$.id');
end;

-- Counted before anything is deleted, for the receipt.
create trigger if not exists user_deleted_counted before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'auth',
        'rows',
        (select count(*) from accounts where id = new.body ->> '$.id')
        + (select count(*) from accounts as a join sessions as s on s.account = a.pk
           where a.id = new.body ->> '$.id')
        + (select count(*) from accounts as a join sessions as s on s.account = a.pk
           join refresh_tokens as t on t.session = s.pk where a.id = new.body ->> '$.id')
        + (select count(*) from accounts as a join mails as m on m.account = a.pk
           where a.id = new.body ->> '$.id')
        + (select count(*) from accounts as a join mail_tokens as t on t.account = a.pk
           where a.id = new.body ->> '$.id'));
end;

create trigger if not exists user_deleted_heard after insert on inbox when new.type = 'user.deleted' begin
    delete from refresh_tokens where session in (
        select s.pk from sessions as s join accounts as a on a.pk = s.account where a.id = new.body ->> '$.id');
    delete from sessions where account = (select pk from accounts where id = new.body ->> '$.id');
    delete from mail_tokens where account = (select pk from accounts where id = new.body ->> '$.id');
    delete from mails where account = (select pk from accounts where id = new.body ->> '$.id');
    delete from accounts where id = new.body ->> '$.id';
end;
