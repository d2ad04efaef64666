//! The POST body: an array of 1 to 100 messages (PRODUCT, "Request to the customer's system"; seed 002, "Webhook
//! request"). All values are strings; keys stand in the order of the seed's sample.

use super::{receipt::text, text::Template};
use serde::{Deserialize, Serialize, Serializer, ser::SerializeMap};
use std::borrow::Cow;

/// How a send ID is encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Encryption {
    #[default]
    None,
    Md5,
    Sha256,
}

impl Encryption {
    pub const ALL: [Self; 3] = [Self::None, Self::Md5, Self::Sha256];

    pub fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Md5 => "md5",
            Self::Sha256 => "sha256",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA256",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encryption| encryption.code() == code)
    }

    /// The ID as it is sent: lower-case hex of the digest of its UTF-8 bytes.
    #[cfg(feature = "ssr")]
    pub fn apply(self, id: &str) -> Cow<'_, str> {
        use sha2::Digest;
        match self {
            Self::None => id.into(),
            Self::Md5 => hex::encode(md5::Md5::digest(id.as_bytes())).into(),
            Self::Sha256 => hex::encode(sha2::Sha256::digest(id.as_bytes())).into(),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UserProfile<'a> {
    pub target_type: &'a str,
    pub target_id: &'a str,
    pub customer_id: &'a str,
}

/// What a receipt brings back as it was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallbackParams<'a> {
    #[serde(deserialize_with = "text")]
    pub webhook_id: Cow<'a, str>,
    /// Unix milliseconds.
    #[serde(deserialize_with = "text")]
    pub send_time: Cow<'a, str>,
    #[serde(rename = "nodeId", deserialize_with = "text")]
    pub node_id: Cow<'a, str>,
    #[serde(rename = "instanceId", deserialize_with = "text")]
    pub instance_id: Cow<'a, str>,
    /// The same on every retry of the batch.
    #[serde(rename = "batchId", deserialize_with = "text")]
    pub batch_id: Cow<'a, str>,
    /// The same on every retry of the action.
    #[serde(rename = "actionId", deserialize_with = "text")]
    pub action_id: Cow<'a, str>,
    #[serde(rename = "customerId", deserialize_with = "text")]
    pub customer_id: Cow<'a, str>,
}

/// The parameters of one message, in the webhook's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params<'a, V = String> {
    pub template: &'a Template,
    pub values: &'a [V],
}

impl<V: AsRef<str>> Serialize for Params<'_, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.template.params.len()))?;
        for param in &self.template.params {
            map.serialize_entry(&param.name, &param.render(self.values))?;
        }
        map.end()
    }
}

/// A journey's facts; empty for tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProcessInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_instance_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_node_instance_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process_node_instance_start_time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_name: Option<String>,
}

/// One user's part of a POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(bound = "V: AsRef<str>")]
pub struct Message<'a, V = String> {
    pub user_profile: UserProfile<'a>,
    pub params: Params<'a, V>,
    pub callback_params: CallbackParams<'a>,
    pub process_info: ProcessInfo,
}

/// The body's bytes.
pub fn body<V: AsRef<str>>(messages: &[Message<V>]) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(messages)
}

/// The body for people: the same text, indented.
pub fn pretty<V: AsRef<str>>(messages: &[Message<V>]) -> serde_json::Result<String> {
    serde_json::to_string_pretty(messages)
}

/// The URL with `timestamp` and `nonce`, appended with `&` when it has a query already. A fragment is not sent.
pub fn request_url(url: &str, timestamp: i64, nonce: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    let (url, query) = url.split_once('?').map_or((url, None), |(url, query)| (url, Some(query)));
    format!("{url}?{}", request_query(query, timestamp, nonce))
}

/// The query of [`request_url`] from the URL's own.
pub fn request_query(own: Option<&str>, timestamp: i64, nonce: &str) -> String {
    let (own, mark) = own.map_or(("", ""), |own| (own, "&"));
    format!("{own}{mark}timestamp={timestamp}&nonce={nonce}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::text::{Variable, WhenEmpty};

    #[test]
    fn the_body_is_the_seeds_sample_byte_for_byte() {
        let mut template = Template::default();
        template.push_constant("define_item1", "Coupon ID");
        let variables = [Variable { name: "city".into(), tag: "city".into(), when_empty: WhenEmpty::SkipUser }];
        template.push_text("define_item2", "The user's address is ${city}.", &variables).unwrap();
        let message = Message {
            user_profile: UserProfile { target_type: "OPEN_ID", target_id: "1917810", customer_id: "c-1" },
            params: Params { template: &template, values: &["Bei\"jing"] },
            callback_params: CallbackParams {
                webhook_id: "13312313".into(),
                send_time: "1625037472000".into(),
                batch_id: "b".into(),
                action_id: "a".into(),
                customer_id: "c-1".into(),
                ..Default::default()
            },
            process_info: ProcessInfo::default(),
        };
        assert_eq!(
            String::from_utf8(body(&[message]).unwrap()).unwrap(),
            r#"[{"user_profile":{"target_type":"OPEN_ID","target_id":"1917810","customer_id":"c-1"},"params":{"define_item1":"Coupon ID","define_item2":"The user's address is Bei\"jing."},"callback_params":{"webhook_id":"13312313","send_time":"1625037472000","nodeId":"","instanceId":"","batchId":"b","actionId":"a","customerId":"c-1"},"process_info":{}}]"#
        );
    }

    #[test]
    fn timestamp_and_nonce_join_the_urls_own_query() {
        assert_eq!(request_url("https://a.example/x", 5, "n"), "https://a.example/x?timestamp=5&nonce=n");
        assert_eq!(request_url("https://a.example/x?y=1#top", 5, "n"), "https://a.example/x?y=1&timestamp=5&nonce=n");
    }

    #[test]
    fn ids_are_hashed_in_lower_case_hex() {
        assert_eq!(Encryption::Md5.apply("hello"), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(
            Encryption::Sha256.apply("hello"),
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        );
        assert_eq!(Encryption::None.apply("你好"), "你好");
    }
}
