-- Suspensions are decided in `social`, which keeps why.
create trigger if not exists suspension_begun_heard after insert on inbox when new.type = 'suspension.begun' begin
    update people set status = 'suspended', changed_at = new.at
    where id = new.body ->> '$.userId' and status = 'active';
end;

create trigger if not exists suspension_lifted_heard after insert on inbox when new.type = 'suspension.lifted' begin
    update people set status = 'active', changed_at = new.at
    where id = new.body ->> '$.userId' and status = 'suspended';
end;

-- Nobody writes it any more.
update people set suspension_reason = null where suspension_reason is not null;
