-- Members, groups, roles, grants, API keys and the audit log. The same tables as migrations/sqlite/0004, in
-- PostgreSQL's words. The roles Administrator, Marketer and Analyst are the program's own and have no rows here.

-- Of a person: '' as password_hash until the first password is set, '' as time_zone is the browser's, '' as theme the
-- system's. totp_step is the last step of the second factor that was used, so that a code works once.
alter table users add column name_key text not null default '';
alter table users add column organization_admin boolean not null default false;
alter table users add column disabled_at bigint;
alter table users add column time_zone text not null default '';
alter table users add column language text not null default 'en';
alter table users add column theme text not null default '';
alter table users add column totp_cipher text;
alter table users add column totp_step bigint not null default 0;
alter table users add column last_sign_in_at bigint;
update users set name_key = lower(name);
-- Who set the installation up.
update users set organization_admin = true where id = (
    select u.id from users u join members m on m.user_id = u.id where m.role = 'administrator'
    order by u.created_at, u.id limit 1);

alter table sessions add column address text not null default '';
alter table sessions add column agent text not null default '';
create index sessions_of_user on sessions (user_id);

-- Between a right password and the code of the second factor.
create table sign_in_steps (
    token_hash text primary key, user_id text not null, tries bigint not null default 0, expires_at bigint not null
);
-- Links that let a person set a password: valid once. purpose is invitation or password.
create table account_links (
    token_hash text primary key, user_id text not null, purpose text not null, created_by text not null,
    created_at bigint not null, expires_at bigint not null
);
create index account_links_of_user on account_links (user_id);

-- permissions is an array of their codes. member_roles also holds the ids of the program's own roles.
create table roles (
    workspace_id text not null, id text not null, name text not null, name_key text not null,
    description text not null, permissions text not null, version bigint not null, created_at bigint not null,
    updated_at bigint not null, primary key (workspace_id, id)
);
create unique index roles_name on roles (workspace_id, name_key);
create table member_roles (
    workspace_id text not null, user_id text not null, role_id text not null,
    primary key (workspace_id, user_id, role_id)
);
insert into member_roles (workspace_id, user_id, role_id) select workspace_id, user_id, role from members;
create index member_roles_of_role on member_roles (workspace_id, role_id);

create table member_groups (
    workspace_id text not null, id text not null, name text not null, name_key text not null,
    created_at bigint not null, updated_at bigint not null, primary key (workspace_id, id)
);
create unique index member_groups_name on member_groups (workspace_id, name_key);
create table member_group_members (
    workspace_id text not null, group_id text not null, user_id text not null,
    primary key (workspace_id, group_id, user_id)
);
create index member_group_members_of_user on member_group_members (workspace_id, user_id);

-- The use of a webhook: subject_kind is member or group, one of them for all of a webhook's grants. Permanent without
-- until_at.
create table webhook_grants (
    workspace_id text not null, id text not null, webhook_id text not null, subject_kind text not null,
    subject_id text not null, from_at bigint not null, until_at bigint, granted_by text not null,
    granted_at bigint not null, primary key (workspace_id, id)
);
create index webhook_grants_of_webhook on webhook_grants (workspace_id, webhook_id, subject_id);
-- Until now marketers used every webhook; those that are there stay theirs.
insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, granted_by, granted_at)
    select w.workspace_id, replace(gen_random_uuid()::text, '-', ''), w.id, 'member', m.user_id, 0, '', 0
    from webhooks w join members m on m.workspace_id = w.workspace_id where m.role = 'marketer';

alter table members drop column role;
alter table members add column disabled_at bigint;
alter table members add column created_at bigint not null default 0;

-- Who submitted the task last: the one who must be permitted to use its webhook when it starts.
alter table tasks add column submitted_by text not null default '';
update tasks set submitted_by = created_by;

-- Keys for programs; scopes is an array of their codes, hint the end of the key.
create table api_keys (
    workspace_id text not null, id text not null, name text not null, key_hash text not null, hint text not null,
    scopes text not null, created_by text not null, created_at bigint not null, expires_at bigint,
    last_used_at bigint, last_used_from text not null default '', revoked_at bigint, primary key (workspace_id, id)
);
create unique index api_keys_hash on api_keys (key_hash);

-- Append-only. hash is over the entry and the hash of the one before it in the same workspace; '' is the organization.
-- change is an object of before and after; search_key is what searches look in, in lower case.
create table audit_log (
    workspace_id text not null, seq bigint not null, at bigint not null, actor_kind text not null,
    actor_id text not null, actor text not null, action text not null, object_kind text not null,
    object_id text not null, object text not null, address text not null, change text not null,
    search_key text not null, hash text not null, primary key (workspace_id, seq)
);
-- The last entry of each chain.
create table audit_heads (workspace_id text primary key, seq bigint not null, hash text not null);
create function audit_log_keeps() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is append-only';
end
$$;
create trigger audit_log_no_change before update or delete or truncate on audit_log
    for each statement execute function audit_log_keeps();
