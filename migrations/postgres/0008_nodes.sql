-- Several nodes on one database. The same as migrations/sqlite/0008.

-- The processes that share this database. seen_at moves with every heartbeat. joined_no orders the joins; knows is the
-- newest join that a node has made room for: whoever joins waits until all others know him.
create table nodes (
    id text primary key, name text not null, roles text not null, version text not null, started_at bigint not null,
    seen_at bigint not null, in_hand bigint not null default 0, posts bigint not null default 0,
    joined_no bigint not null, knows bigint not null default 0
);

-- Users per second of a webhook over all nodes: from when on (unix microseconds) the next batch may go, at the rate that
-- per_second was then.
create table webhook_rates (
    workspace_id text not null, webhook_id text not null, per_second bigint not null, free_at bigint not null,
    primary key (workspace_id, webhook_id)
);

-- The node that plans a send, and until when the others leave it to that node.
alter table sends add column planner text;
alter table sends add column planner_until bigint;
