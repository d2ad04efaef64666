//! What a request is about, and whether the workspace has it.

use crate::{db::Db, fetch};

/// What is asked for, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource<'a> {
    /// The workspace itself: its lists, and what is yet to be made.
    Workspace,
    Customer(&'a str),
    Import(&'a str),
    Audience(&'a str),
    Campaign(&'a str),
    Task(&'a str),
    DryRun(&'a str),
    Webhook(&'a str),
    TestSend(&'a str),
    Parameter(&'a str),
    IdType(&'a str),
    Member(&'a str),
    MemberGroup(&'a str),
    /// One of the workspace's own, or one of the program's.
    Role(&'a str),
    Grant(&'a str),
    ApiKey(&'a str),
}

impl Resource<'_> {
    /// The workspace, when there is no id yet.
    #[must_use]
    pub fn or_new(self) -> Self {
        match self.id() {
            "" => Self::Workspace,
            _ => self,
        }
    }

    fn id(&self) -> &str {
        match *self {
            Self::Workspace => "",
            Self::Customer(id)
            | Self::Import(id)
            | Self::Audience(id)
            | Self::Campaign(id)
            | Self::Task(id)
            | Self::DryRun(id)
            | Self::Webhook(id)
            | Self::TestSend(id)
            | Self::Parameter(id)
            | Self::IdType(id)
            | Self::Member(id)
            | Self::MemberGroup(id)
            | Self::Role(id)
            | Self::Grant(id)
            | Self::ApiKey(id) => id,
        }
    }

    pub(crate) async fn is_in(&self, db: &Db, workspace: &str) -> sqlx::Result<bool> {
        let sql = match self {
            Self::Workspace => return Ok(true),
            Self::Role(id) if super::model::Preset::from_id(id).is_some() => return Ok(true),
            Self::Customer(_) => "select 1 from customers where workspace_id = $1 and customer_id = $2",
            Self::Import(_) => "select 1 from imports where workspace_id = $1 and id = $2",
            Self::Audience(_) => "select 1 from audiences where workspace_id = $1 and id = $2",
            Self::Campaign(_) => "select 1 from campaigns where workspace_id = $1 and id = $2",
            Self::Task(_) => "select 1 from tasks where workspace_id = $1 and id = $2",
            Self::DryRun(_) => "select 1 from dry_runs where workspace_id = $1 and id = $2",
            Self::Webhook(_) => "select 1 from webhooks where workspace_id = $1 and id = $2",
            Self::TestSend(_) => "select 1 from test_sends where workspace_id = $1 and id = $2",
            Self::Parameter(_) => "select 1 from webhook_parameters where workspace_id = $1 and id = $2",
            Self::IdType(_) => "select 1 from id_types where workspace_id = $1 and code = $2",
            Self::Member(_) => "select 1 from members where workspace_id = $1 and user_id = $2",
            Self::MemberGroup(_) => "select 1 from member_groups where workspace_id = $1 and id = $2",
            Self::Role(_) => "select 1 from roles where workspace_id = $1 and id = $2",
            Self::Grant(_) => "select 1 from webhook_grants where workspace_id = $1 and id = $2",
            Self::ApiKey(_) => "select 1 from api_keys where workspace_id = $1 and id = $2",
        };
        Ok(fetch!(db, optional, (i32,), sql, workspace, self.id())?.is_some())
    }
}
