//! The idempotency ids that receivers see. They are opaque to receivers; a receipt's is parsed back so that it finds
//! its row by primary key.

/// A send in its workspace.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SendKey {
    pub workspace_id: String,
    pub send_id: String,
}

impl SendKey {
    pub fn new(workspace_id: impl Into<String>, send_id: impl Into<String>) -> Self {
        Self { workspace_id: workspace_id.into(), send_id: send_id.into() }
    }
}

pub fn action_id(send_id: &str, seq: i64) -> String {
    format!("{send_id}-{seq}")
}

pub fn batch_id(send_id: &str, batch_no: i64) -> String {
    format!("{send_id}-b{batch_no}")
}

/// The send and the action's number, when that is how we would have written it.
pub fn parse_action_id(text: &str) -> Option<(&str, i64)> {
    let (send_id, number) = text.rsplit_once('-')?;
    let seq = number.parse::<i64>().ok().filter(|seq| *seq >= 0 && seq.to_string() == number)?;
    (!send_id.is_empty()).then_some((send_id, seq))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_id_is_read_back_only_as_it_was_written() {
        assert_eq!(parse_action_id(&action_id("0199-a", 12)), Some(("0199-a", 12)));
        for wrong in ["", "a", "a-", "-1", "a-b1", "a-+1", "a-01", "a-1 ", "a-99999999999999999999"] {
            assert_eq!(parse_action_id(wrong), None, "{wrong}");
        }
    }
}
