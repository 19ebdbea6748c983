//! One-time codes by the clock: RFC 6238 with SHA-1, six digits, thirty seconds, which is what every authenticator app does.

use hmac::{Hmac, KeyInit as _, Mac as _};
use model::Instant;
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// Milliseconds of a step.
const STEP: i64 = 30_000;
const DIGITS: u32 = 6;
/// Steps that a clock may be off, each way.
const SKEW: i64 = 1;
/// Bytes of a secret: those of the hash, as RFC 4226 recommends.
pub(crate) const SECRET: usize = 20;

/// The code of a step (RFC 4226, section 5.3).
fn code(secret: &[u8], step: i64, digits: u32) -> String {
    // A key may have any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let number = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]) & 0x7fff_ffff;
    format!("{:0width$}", number % 10_u32.pow(digits), width = digits as usize)
}

/// The step whose code this is, where the clock says that it can be one. Whoever asks sees to it that a step is used once.
pub(crate) fn step(secret: &[u8], typed: &str, now: Instant) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let here = now.ms().div_euclid(STEP);
    let mut found = None;
    // Every step is tried, so that the time it takes tells nothing.
    for step in here - SKEW..=here + SKEW {
        if bool::from(code(secret, step, DIGITS).as_bytes().ct_eq(typed.as_bytes())) {
            found = Some(step);
        }
    }
    found
}

/// The code that an authenticator shows.
#[cfg(test)]
pub(crate) fn shown(secret: &[u8], now: Instant) -> String {
    code(secret, now.ms().div_euclid(STEP), DIGITS)
}

/// RFC 4648 base 32, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    bytes
        .chunks(5)
        .flat_map(|chunk| {
            let mut bits = [0_u8; 8];
            bits[3..3 + chunk.len()].copy_from_slice(chunk);
            let bits = u64::from_be_bytes(bits);
            let letters = (chunk.len() * 8).div_ceil(5);
            (0..letters).map(move |at| char::from(LETTERS[(bits >> (35 - 5 * at) & 31) as usize]))
        })
        .collect()
}

/// The address that an authenticator app reads from a picture.
pub(crate) fn address(secret: &[u8], issuer: &str, member: &str) -> String {
    let escaped = |text: &str| -> String {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    // Some apps cut the label at its first colon.
    let (issuer, member) = (escaped(&issuer.replace(':', " ")), escaped(member));
    format!("otpauth://totp/{issuer}:{member}?secret={}&issuer={issuer}", base32(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the rows of SHA-1.
    #[test]
    fn the_vectors_of_the_standard() {
        for (seconds, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(b"12345678901234567890", seconds / 30, 8), expected, "{seconds}");
        }
    }

    /// RFC 4226, appendix D.
    #[test]
    fn the_vectors_of_the_standard_below() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
            "520489",
        ];
        for (count, expected) in expected.iter().enumerate() {
            assert_eq!(code(b"12345678901234567890", count as i64, 6), *expected);
        }
    }

    #[test]
    fn a_step_of_skew_each_way() {
        let secret = b"12345678901234567890";
        // "94287082" of the second 59, by its last six digits: step 1, which is the seconds 30 to 59.
        let at = |seconds| step(secret, "287082", Instant::from_seconds(seconds));
        assert_eq!(at(59), Some(1));
        assert_eq!((at(-1), at(0)), (None, Some(1)), "a step early");
        assert_eq!((at(89), at(90)), (Some(1), None), "a step late");
        assert_eq!(step(secret, " 287 082 ", Instant::from_seconds(30)), Some(1));
        for other in ["287083", "28708", "2870820", "", "94287082"] {
            assert_eq!(step(secret, other, Instant::from_seconds(30)), None, "{other}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base_32() {
        for (text, expected) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_address_of_a_picture() {
        assert_eq!(
            address(b"foobar", "Acme: Größe", "ann@example.test"),
            "otpauth://totp/Acme%20%20Gr%C3%B6%C3%9Fe:ann%40example.test?secret=MZXW6YTBOI&issuer=Acme%20%20Gr%C3%B6%C3%9Fe"
        );
    }
}
