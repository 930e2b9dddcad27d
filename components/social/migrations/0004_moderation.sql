-- What administrators decide. Reports are gathered into a case, one of a thing while it is open; a report made after the
-- decision opens another. A case that was decided stays when who reported is gone, because its author may appeal.
create table if not exists cases (
    pk integer primary key autoincrement,
    target_type text not null,
    target_id text not null,
    author integer not null references people (pk),
    status text not null default 'open'
        check (status in ('open', 'dismissed', 'content_removed', 'user_suspended')),
    -- The reports in it that are there still.
    reports integer not null default 0,
    opened_at text not null,
    -- From the decision on: the report it was taken by, which names it to the author, and that report's reason.
    report_id text unique,
    reason text,
    note text,
    decided_at text,
    -- When the suspension ended.
    lifted_at text
);

create unique index if not exists cases_open on cases (target_type, target_id) where status = 'open';

-- (status, pk), (author, pk): newest first.
create index if not exists cases_by_status on cases (status);

create index if not exists cases_by_author on cases (author);

-- Who has one of these is suspended.
create index if not exists cases_in_force on cases (author) where status = 'user_suspended' and lifted_at is null;

-- What the thing said when it was reported, for administrators: its author may have thought better of it since.
alter table reports add column excerpt text;

alter table reports add column in_case integer references cases (pk) on delete set null;

create index if not exists reports_by_case on reports (in_case);

-- What was reported before there were cases.
insert into cases (target_type, target_id, author, opened_at, reports)
select target_type, target_id, target_author, min(created_at), count(*) from reports
where status = 'open' group by target_type, target_id;

update reports set in_case = (
    select pk from cases where target_type = reports.target_type and target_id = reports.target_id and status = 'open')
where status = 'open';

create trigger if not exists report_filed after insert on reports
begin
    insert into cases (target_type, target_id, author, opened_at, reports)
    values (new.target_type, new.target_id, new.target_author, new.created_at, 1)
    on conflict (target_type, target_id) where status = 'open' do update set reports = reports + 1;
    update reports set in_case = (
        select pk from cases where target_type = new.target_type and target_id = new.target_id and status = 'open')
    where pk = new.pk;
end;

-- A case nobody stands behind any more is none, unless it was decided.
create trigger if not exists report_unfiled after delete on reports
begin
    update cases set reports = reports - 1 where pk = old.in_case;
    delete from cases where pk = old.in_case and reports = 0 and status = 'open';
end;

-- One for each case, by its author.
create table if not exists appeals (
    pk integer primary key autoincrement,
    id text not null unique,
    in_case integer not null unique references cases (pk) on delete cascade,
    text text not null,
    status text not null default 'open' check (status in ('open', 'upheld', 'overturned')),
    note text,
    created_at text not null,
    resolved_at text
);

-- (status, pk): newest first.
create index if not exists appeals_by_status on appeals (status);

-- To insert a row is to act as an administrator: the triggers below do what it says, so nothing is done that is not
-- here. Rows are for good; what was written about a person goes with them.
create table if not exists audit (
    pk integer primary key autoincrement,
    id text not null unique,
    admin integer not null references people (pk),
    action text not null check (action in ('dismiss', 'remove_content', 'suspend_user', 'unsuspend_user',
        'uphold_appeal', 'overturn_appeal')),
    target_type text not null,
    target_id text not null,
    -- Whose the target is.
    subject integer not null references people (pk),
    -- What the decision is known by; null where there was nothing to decide.
    report_id text,
    appeal_id text,
    note text,
    created_at text not null
);

create index if not exists audit_by_admin on audit (admin);

create index if not exists audit_by_target on audit (target_id);

create index if not exists audit_by_subject on audit (subject);

-- Every open report of the same thing is decided at once. Whoever made one hears of it, but for the administrator.
create trigger if not exists case_decided after insert on audit
when new.action in ('dismiss', 'remove_content', 'suspend_user') and new.report_id is not null
begin
    -- Nobody reported it: who decides does.
    insert into reports (id, reporter, target_type, target_id, target_author, reason, created_at)
    select new.report_id, new.admin, new.target_type, new.target_id, new.subject, 'other', new.created_at
    where not exists (select 1 from reports where id = new.report_id);
    update cases set
        status = case new.action
            when 'dismiss' then 'dismissed' when 'remove_content' then 'content_removed' else 'user_suspended' end,
        report_id = new.report_id, reason = (select reason from reports where id = new.report_id),
        note = new.note, decided_at = new.created_at
    where pk = (select in_case from reports where id = new.report_id);
    update reports set
        status = (select status from cases where report_id = new.report_id), resolved_at = new.created_at
    where in_case = (select pk from cases where report_id = new.report_id);
    insert into outbox (type, key, at, body)
    select 'report.resolved', r.id, new.created_at,
        json_object('reportId', r.id, 'reporterId', reporter.id, 'status', r.status)
    from cases as c, reports as r, people as reporter
    where c.report_id = new.report_id and r.in_case = c.pk and reporter.pk = r.reporter and r.reporter <> new.admin;
    insert into outbox (type, key, at, body)
    select 'content.removed', new.target_id, new.created_at, json_object(
        'reportId', new.report_id, 'authorId', author.id, 'targetType', new.target_type, 'targetId', new.target_id)
    from people as author where author.pk = new.subject and new.action = 'remove_content';
    insert into outbox (type, key, at, body)
    select 'suspension.begun', author.id, new.created_at,
        json_object('reportId', new.report_id, 'userId', author.id)
    from people as author where author.pk = new.subject and new.action = 'suspend_user';
