//! A delivery receipt, as the receiving system posts it (seed 002, "Report receipts").

use super::message::CallbackParams;
use serde::{Deserialize, Serialize};

pub const PATH: &str = "/restapi/marketing2/webhook/receiveWebHookCallBack";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    #[serde(default)]
    pub msg_id: String,
    pub status: String,
    #[serde(default)]
    pub cst_id: String,
    /// Unix milliseconds.
    pub send_time: String,
    pub callback_params: CallbackParams,
}
