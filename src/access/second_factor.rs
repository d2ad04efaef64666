//! The second factor: codes of an authenticator app (TOTP: six digits, 30 seconds, SHA-1, as every app has it).

use crate::{
    clock::{Millis, SECOND},
    db::Tx,
    error::{AppResult, internal},
    execute, fetch,
    secrets::{MasterKey, random_hex},
};
use qrcodegen::{QrCode, QrCodeEcc};
use std::fmt::Write;
use totp_rs::{Builder, Secret, Totp};

const DIGITS: usize = 6;
/// Bytes of a secret.
const SECRET: usize = 20;
/// White modules around a code.
const MARGIN: i32 = 4;

/// A new secret as apps take it: 32 letters and digits.
pub fn new_secret() -> AppResult<String> {
    let bytes = hex::decode(random_hex(SECRET)).map_err(internal)?;
    Ok(Secret::new(bytes.into_boxed_slice()).to_base32())
}

/// Takes codes of the step before and after, too: clocks differ.
fn totp(secret: &str, email: &str) -> AppResult<Totp> {
    let secret = Secret::try_from_base32(secret).map_err(|_| internal("a secret that is not base32"))?;
    let account = if email.is_empty() { "account".to_string() } else { email.replace(':', " ") };
    Builder::new()
        .with_secret(secret)
        .with_skew(1)
        .with_account_name(account)
        .with_issuer(Some("Reachwire"))
        .build()
        .map_err(internal)
}

/// The address that apps read from a QR code.
pub fn uri(secret: &str, email: &str) -> AppResult<String> {
    totp(secret, email)?.to_url().map_err(internal)
}

/// A QR code: modules at a side, its margin included, and the dark ones as the path of an SVG.
pub fn qr(text: &str) -> AppResult<(u32, String)> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(internal)?;
    let size = code.size();
    let mut path = String::new();
    for y in 0..size {
        let mut x = 0;
        while x < size {
            let dark = (x..size).take_while(|x| code.get_module(*x, y)).count() as i32;
            if dark > 0 {
                // Writing to a text cannot fail.
                let _ = write!(path, "M{} {}h{dark}v1h-{dark}z", x + MARGIN, y + MARGIN);
            }
            x += dark.max(1);
        }
    }
    Ok(((size + 2 * MARGIN).unsigned_abs(), path))
}

/// The code that an app shows.
#[cfg(test)]
pub fn code_at(secret: &str, now: Millis) -> String {
    totp(secret, "").unwrap().generate(now.div_euclid(SECOND).unsigned_abs()).to_string()
}

/// The step that a code, as it was typed, belongs to, among those that count now.
pub fn step_of(secret: &str, code: &str, now: Millis) -> AppResult<Option<i64>> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).take(DIGITS + 1).collect();
    if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(None);
    }
    let step = totp(secret, "")?.check(&code, now.div_euclid(SECOND).unsigned_abs());
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// Whether a code is right. Each works once, also when two come at once; one that is older than the last one does not.
pub async fn use_code(tx: &mut Tx, key: &MasterKey, user: &str, code: &str, now: Millis) -> AppResult<bool> {
    let sealed = fetch!(
        tx,
        optional,
        (String,),
        "select totp_cipher from users where id = $1 and totp_cipher is not null",
        user
    )?;
    let Some((sealed,)) = sealed else { return Ok(false) };
    let secret = key.open(&sealed).ok_or_else(|| internal("a second factor sealed with another master key"))?;
    let Some(step) = step_of(&secret, code, now)? else { return Ok(false) };
    let used = execute!(
        tx,
        "update users set totp_step = $2 where id = $1 and totp_step < $2 and totp_cipher = $3",
        user,
        step,
        &sealed
    )?;
    Ok(used == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = 1_800_000_000_000;

    #[test]
    fn codes_of_the_steps_around_count_and_no_others() {
        let secret = new_secret().unwrap();
        assert_eq!(secret.len(), 32);
        let step = NOW / 30_000;
        for (drift, found) in [(-2, None), (-1, Some(step - 1)), (0, Some(step)), (1, Some(step + 1)), (2, None)] {
            let code = code_at(&secret, NOW + drift * 30_000);
            assert_eq!(step_of(&secret, &code, NOW).unwrap(), found, "{drift}");
        }
        let code = code_at(&secret, NOW);
        assert!(step_of(&secret, &format!(" {} {} ", &code[..3], &code[3..]), NOW).unwrap().is_some());
        for wrong in ["", "12345", "1234567", "abcdef", "１２３４５６", &format!("{code}0")] {
            assert_eq!(step_of(&secret, wrong, NOW).unwrap(), None, "{wrong}");
        }
    }

    #[test]
    fn the_steps_are_those_of_the_standard() {
        // RFC 6238, appendix B: the secret "12345678901234567890"; the last six digits.
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code_at(secret, seconds * 1000), code);
        }
    }

    #[test]
    fn the_code_to_scan_holds_every_dark_module() {
        let address = uri("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "ada:1@example.com").unwrap();
        assert!(
            address.starts_with("otpauth://totp/Reachwire:ada") && address.contains("GEZDGNBVGY3TQOJQ"),
            "{address}"
        );
        let (size, path) = qr(&address).unwrap();
        let code = QrCode::encode_text(&address, QrCodeEcc::Medium).unwrap();
        assert_eq!(size, code.size().unsigned_abs() + 8);
        let dark = (0..code.size()).flat_map(|y| (0..code.size()).map(move |x| (x, y)));
        let dark = dark.filter(|(x, y)| code.get_module(*x, *y)).count();
        let drawn: usize =
            path.split("v1h-").skip(1).map(|run| run.split('z').next().unwrap().parse::<usize>().unwrap()).sum();
        assert_eq!(drawn, dark);
        assert!(path.starts_with("M4 4h7v1h-7z"), "the first finder: {path}");
    }
}
