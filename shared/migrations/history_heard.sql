-- For services that are made of history, and can be made again of it (shared/src/history.rs). It names who was erased
-- as nobody, who is therefore somebody erased: what happened to the erased counts for nothing, told again as well.
-- No word of `users` is newer than this.
insert into people (id, status, rev) values ('00000000-0000-0000-0000-000000000000', 'deleted', 9223372036854775807)
on conflict (id) do nothing;
