-- What is seen of a running system: the same for both databases.

-- What is sent now, and what waits for a person: few rows, found among millions of sends that have ended.
create index sends_sending on sends (workspace_id, due_at) where state = 'sending';
create index sends_missed on sends (workspace_id, due_at) where state = 'missed';
create index sends_unknown on sends (workspace_id, id) where unknown > 0;
-- The failures of the last hour, the latest first.
create index send_batches_failed on send_batches (workspace_id, finished_at) where state = 'failed';
-- The newest tasks of a workspace.
create index tasks_newest on tasks (workspace_id, created_at, id);

-- How long the POSTs of the window took, in ms, all together.
alter table webhook_health add column window_ms bigint not null default 0;
