//! `reachwire audit verify`.

use crate::{
    access,
    audit::verify::{Noted, chains, verify},
    config::{Config, Flags},
    db::Db,
    server,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Check that no entry of the audit log was changed, taken out or added. Prints the last entry of each chain as
    /// SEQ:HASH: note it elsewhere, for whoever has the database could write a whole chain anew. The server may run.
    Verify {
        /// Only the log of this workspace. Without it: all logs, the organization's included.
        #[arg(long, value_name = "NAME")]
        workspace: Option<String>,
        /// An entry that was noted before, which must still be there as it was. May be given several times.
        #[arg(long, value_name = "SEQ:HASH", value_parser = noted)]
        expect: Vec<Noted>,
        #[command(flatten)]
        flags: Flags,
    },
}

fn noted(text: &str) -> Result<Noted, String> {
    let wrong = || "SEQ:HASH, as verify prints it".to_string();
    let (seq, hash) = text.split_once(':').ok_or_else(wrong)?;
    let hash = hash.trim().to_lowercase();
    if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    Ok(Noted { seq: seq.trim().parse().map_err(|_| wrong())?, hash, found: false })
}

pub async fn run(command: AuditCommand) -> Result<(), String> {
    let AuditCommand::Verify { workspace, expect, flags } = command;
    let (db, _) = server::open_known(&Config::load(&flags)?).await?;
    let report = check(&db, workspace.as_deref(), expect).await;
    db.close().await;
    let report = report?;
    report.lines.iter().for_each(|line| println!("{line}"));
    if report.faults.is_empty() { Ok(()) } else { Err(report.faults.join("\nreachwire: ")) }
}

/// What is told of the chains that hold, and of those that do not.
#[derive(Debug, Default, PartialEq, Eq)]
struct Report {
    lines: Vec<String>,
    faults: Vec<String>,
}

async fn check(db: &Db, workspace: Option<&str>, mut expect: Vec<Noted>) -> Result<Report, String> {
    let text = |error: sqlx::Error| error.to_string();
    let mut all = chains(db).await.map_err(text)?;
    if let Some(name) = workspace {
        let id = access::store::workspace_by_name(db, name).await.map_err(text)?;
        let id = id.ok_or_else(|| format!("there is no workspace “{name}”"))?;
        all.retain(|chain| chain.workspace == id);
    }
    let mut report = Report::default();
    for chain in all {
        match verify(db, &chain.workspace, &mut expect).await.map_err(text)? {
            Ok(whole) => {
                let entries = crate::format::count(whole.entries);
                let word = if whole.entries == 1 { "entry" } else { "entries" };
                report.lines.push(format!(
                    "{}: {entries} {word}, unbroken. Last: {}:{}",
                    chain.name, whole.entries, whole.hash
                ));
            }
            Err(fault) => report.faults.push(format!("{}: the log is broken: {fault}", chain.name)),
        }
    }
    if report.lines.is_empty() && report.faults.is_empty() {
        report.lines.push("The audit log is empty.".into());
    }
    for noted in expect.into_iter().filter(|noted| !noted.found) {
        report.faults.push(format!(
            "no chain that was walked has the entry {}:{}: a log was cut or written anew since it was noted",
            noted.seq, noted.hash
        ));
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::{
            self, Actor, Entry,
            model::{Action, ObjectKind},
        },
        execute, on_both_databases,
    };

    #[test]
    fn what_was_noted_is_read() {
        let hash = "ab".repeat(32);
        assert_eq!(noted(&format!("12:{}", hash.to_uppercase())).unwrap(), Noted { seq: 12, hash, found: false });
        for wrong in ["", "12", "12:ab", "x:ab", &format!("x:{}", "ab".repeat(32))] {
            assert!(noted(wrong).is_err(), "{wrong}");
        }
    }

    on_both_databases!(each_chain_is_told_and_what_was_noted_must_be_there, |db| async move {
        let shop = access::store::put_workspace(&db, "Shop", "UTC", 1).await.unwrap();
        for workspace in [audit::ORGANIZATION, &shop, &shop] {
            let mut tx = db.begin().await.unwrap();
            let entry = Entry::new(Action::Created, ObjectKind::Webhook, "w", "Coupons");
            audit::record(&mut tx, workspace, 5, &Actor::command_line(), &entry).await.unwrap();
            tx.commit().await.unwrap();
        }
        let report = check(&db, None, vec![]).await.unwrap();
        assert_eq!((report.lines.len(), report.faults.len()), (2, 0), "{report:?}");
        assert!(report.lines[0].starts_with("Organization: 1 entry, unbroken. Last: 1:"), "{report:?}");
        assert!(report.lines[1].starts_with("Workspace “Shop”: 2 entries, unbroken. Last: 2:"), "{report:?}");
        let last = |line: &str| noted(line.rsplit_once("Last: ").unwrap().1).unwrap();
        let both: Vec<Noted> = report.lines.iter().map(|line| last(line)).collect();
        assert_eq!(check(&db, None, both.clone()).await.unwrap(), report);
        let only = check(&db, Some("Shop"), vec![both[1].clone()]).await.unwrap();
        assert_eq!((only.lines.as_slice(), only.faults.len()), (&report.lines[1..], 0));
        assert!(check(&db, Some("Moon"), vec![]).await.unwrap_err().contains("“Moon”"));

        // Whoever has the database begins the workspace's log anew: only who noted its last entry knows.
        let tables = if db.is_sqlite() { "audit_log_no_delete" } else { "audit_log_no_change on audit_log" };
        execute!(db, sqlx::AssertSqlSafe(format!("drop trigger {tables}"))).unwrap();
        for table in ["audit_log", "audit_heads"] {
            let sql = format!("delete from {table} where workspace_id = $1");
            execute!(db, sqlx::AssertSqlSafe(sql), &shop).unwrap();
        }
        let mut tx = db.begin().await.unwrap();
        let entry = Entry::new(Action::Created, ObjectKind::Webhook, "w", "Other");
        audit::record(&mut tx, &shop, 5, &Actor::command_line(), &entry).await.unwrap();
        tx.commit().await.unwrap();
        assert!(check(&db, None, vec![]).await.unwrap().faults.is_empty());
        let report = check(&db, None, both).await.unwrap();
        assert_eq!(report.faults.len(), 1, "{report:?}");
        assert!(report.faults[0].contains("has the entry 2:"), "{report:?}");
    });
}
