-- However a session ends, who serves streams of it hears so.
create trigger if not exists session_ended after update of ended_at on sessions
when old.ended_at is null and new.ended_at is not null
begin
    insert into outbox (type, key, at, body)
    select 'session.ended', a.id, new.ended_at, json_object('userId', a.id, 'sessionId', new.id)
    from accounts as a where a.pk = new.account;
end;
