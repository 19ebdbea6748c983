//! What belongs to the site itself: its files, and the colours that a browser chose.

use crate::answer::Answer;
use crate::assets;
use crate::fault::Fault;
use crate::visit::Visit;

/// A file that pages refer to.
pub(crate) fn asset(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let name = visit.name("name");
    let found = assets::find(name).ok_or_else(|| Fault::unknown("file", name, "open a page of this site"))?;
    Ok(Answer::Asset(found))
}

/// Keeps a scheme of colours in the browser that asks for it, and goes back.
pub(crate) fn theme(visit: &Visit<'_>) -> Result<Answer, Fault> {
    let secure = if visit.origin.is_secure() { "; Secure" } else { "" };
    let cookie = match visit.field("theme") {
        Some(theme @ ("light" | "dark")) => {
            format!("theme={theme}; Path=/; Max-Age=31536000; SameSite=Lax; HttpOnly{secure}")
        }
        _ => format!("theme=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly{secure}"),
    };
    Ok(Answer::Elsewhere { to: within(visit.field("back").unwrap_or("/")).to_owned(), cookies: vec![cookie] })
}

/// An address on this site; the first page where it is none.
pub(crate) fn within(address: &str) -> &str {
    let ours = address.starts_with('/')
        && !address[1..].starts_with(['/', '\\'])
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    if ours { address } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::within;

    #[test]
    fn nobody_is_sent_to_another_site() {
        assert_eq!(within("/controls?q=a%20b"), "/controls?q=a%20b");
        for other in [
            "",
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "/a\r\nset-cookie: x",
            "javascript:x",
            "/\t/evil.example",
        ] {
            assert_eq!(within(other), "/", "{other}");
        }
    }
}
