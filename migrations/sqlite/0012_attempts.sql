-- A first attempt that was accepted, as most are, stands in the row of its batch; send_attempts has the others, each
-- written when it has ended. started_at: when the latest attempt began. The same for both databases.
alter table send_batches add column started_at bigint;
alter table send_batches add column http_status bigint;
alter table send_batches add column duration_ms bigint;
alter table send_batches add column response text;

-- What is in hand has no row of its own any more.
update send_batches set started_at = (select a.started_at from send_attempts a
    where a.workspace_id = send_batches.workspace_id and a.send_id = send_batches.send_id
    and a.batch_no = send_batches.batch_no and a.attempt = send_batches.attempts)
where state = 'leased';
delete from send_attempts where outcome is null and (workspace_id, send_id, batch_no, attempt) in
    (select workspace_id, send_id, batch_no, attempts from send_batches where state = 'leased');

-- The last round of the node's dispatcher that is on disk.
alter table nodes add column round bigint not null default 0;