end;

create trigger if not exists suspension_ended after insert on audit when new.action = 'unsuspend_user'
begin
    update cases set lifted_at = new.created_at
    where author = new.subject and status = 'user_suspended' and lifted_at is null;
    insert into outbox (type, key, at, body)
    select 'suspension.lifted', id, new.created_at, json_object('userId', id) from people where pk = new.subject;
end;

-- Who was suspended for two things stays so when one of them is overturned. What was removed cannot come back.
create trigger if not exists appeal_decided after insert on audit
when new.action in ('uphold_appeal', 'overturn_appeal')
begin
    update appeals set
        status = iif(new.action = 'uphold_appeal', 'upheld', 'overturned'), note = new.note,
        resolved_at = new.created_at
    where id = new.appeal_id;
    insert into outbox (type, key, at, body)
    select 'appeal.resolved', a.id, new.created_at,
        json_object('appealId', a.id, 'authorId', author.id, 'status', a.status)
    from appeals as a, people as author where a.id = new.appeal_id and author.pk = new.subject;
    insert into outbox (type, key, at, body)
    select 'suspension.lifted', author.id, new.created_at, json_object('userId', author.id)
    from people as author, cases as c
    where author.pk = new.subject and new.action = 'overturn_appeal'
      and c.report_id = new.report_id and c.status = 'user_suspended' and c.lifted_at is null
      and not exists (
        select 1 from cases as other where other.author = new.subject and other.pk <> c.pk
          and other.status = 'user_suspended' and other.lifted_at is null);
    update cases set lifted_at = new.created_at
    where report_id = new.report_id and new.action = 'overturn_appeal' and status = 'user_suspended'
      and lifted_at is null;
end;

-- As in 0003_heard.sql, with cases. Who reported something of theirs hears that it is gone. The rows an administrator who
-- is deleted left in the audit stay, by an id that says nothing any more.
drop trigger if exists person_erased;

create trigger if not exists person_erased before insert on inbox when new.type = 'user.deleted' begin
    insert into outbox (type, key, at, body)
    select 'erasure.completed', new.body ->> '$.id', new.at, json_object(
        'userId', new.body ->> '$.id', 'deletionId', new.body ->> '$.deletionId', 'service', 'social',
        'rows', (select count(*) from people where pk = person.pk and status <> 'deleted')
            + (select count(*) from follows where follower = person.pk)
            + (select count(*) from follows where followee = person.pk)
            + (select count(*) from follow_requests where requester = person.pk)
            + (select count(*) from follow_requests where target = person.pk)
            + (select count(*) from blocks where blocker = person.pk)
            + (select count(*) from blocks where blocked = person.pk)
            + (select count(*) from mutes where muter = person.pk)
            + (select count(*) from mutes where muted = person.pk)
            + (select count(*) from reports where reporter = person.pk)
            + (select count(*) from reports where target_author = person.pk)
            + (select count(*) from cases where author = person.pk)
            + (select count(*) from cases as c join appeals as a on a.in_case = c.pk where c.author = person.pk)
            + (select count(*) from audit where subject = person.pk and note is not null))
    from (select (select pk from people where id = new.body ->> '$.id') as pk) as person;
    delete from reports where reporter = (select pk from people where id = new.body ->> '$.id');
    insert into outbox (type, key, at, body)
    select 'report.resolved', r.id, new.at,
        json_object('reportId', r.id, 'reporterId', reporter.id, 'status', 'content_removed')
    from people as author, reports as r, people as reporter
    where author.id = new.body ->> '$.id' and r.target_author = author.pk and r.status = 'open'
      and reporter.pk = r.reporter;
    update reports set
        details = null, excerpt = null, status = iif(status = 'open', 'content_removed', status),
        resolved_at = coalesce(resolved_at, new.at)
    where target_author = (select pk from people where id = new.body ->> '$.id');
    delete from cases where author = (select pk from people where id = new.body ->> '$.id');
    update audit set note = null where subject = (select pk from people where id = new.body ->> '$.id');
end;
