//! Environment parameters (seed 002, "Enable Environment Parameter Passing"): headers that say where a request comes
//! from.

/// Names as they are shown; HTTP does not tell upper from lower case.
pub const ORGANIZATION: &str = "X-QA-Organization-Id";
pub const WORKSPACE: &str = "X-QA-Workspace-Id";
pub const SOURCE: &str = "X-QA-Source";
pub const SOURCE_ID: &str = "X-QA-Source-Id";

/// Where a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    pub organization_id: String,
    pub workspace_id: String,
    /// "task", "journey", "campaign" or "test".
    pub source: String,
    /// The task's id, or that of whatever the source is.
    pub source_id: String,
}

impl Environment {
    pub fn headers(&self) -> [(&'static str, &str); 4] {
        [
            (ORGANIZATION, &self.organization_id),
            (WORKSPACE, &self.workspace_id),
            (SOURCE, &self.source),
            (SOURCE_ID, &self.source_id),
        ]
    }
}
