-- What people report, kept until one of the two is deleted.
create table if not exists reports (
    pk integer primary key,
    id text not null unique,
    reporter integer not null references people (pk),
    target_type text not null check (target_type in ('user', 'post', 'comment', 'scoop')),
    target_id text not null,
    -- Whose it is, so that moderation may suspend them.
    target_author integer not null references people (pk),
    reason text not null check (reason in ('spam', 'abuse', 'nudity', 'violence', 'other')),
    details text,
    status text not null default 'open'
        check (status in ('open', 'dismissed', 'content_removed', 'user_suspended')),
    created_at text not null,
    resolved_at text
);

-- Reporting the same thing again while the report is open is the same report.
create unique index if not exists reports_open on reports (reporter, target_type, target_id)
where status = 'open';

create index if not exists reports_by_reporter on reports (reporter, id);
create index if not exists reports_by_author on reports (target_author);
create index if not exists reports_by_status on reports (status, id);

create trigger if not exists report_begun after insert on reports
begin
    insert into outbox (type, key, at, body)
    select 'report.created', new.id, new.created_at, json_object(
        'reportId', new.id, 'reporterId', id, 'targetType', new.target_type,
        'targetId', new.target_id, 'reason', new.reason)
    from people where pk = new.reporter;
end;
