-- The delivery engine at full strength. The same as migrations/sqlite/0005, in PostgreSQL's words.

-- after_crash: what becomes of batches whose outcome a crash hid: 'again' sends them with the same ids, 'ask' leaves them
-- to a person. disabled_because: why the engine disabled the webhook by itself; empty again when a person enables it.
-- Certificates are PEM; the client's key is sealed with the master key.
alter table webhooks add column after_crash text not null default 'again';
alter table webhooks add column disabled_because text not null default '';
alter table webhooks add column ca_certificate text not null default '';
alter table webhooks add column client_certificate text not null default '';
alter table webhooks add column client_key_cipher text;

-- How a webhook's endpoint is doing, for all nodes: the circuit breaker ('closed', 'open', 'half_open') and what it
-- counts, in batches. No row: closed, nothing counted.
create table webhook_health (
    workspace_id text not null, webhook_id text not null, state text not null default 'closed',
    window_from bigint not null default 0, window_ok bigint not null default 0, window_failed bigint not null default 0,
    failures_in_row bigint not null default 0, trips bigint not null default 0, opened_at bigint,
    open_until bigint not null default 0, reason text not null default '', primary key (workspace_id, webhook_id)
);
