-- Every version of a webhook as it was saved (its key is never part of one), keys that are being replaced, and what a
-- send has taken over from the version that it was submitted with.
alter table webhooks add column pass_environment boolean not null default false;
-- The key before the last one: it still verifies receipts until then, and signs nothing.
alter table webhooks add column old_key_cipher text;
alter table webhooks add column old_key_until bigint;
create table webhook_versions (
    workspace_id text not null, webhook_id text not null, version bigint not null, input text not null,
    saved_by text not null, saved_at bigint not null, primary key (workspace_id, webhook_id, version)
);
-- Empty and 0 in sends that ended before there were versions.
alter table sends add column url text not null default '';
alter table sends add column pass_environment boolean not null default false;
alter table sends add column webhook_version bigint not null default 0;
update sends set
    url = coalesce((select w.url from webhooks w where w.workspace_id = sends.workspace_id and w.id = sends.webhook_id), ''),
    webhook_version = coalesce(
        (select w.version from webhooks w where w.workspace_id = sends.workspace_id and w.id = sends.webhook_id), 0)
    where state in ('scheduled', 'sending', 'paused');
create index tasks_of_webhook on tasks (workspace_id, webhook_id);
-- What was chosen for parameters that are called, and what was passed to get it, as JSON.
alter table tasks add column passed text not null default '[]';
