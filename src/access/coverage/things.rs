//! One of everything that has an id, under the id "thing" and the name "Thing".

use crate::{db::Db, execute};

/// Puts back what is not there, in the workspace `$1`, by the user `$3`.
pub async fn put_things(db: &Db, workspace: &str, by: &str) {
    for statement in [
        "insert into customers (workspace_id, customer_id, tags, created_at, updated_at)
         values ($1, 'thing', '{}', $2, $2) on conflict do nothing",
        "insert into imports (workspace_id, id, source, file_name, bytes, status, created_by, created_at)
         values ($1, 'thing', 'upload', 'Thing', 1, 'failed', 'u', $2) on conflict do nothing",
        "insert into audiences (workspace_id, id, name, kind, rules, size, created_at, updated_at)
         values ($1, 'thing', 'Thing', 'all', '{\"all\":[]}', 1, $2, $2) on conflict do nothing",
        "insert into campaigns (workspace_id, id, kind, name, created_at)
         values ($1, 'thing', 'main', 'Thing', $2) on conflict do nothing",
        "insert into tasks (workspace_id, id, name, audience_id, webhook_id, id_type, encryption, inputs, time_zone,
                            created_by, created_at, updated_at)
         values ($1, 'thing', 'Thing', 'thing', 'thing', 'ONEID', 'none', '{}', 'UTC', 'u', $2, $2)
         on conflict do nothing",
        "insert into sends (workspace_id, id, source, webhook_id, id_type, encryption, template, batch_size, state,
                            due_at, created_at)
         values ($1, 'thing', 'task', 'thing', 'ONEID', 'none', '{\"params\":[],\"variables\":[]}', 100, 'finished', $2,
                 $2) on conflict do nothing",
        "insert into send_batches (workspace_id, send_id, batch_no, first_seq, last_seq, size, state, run_at)
         values ($1, 'thing', 0, 0, 0, 0, 'accepted', $2) on conflict do nothing",
        "insert into webhooks (workspace_id, id, name, enabled, url, authentication, id_types, parameters, batch_size,
                               concurrency, receipts_enabled, retention_days, statuses, version, created_at, updated_at)
         values ($1, 'thing', 'Thing', true, 'http://127.0.0.1:9/', 'none', '[\"ONEID\"]', '[]', 100, 4, false, 7, '[]',
                 1, $2, $2) on conflict do nothing",
        "insert into test_sends (workspace_id, id, webhook_id, ok, reason, log, created_by, created_at)
         values ($1, 'thing', 'thing', true, '', 'Thing', 'u', $2) on conflict do nothing",
        "insert into webhook_parameters (workspace_id, id, name, name_key, kind, description, url, authentication,
                                         associations, constants, version, created_at, updated_at)
         values ($1, 'thing', 'Thing', 'thing', 'constant', '', '', 'none', '{}', '[]', 1, $2, $2)
         on conflict do nothing",
        "insert into id_types (workspace_id, code, name, multi_value, enabled, position)
         values ($1, 'thing', 'Thing', false, true, 99) on conflict do nothing",
        "insert into users (id, email, name, password_hash, created_at)
         values ('thing', 'thing@example.com', 'Thing', 'x', $2) on conflict do nothing",
        "insert into members (workspace_id, user_id, created_at) values ($1, 'thing', $2) on conflict do nothing",
        "insert into roles (workspace_id, id, name, name_key, description, permissions, version, created_at, updated_at)
         values ($1, 'thing', 'Thing', 'thing', '', '[]', 1, $2, $2) on conflict do nothing",
        "insert into member_groups (workspace_id, id, name, name_key, created_at, updated_at)
         values ($1, 'thing', 'Thing', 'thing', $2, $2) on conflict do nothing",
        "insert into webhook_grants (workspace_id, id, webhook_id, subject_kind, subject_id, from_at, granted_by,
                                     granted_at)
         values ($1, 'thing', 'thing', 'member', 'thing', 0, '', $2) on conflict do nothing",
        "insert into api_keys (workspace_id, id, name, key_hash, hint, scopes, created_by, created_at)
         values ($1, 'thing', 'Thing', 'x', 'x', '[]', '', $2) on conflict do nothing",
    ] {
        execute!(db, statement, workspace, 1_800_000_000_000_i64)
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
    // A dry run is its maker's alone.
    execute!(
        db,
        "insert into dry_runs (workspace_id, id, input, status, done, total, created_by, created_at)
         values ($1, 'thing', '{}', 'running', 0, 0, $2, 0)
         on conflict (workspace_id, id) do update set created_by = excluded.created_by",
        workspace,
        by
    )
    .unwrap();
}
