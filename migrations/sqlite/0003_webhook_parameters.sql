-- Webhook Parameter Management. The same tables as migrations/postgres/0003. associations is an object of what is passed to the parameter
-- (system, others) or of what its values depend on (associated); constants is an array of values. Both are JSON.
create table webhook_parameters (
    workspace_id text not null, id text not null, name text not null, name_key text not null, kind text not null,
    description text not null, url text not null, authentication text not null, key_cipher text,
    associations text not null, constants text not null, version bigint not null, created_at bigint not null,
    updated_at bigint not null, primary key (workspace_id, id)
);
create unique index webhook_parameters_name on webhook_parameters (workspace_id, name);

-- A member's row-level permissions: an object of name to array of values.
alter table members add column attributes text not null default '{}';
