//! Paging by `Link` headers (RFC 8288), and the few pieces of an address that connectors take apart.

/// The target of relation `next` in the values of a response's `Link` headers.
#[must_use]
pub fn next_link(link: &str) -> Option<&str> {
    relation(link, "next")
}

/// How many pages there are, by the `page` parameter of relation `last`.
#[must_use]
pub fn page_count(link: &str) -> Option<u64> {
    query_value(relation(link, "last")?, "page")?.parse().ok()
}

/// The raw value of parameter `name` in the query of `url`.
#[must_use]
pub fn query_value<'a>(url: &'a str, name: &str) -> Option<&'a str> {
    let query = url.split_once('?')?.1;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(n, _)| *n == name).map(|(_, value)| value))
}

/// A path segment (a branch name with slashes, a login) with everything but unreserved characters percent-encoded.
#[must_use]
pub fn encode_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(byte.into());
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn relation<'a>(link: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = link;
    while let Some(open) = rest.find('<') {
        let after = &rest[open + 1..];
        let close = after.find('>')?;
        let (target, tail) = (&after[..close], &after[close + 1..]);
        // Parameters end at the next target's `<`: a target is always bracketed, a parameter never is.
        let parameters = &tail[..tail.find('<').unwrap_or(tail.len())];
        let has = parameters.split(';').any(|parameter| {
            let Some((name, value)) = parameter.split_once('=') else { return false };
            let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
            name.trim().eq_ignore_ascii_case("rel") && value.split_ascii_whitespace().any(|r| r == wanted)
        });
        if has {
            return Some(target);
        }
        rest = tail;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_in_any_order() {
        let link = r#"<https://h/r?page=1>; rel="prev", <https://h/r?a=1,2&page=3>; rel="next", <https://h/r?page=9>; rel="last""#;
        assert_eq!(next_link(link), Some("https://h/r?a=1,2&page=3"));
        assert_eq!(page_count(link), Some(9));
        assert_eq!(next_link(r#"<https://h/r?page=1>; rel="first last""#), None);
        assert_eq!(next_link("<https://h/r>;title=\"x\"; rel=next"), Some("https://h/r"));
        assert_eq!(next_link("<https://h/unclosed"), None);
        assert_eq!(next_link(""), None);
    }

    #[test]
    fn a_branch_name_is_one_segment() {
        assert_eq!(encode_segment("release/2026 ü"), "release%2F2026%20%C3%BC");
    }
}
