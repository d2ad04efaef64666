//! A delivery receipt, as the receiving system posts it (seed 002, "Report receipts").

use super::message::CallbackParams;
use serde::{Deserialize, Deserializer, Serialize, de::Visitor};
use std::fmt::{self, Formatter};

pub const PATH: &str = "/restapi/marketing2/webhook/receiveWebHookCallBack";

/// All are strings. A number, a boolean, null or nothing in their place is understood, so that one odd receipt spoils
/// no request: it fails by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    #[serde(default, deserialize_with = "text")]
    pub msg_id: String,
    #[serde(default, deserialize_with = "text")]
    pub status: String,
    #[serde(default, deserialize_with = "text")]
    pub cst_id: String,
    /// Unix milliseconds.
    #[serde(default, deserialize_with = "text")]
    pub send_time: String,
    #[serde(default)]
    pub callback_params: CallbackParams<'static>,
}

/// For what others write: see [`Receipt`].
pub fn text<'de, D: Deserializer<'de>, T: From<String>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(Text).map(T::from)
}

struct Text;

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, to: &mut Formatter) -> fmt::Result {
        to.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.into())
    }

    fn visit_string<E>(self, text: String) -> Result<String, E> {
        Ok(text)
    }

    fn visit_i64<E>(self, number: i64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_u64<E>(self, number: u64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_f64<E>(self, number: f64) -> Result<String, E> {
        Ok(number.to_string())
    }

    fn visit_bool<E>(self, yes: bool) -> Result<String, E> {
        Ok(yes.to_string())
    }

    fn visit_unit<E>(self) -> Result<String, E> {
        Ok(String::new())
    }
}

impl Receipt {
    /// `send_time` in unix milliseconds; ten digits are seconds. `None` when it is no time.
    pub fn sent_at(&self) -> Option<i64> {
        let text = self.send_time.trim();
        let number = text.parse::<i64>().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        Some(if number < 100_000_000_000 { number * 1000 } else { number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seeds_sample_and_one_with_numbers() {
        let text =
            r#"{"msg_id":"m","status":200,"cst_id":"c","send_time":1625037472000,"callback_params":{"actionId":"a"}}"#;
        let receipt: Receipt = serde_json::from_str(text).unwrap();
        assert_eq!((receipt.status.as_str(), receipt.sent_at()), ("200", Some(1_625_037_472_000)));
        let odd = r#"{"callback_params":{"nodeId":null,"send_time":1625037472000,"actionId":"a"},"send_time":1.5}"#;
        let receipt: Receipt = serde_json::from_str(odd).unwrap();
        assert_eq!((receipt.status.as_str(), receipt.sent_at()), ("", None));
        assert_eq!(receipt.callback_params.send_time, "1625037472000");
        let error = serde_json::from_str::<Receipt>(r#"{"status":[],"send_time":"1","callback_params":{}}"#);
        assert!(error.unwrap_err().to_string().contains("expected a string at line 1"));
    }

    #[test]
    fn times() {
        let at = |send_time: &str| {
            let callback_params = CallbackParams::default();
            let (msg_id, status, cst_id) = Default::default();
            Receipt { msg_id, status, cst_id, send_time: send_time.into(), callback_params }.sent_at()
        };
        assert_eq!(at("1625037472"), Some(1_625_037_472_000));
        assert_eq!(at("1625037472123"), Some(1_625_037_472_123));
        for wrong in ["", "-5", "1.5", "yesterday", "99999999999999999999"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
