//! Secrets: kept out of debug output, receipts, request addresses and bodies.

use std::fmt;

/// A credential. Printing it shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a credential; surrounding white space (a trailing line feed of a file) is cut off.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The credential itself, for the header that carries it and nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

/// What stands where a secret stood.
const MASK: &str = "***";

/// Masks every occurrence of `secret` in `text`. Short strings are no secrets: masking them would maim the evidence.
pub(crate) fn mask_text(text: &str, secret: &str) -> Option<String> {
    (secret.len() >= 8 && text.contains(secret)).then(|| text.replace(secret, MASK))
}

/// Masks every occurrence of `secret` in `body`; says whether there was one.
pub(crate) fn mask_bytes(body: &mut Vec<u8>, secret: &[u8]) -> bool {
    if secret.len() < 8 || body.len() < secret.len() {
        return false;
    }
    let mut out = Vec::with_capacity(body.len());
    let (mut i, mut found) = (0, false);
    while i < body.len() {
        if body[i..].starts_with(secret) {
            out.extend_from_slice(MASK.as_bytes());
            i += secret.len();
            found = true;
        } else {
            out.push(body[i]);
            i += 1;
        }
    }
    if found {
        *body = out;
    }
    found
}

/// Masks the text values of member `key` wherever it stands in the JSON text `body`, and leaves every other byte as it
/// was sent; says whether there was one. Works on broken JSON too: a body that cannot be read is stored as well.
pub(crate) fn mask_member(body: &mut Vec<u8>, key: &str) -> bool {
    let needle = format!("\"{key}\"").into_bytes();
    let skip_space = |body: &[u8], mut i: usize| {
        while body.get(i).is_some_and(u8::is_ascii_whitespace) {
            i += 1;
        }
        i
    };
    let mut out = Vec::with_capacity(body.len());
    let (mut i, mut found) = (0, false);
    while i < body.len() {
        if !body[i..].starts_with(&needle) {
            out.push(body[i]);
            i += 1;
            continue;
        }
        out.extend_from_slice(&needle);
        let colon = skip_space(body, i + needle.len());
        let open = skip_space(body, colon + 1);
        if body.get(colon) != Some(&b':') || body.get(open) != Some(&b'"') {
            i += needle.len();
            continue;
        }
        let mut close = open + 1;
        while close < body.len() && body[close] != b'"' {
            close += if body[close] == b'\\' { 2 } else { 1 };
        }
        let empty = close == open + 1;
        out.extend_from_slice(&body[i + needle.len()..=open]);
        if !empty {
            out.extend_from_slice(MASK.as_bytes());
            found = true;
        }
        i = close.min(body.len());
    }
    if found {
        *body = out;
    }
    found
}

/// Masks user information and secret-looking parameters of an address.
pub(crate) fn mask_url(url: &str) -> String {
    const PARAMETERS: &[&str] = &[
        "access_token",
        "token",
        "client_secret",
        "private_token",
        "api_key",
        "apikey",
        "key",
        "secret",
        "sig",
    ];
    let (head, query) = match url.split_once('?') {
        Some((head, query)) => (head, Some(query)),
        None => (url, None),
    };
    let head = match head.split_once("://").and_then(|(scheme, rest)| {
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        authority.rsplit_once('@').map(|(_, host)| format!("{scheme}://{MASK}@{host}{path}"))
    }) {
        Some(masked) => masked,
        None => head.to_owned(),
    };
    let Some(query) = query else { return head };
    let masked: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, value))
                if !value.is_empty() && PARAMETERS.iter().any(|p| p.eq_ignore_ascii_case(name)) =>
            {
                format!("{name}={MASK}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{head}?{}", masked.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(body: &str) -> String {
        let mut bytes = body.as_bytes().to_vec();
        mask_member(&mut bytes, "temp_clone_token");
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn only_the_value_of_the_named_member_changes() {
        assert_eq!(
            member(r#"{ "a" : 1, "temp_clone_token" :  "AB\"C", "b":"x"}"#),
            r#"{ "a" : 1, "temp_clone_token" :  "***", "b":"x"}"#
        );
        assert_eq!(member(r#"{"temp_clone_token":null,"b":"x"}"#), r#"{"temp_clone_token":null,"b":"x"}"#);
        assert_eq!(member(r#"{"temp_clone_token":"","b":"x"}"#), r#"{"temp_clone_token":"","b":"x"}"#);
        // The name as a value, and a text cut off in the middle.
        assert_eq!(member(r#"["temp_clone_token","x"]"#), r#"["temp_clone_token","x"]"#);
        assert_eq!(member(r#"{"temp_clone_token":"abc"#), r#"{"temp_clone_token":"***"#);
        assert_eq!(member(r#"{"temp_clone_token":"abc\"#), r#"{"temp_clone_token":"***"#);
    }

    #[test]
    fn an_address_loses_its_secrets_and_nothing_else() {
        assert_eq!(
            mask_url("https://ann:pw@host.example.test/a?page=2&access_token=abc&per_page=100"),
            "https://***@host.example.test/a?page=2&access_token=***&per_page=100"
        );
        assert_eq!(mask_url("https://host.example.test/a@b?x"), "https://host.example.test/a@b?x");
    }

    #[test]
    fn a_secret_is_never_printed() {
        let secret = Secret::new("ghp_0123456789\n");
        assert_eq!(format!("{secret:?}"), "Secret(***)");
        assert_eq!(secret.expose(), "ghp_0123456789");
    }
}
