-- The same tables as migrations/postgres/0001, in SQLite's words. Times are unix milliseconds. What belongs to a
-- workspace has workspace_id first in its key. name_key is the name in lower case, as Rust has it, for searches.

-- The installation: settings, workspaces, people.
create table settings (key text primary key, value text not null);
create table workspaces (id text primary key, name text not null, time_zone text not null, created_at bigint not null);
create table users (
    id text primary key, email text not null unique, name text not null, password_hash text not null,
    created_at bigint not null
);
create table members (
    workspace_id text not null references workspaces (id), user_id text not null references users (id),
    role text not null, primary key (workspace_id, user_id)
);
create table sessions (
    token_hash text primary key, user_id text not null references users (id), workspace_id text not null,
    created_at bigint not null, last_seen_at bigint not null, expires_at bigint not null
);
create table sign_in_failures (subject text primary key, failures bigint not null, since bigint not null);

-- Customers. tags is an object of tag name to value, of the kind that the table tags says.
create table id_types (
    workspace_id text not null, code text not null, name text not null, multi_value boolean not null,
    enabled boolean not null, position bigint not null, primary key (workspace_id, code)
);
create table tags (
    workspace_id text not null, name text not null, kind text not null, primary key (workspace_id, name)
);
create table customers (
    workspace_id text not null, customer_id text not null, tags text not null, created_at bigint not null,
    updated_at bigint not null, primary key (workspace_id, customer_id)
) without rowid;
create table identities (
    workspace_id text not null, id_type text not null, value text not null, customer_id text not null,
    primary key (workspace_id, id_type, value)
) without rowid;
create index identities_of_customer on identities (workspace_id, customer_id, id_type, value);
-- Kept by whoever adds customers, so that pages need not count them.
create table customer_counts (workspace_id text primary key, customers bigint not null);

-- bytes_done and lines_done move in the transaction of the rows they count: an import goes on exactly there.
-- progress_at says when it last moved: one that runs and has not moved for minutes was interrupted. reasons is an
-- object of reason to number of bad rows.
create table imports (
    workspace_id text not null, id text not null, source text not null, file_name text not null, bytes bigint not null,
    status text not null, mapping text, bytes_done bigint not null default 0, lines_done bigint not null default 0,
    rows_good bigint not null default 0, rows_bad bigint not null default 0, reasons text not null default '{}',
    error text, created_by text not null, created_at bigint not null, started_at bigint, progress_at bigint,
    finished_at bigint, primary key (workspace_id, id)
);
create index imports_running on imports (status) where status = 'running';
create table import_errors (
    workspace_id text not null, import_id text not null, line bigint not null, reason text not null,
    detail text not null, primary key (workspace_id, import_id, line)
) without rowid;

-- Audiences: everybody, an uploaded list, or rules.
create table audiences (
    workspace_id text not null, id text not null, name text not null, name_key text not null default '',
    kind text not null, rules text not null, size bigint not null, unmatched bigint not null default 0, created_at bigint not null, updated_at bigint not null,
    primary key (workspace_id, id)
);
create unique index audiences_name on audiences (workspace_id, name);
create table audience_members (
    workspace_id text not null, audience_id text not null, customer_id text not null,
    primary key (workspace_id, audience_id, customer_id)
) without rowid;
create table audience_unmatched (
    workspace_id text not null, audience_id text not null, line bigint not null, value text not null,
    primary key (workspace_id, audience_id, line)
) without rowid;

-- Marketing campaigns: kind main or sub; a sub-campaign without a parent is a standalone one.
create table campaigns (
    workspace_id text not null, id text not null, kind text not null, parent_id text, name text not null,
    starts_on text, ends_on text, created_at bigint not null, primary key (workspace_id, id)
);

create table webhooks (
    workspace_id text not null, id text not null, name text not null, name_key text not null default '',
    enabled boolean not null, url text not null, authentication text not null, key_cipher text, id_types text not null, parameters text not null,
    batch_size bigint not null, concurrency bigint not null, users_per_second bigint, receipts_enabled boolean not null,
    retention_days bigint not null, statuses text not null, version bigint not null,
    tested_at bigint, test_ok boolean, test_reason text, created_at bigint not null, updated_at bigint not null,
    primary key (workspace_id, id)
);
create unique index webhooks_name on webhooks (workspace_id, name);
-- Receipts name the webhook alone.
create unique index webhooks_id on webhooks (id);
create table test_sends (
    workspace_id text not null, id text not null, webhook_id text not null, ok boolean not null, reason text not null,
    log text not null, created_by text not null, created_at bigint not null, primary key (workspace_id, id)
);

