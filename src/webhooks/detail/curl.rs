//! A shell command that posts a receipt: the signature is computed by openssl, the key is a variable.

use crate::{
    webhooks::model::Webhook,
    wire::{message::CallbackParams, receipt::Receipt},
};

/// Sets `signature` from `KEY`, `timestamp` and `nonce`: sorted, joined, without white space (seed 002,
/// "Authentication method").
const SIGN: &str = r#"text=$(printf '%s\n' "$KEY" "$timestamp" "$nonce" | LC_ALL=C sort | tr -d ' \t\n\v\f\r')
signature=$(printf '%s' "$text" | openssl dgst -sha256 -hmac "$KEY" | sed 's/^.* //')"#;

pub fn command(webhook: &Webhook, receipt_url: &str) -> String {
    let mut lines = Vec::new();
    if webhook.has_key {
        lines.push("KEY='the key of this webhook'");
    }
    lines.push("timestamp=$(date +%s)\nnonce=$(openssl rand -hex 16)");
    if webhook.has_key {
        lines.push(SIGN);
    }
    let url = format!("curl \"{receipt_url}?timestamp=$timestamp&nonce=$nonce\" \\");
    lines.push(&url);
    if webhook.has_key {
        lines.push("  -H \"X-QA-Hmac-Signature: $signature\" \\");
    }
    lines.push("  -H 'Content-Type: application/json' \\");
    // The shell's quotes open for the time alone; everything else is literal.
    let data = format!("  --data '{}'", body(webhook).replace('\'', "'\\''").replace(SEND_TIME, "'\"$timestamp\"'000"));
    lines.push(&data);
    lines.join("\n")
}

const SEND_TIME: &str = "SEND_TIME";

fn body(webhook: &Webhook) -> String {
    let status = webhook.input.statuses.first().map_or("200", |status| &status.code);
    let receipt = Receipt {
        msg_id: "1".into(),
        status: status.into(),
        cst_id: String::new(),
        send_time: SEND_TIME.into(),
        callback_params: CallbackParams {
            webhook_id: webhook.id.clone().into(),
            action_id: "the actionId that you received".into(),
            ..Default::default()
        },
    };
    // Strings always have a JSON form.
    serde_json::to_string(&[receipt]).unwrap_or_default()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::{webhooks::model::WebhookInput, wire::signature};
    use std::process::Command;

    fn webhook(has_key: bool) -> Webhook {
        Webhook {
            id: "w1".into(),
            enabled: true,
            version: 1,
            old_key_until: None,
            has_key,
            has_client_key: false,
            input: WebhookInput::default(),
            test: None,
            tasks: 0,
            updated_at: 0,
            disabled_because: String::new(),
            health: Default::default(),
        }
    }

    fn shell(script: &str) -> String {
        let output = Command::new("sh").args(["-c", script]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    #[test]
    fn the_shell_signs_as_we_do() {
        if Command::new("openssl").arg("version").output().is_err() {
            eprintln!("openssl is not installed: the command is not tried");
            return;
        }
        let nonce = "2e6eceb5737b473284c930c8ef79090e";
        for key in ["123456789", "my secret", " 密钥 \t$x`y` \"z\\n", "-zz", "zz top"] {
            let quoted = key.replace('\'', "'\\''");
            let script =
                format!("KEY='{quoted}'\ntimestamp=1631865523\nnonce={nonce}\n{SIGN}\nprintf %s \"$signature\"");
            assert_eq!(shell(&script), signature::sign(key, "1631865523", nonce), "{key}");
        }
    }

    #[test]
    fn the_shell_reads_the_command_as_meant() {
        let mut webhook = webhook(false);
        webhook.input.statuses[0].code = "it's done".into();
        // curl stands for itself: what it would be called with.
        let script =
            format!("curl() {{ printf '%s\\n' \"$@\"; }}\nopenssl() {{ echo n; }}\n{}", command(&webhook, "http://r"));
        let words = shell(&script);
        let data = words.lines().last().unwrap();
        let receipts: Vec<Receipt> = serde_json::from_str(data).unwrap();
        assert_eq!((receipts[0].status.as_str(), receipts[0].callback_params.webhook_id.as_ref()), ("it's done", "w1"));
        assert_eq!(receipts[0].send_time.len(), 13);
        assert!(words.starts_with("http://r?timestamp="));
        assert!(!words.contains("Signature"));
    }
}
