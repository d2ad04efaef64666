-- For how many days a workspace keeps what its tasks sent; 0: for ever. The same as migrations/sqlite/0011.
alter table workspaces add column keep_days bigint not null default 0;
-- When the messages of a send were deleted, because they were old enough; its totals stay.
alter table sends add column emptied_at bigint;
alter table deleted_sends add column keeps_totals boolean not null default false;
create index sends_kept on sends (workspace_id, finished_at) where emptied_at is null and finished_at is not null;