-- A task is what the marketer wrote; the run of it is the row of the same id in sends.
create table tasks (
    workspace_id text not null, id text not null, name text not null, name_key text not null default '',
    audience_id text not null, webhook_id text not null, id_type text not null, encryption text not null, inputs text not null,
    scheduled_at bigint, time_zone text not null, created_by text not null, created_at bigint not null,
    updated_at bigint not null, primary key (workspace_id, id)
);
create table task_campaigns (
    workspace_id text not null, task_id text not null, campaign_id text not null,
    primary key (workspace_id, task_id, campaign_id)
);
create index task_campaigns_of_campaign on task_campaigns (workspace_id, campaign_id);
create table dry_runs (
    workspace_id text not null, id text not null, input text not null, status text not null, done bigint not null,
    total bigint not null, result text, created_by text not null, created_at bigint not null,
    primary key (workspace_id, id)
);

-- The delivery engine: a send is one run of a sender (a task today), its actions one user each, its batches one
-- POST each. The batches are the queue. receipts_for (ms) is how long after a send's last
-- start, resumption or resend receipts are taken; none when it takes no receipts.
create table sends (
    workspace_id text not null, id text not null, source text not null, webhook_id text not null,
    id_type text not null, encryption text not null, template text not null, batch_size bigint not null,
    state text not null, due_at bigint not null, audience_size bigint not null default 0,
    planned bigint not null default 0, planning_done boolean not null default false, plan_cursor text,
    batches bigint not null default 0, accepted bigint not null default 0, failed bigint not null default 0,
    skipped bigint not null default 0, unknown bigint not null default 0, error text,
    created_at bigint not null, started_at bigint, finished_at bigint,
    receipts_for bigint, receipts_until bigint, primary key (workspace_id, id)
);
create index sends_open on sends (state, due_at) where state in ('scheduled', 'sending');
create index sends_of_webhook on sends (workspace_id, webhook_id);
-- Sends that were deleted and whose rows are still being removed, some at a time.
create table deleted_sends (workspace_id text not null, send_id text not null, primary key (workspace_id, send_id));
create table send_actions (
    workspace_id text not null, send_id text not null, seq bigint not null, customer_id text not null, target text,
    variables text, batch_no bigint, skip_reason text,
    receipt_status text, receipt_sent_at bigint, receipt_received_at bigint,
    primary key (workspace_id, send_id, seq)
) without rowid;
create unique index send_actions_customer on send_actions (workspace_id, customer_id, send_id);
create table send_batches (
    workspace_id text not null, send_id text not null, batch_no bigint not null, first_seq bigint not null,
    last_seq bigint not null, size bigint not null, state text not null, run_at bigint not null,
    attempts bigint not null default 0, tries bigint not null default 0, lease_no bigint not null default 0,
    lease_until bigint, sent_at bigint, finished_at bigint, reason text,
    primary key (workspace_id, send_id, batch_no)
) without rowid;
create index send_batches_due on send_batches (workspace_id, send_id, run_at, batch_no)
    where state in ('pending', 'retry', 'unknown');
create index send_batches_leased on send_batches (lease_until) where state = 'leased';
create table send_attempts (
    workspace_id text not null, send_id text not null, batch_no bigint not null, attempt bigint not null,
    started_at bigint not null, finished_at bigint, outcome text, http_status bigint, reason text, duration_ms bigint,
    response text, primary key (workspace_id, send_id, batch_no, attempt)
) without rowid;
create table send_reasons (
    workspace_id text not null, send_id text not null, outcome text not null, reason text not null,
    users bigint not null, primary key (workspace_id, send_id, outcome, reason)
);
create table send_series (
    workspace_id text not null, send_id text not null, second bigint not null, accepted bigint not null,
    failed bigint not null, primary key (workspace_id, send_id, second)
);

-- Receipts: every one that was taken, those that could not be placed, and the latest status counted.
create table receipts (
    workspace_id text not null, send_id text not null, seq bigint not null, msg_id text not null,
    status text not null, sent_at bigint not null, received_at bigint not null,
    primary key (workspace_id, send_id, seq, msg_id, status, sent_at)
) without rowid;
create table receipt_problems (
    workspace_id text not null, webhook_id text not null, id text not null, received_at bigint not null,
    reason text not null, receipt text not null, primary key (workspace_id, webhook_id, id)
);
create index receipt_problems_latest on receipt_problems (workspace_id, webhook_id, received_at);
create table receipt_counts (
    workspace_id text not null, send_id text not null, status text not null, users bigint not null,
    primary key (workspace_id, send_id, status)
);
