//! Passwords: which are taken, and how they are kept (argon2id, as OWASP recommends: 19 MiB, two passes).

use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

use super::Refused;
use crate::error::AppError;

/// Characters that a password has at least.
const LEAST: usize = 12;
/// Bytes that one has at most: nobody makes this machine hash megabytes.
const MOST: usize = 1024;
/// Bytes of a salt.
pub(crate) const SALT: usize = 16;

/// What is verified where there is no password, at the same cost: no password gives it, for its hash was not computed.
pub(crate) const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$dGlja21hcmsgdGlja21hcg$bm8gcGFzc3dvcmQgd2hhdHNvZXZlciBnaXZlcyB0aGk";

/// Why a password is not taken. `known` is what a stranger would try: address, name, organisation.
pub(crate) fn unfit(password: &str, known: &[&str]) -> Option<String> {
    let again = "take another; several words together are easy to remember";
    if password.len() > MOST {
        return Some(format!("the password has more than {MOST} bytes; take a shorter one"));
    }
    let length = password.chars().count();
    if length < LEAST {
        return Some(format!(
            "the password has {length} characters and needs {LEAST}; several words together are easy to remember"
        ));
    }
    let folded = password.to_lowercase();
    let mut different: Vec<char> = folded.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 {
        return Some(format!("the password repeats a few characters; {again}"));
    }
    // What is left of it besides the words that everybody would try.
    let mut rest = folded;
    let words =
        known.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase));
    let common = [
        "password",
        "passwort",
        "tickmark",
        "qwertyuiop",
        "qwerty",
        "letmein",
        "welcome",
        "123456789",
        "1234567",
        "12345",
    ];
    for word in words.chain(common.map(str::to_owned)).filter(|w| w.chars().count() >= 4) {
        rest = rest.replace(&word, "");
    }
    if rest.chars().filter(|c| !c.is_whitespace()).count() < LEAST / 2 {
        return Some(format!("the password is made of words that everybody would try first; {again}"));
    }
    None
}

/// The hash that is kept, as a PHC string.
pub(crate) fn hash(password: &str, salt: &[u8; SALT]) -> Result<String, Refused> {
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|hash| hash.to_string())
        .map_err(|e| AppError::Other(format!("the password cannot be hashed: {e}")).into())
}

/// Whether a password gives a hash.
pub(crate) fn gives(password: &str, hash: &str) -> bool {
    // One that is too long was never taken.
    let password = if password.len() > MOST { "" } else { password };
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use argon2::password_hash::phc::PasswordHash;

    #[test]
    fn which_are_taken() {
        let said = |password: &str| unfit(password, &["ann.lee@example.test", "Ann Lee", "Acme Pumps"]);
        for good in ["correct horse battery", "größere Pumpen im Keller", "密码密码很长的一个短句子对吗"]
        {
            assert_eq!(said(good), None, "{good}");
        }
        for (bad, why) in [
            ("short", "has 5 characters and needs 12"),
            ("elevenchars", "needs 12"),
            ("aaaaaaaaaaaabbb", "repeats"),
            ("password12345", "everybody would try"),
            ("Acme Pumps 2026", "everybody would try"),
            ("example.test!!", "everybody would try"),
        ] {
            let said = said(bad).unwrap_or_default();
            assert!(said.contains(why), "{bad}: {said}");
        }
        assert!(said(&"long words ".repeat(100)).unwrap().contains("1024 bytes"));
    }

    #[test]
    fn the_dummy_costs_what_a_password_costs_and_is_none() {
        let of = |text: &str| {
            let hash = PasswordHash::new(text).unwrap();
            let length = |bytes: Option<usize>| bytes.unwrap();
            (
                hash.algorithm,
                hash.version,
                hash.params.to_string(),
                length(hash.salt.map(|s| s.len())),
                length(hash.hash.map(|h| h.len())),
            )
        };
        let kept = hash("correct horse battery", &[7; SALT]).unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        assert_eq!(of(&kept), of(DUMMY));
        assert!(gives("correct horse battery", &kept));
        for other in ["", "Correct horse battery", "correct horse battery "] {
            assert!(!gives(other, &kept) && !gives(other, DUMMY));
        }
        assert!(!gives(&"x".repeat(MOST + 1), &kept));
        assert!(!gives("anything", "no hash at all"));
    }
}
