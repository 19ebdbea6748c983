//! Taking a person out of a document without a trace, and without harm to what it says of others.
//!
//! A redacted copy has the length of the original: every name, address and login of the person becomes a pseudonym of as
//! many bytes, so that sizes and offsets inside stay true. A document may write a name in several ways (as it is, escaped
//! in JSON, escaped in an address), and all of them go.

use std::collections::{BTreeMap, BTreeSet};

use model::{Derived, Document, FactValue, Key, Receipt};

/// The document with every value replaced; `None` when it names none of them. Whole words only, in any case: `ann` is
/// neither part of `announce` nor of the address `mary.ann@example.test`.
pub(crate) fn redact(document: &[u8], values: &BTreeSet<String>) -> Option<Vec<u8>> {
    let mut out = document.to_vec();
    let mut found = false;
    let forms: BTreeSet<Vec<u8>> =
        values.iter().flat_map(|v| spellings(v)).filter(|f| !f.is_empty()).collect();
    // Longer ones first: an address before the name inside it.
    let mut forms: Vec<Vec<u8>> = forms.into_iter().collect();
    forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
    for form in forms {
        let mut at = 0;
        while at + form.len() <= out.len() {
            let end = at + form.len();
            if out[at..end].eq_ignore_ascii_case(&form)
                && !goes_on_before(&out, at)
                && !goes_on_after(&out, end)
            {
                pseudonym(&mut out[at..end]);
                found = true;
                at = end;
            } else {
                at += 1;
            }
        }
    }
    found.then_some(out)
}

/// Whether a document names one of them in UTF-16, as some programs write their files: there nothing can be taken out in place.
pub(crate) fn named_in_utf16(document: &[u8], values: &BTreeSet<String>) -> bool {
    document.contains(&0)
        && values.iter().filter(|v| !v.is_empty()).any(|value| {
            [u16::to_le_bytes, u16::to_be_bytes].into_iter().any(|bytes| {
                let form: Vec<u8> = value.encode_utf16().flat_map(bytes).collect();
                document.windows(form.len()).any(|w| w.eq_ignore_ascii_case(&form))
            })
        })
}

/// The ways in which a value may be written: as it is, in a JSON text with and without letters beyond ASCII, in the address of
/// a page, and with one byte a character, as older files from western Europe are.
fn spellings(value: &str) -> [Vec<u8>; 5] {
    let json = |ascii: bool| {
        let mut text = String::new();
        for c in value.chars() {
            match c {
                '"' | '\\' => text.extend(['\\', c]),
                c if ascii && !c.is_ascii() => {
                    let mut units = [0; 2];
                    for unit in c.encode_utf16(&mut units) {
                        text.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => text.push(c),
            }
        }
        text.into_bytes()
    };
    let mut address = Vec::new();
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            address.push(byte);
        } else {
            address.extend(format!("%{byte:02x}").into_bytes());
        }
    }
    let narrow: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    [value.as_bytes().to_vec(), json(false), json(true), address, narrow.unwrap_or_default()]
}

const fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Whether the word or address that a value ends begins before it.
fn goes_on_before(text: &[u8], at: usize) -> bool {
    if text.get(at).is_none_or(|first| !is_letter(*first)) || ends_an_escape(&text[..at]) {
        return false;
    }
    match text[..at] {
        [.., letter] if is_letter(letter) => true,
        [.., letter, b'.' | b'-' | b'_' | b'+' | b'@'] => {
            is_letter(letter) && !ends_an_escape(&text[..at - 1])
        }
        _ => false,
    }
}

/// Whether the word or address that a value begins goes on after it.
fn goes_on_after(text: &[u8], end: usize) -> bool {
    if !is_letter(text[end - 1]) {
        return false;
    }
    match text[end..] {
        [letter, ..] if is_letter(letter) => true,
        [b'.' | b'-' | b'_' | b'+' | b'@', letter, ..] => is_letter(letter),
        _ => false,
    }
}

/// Whether a text ends with an escape that stands for something else than a letter: the `n` of `\n`, the `c` of `\u003c`
/// and of `%3c` begin no word.
fn ends_an_escape(text: &[u8]) -> bool {
    // An even number of backslashes stands for half as many of them.
    let escapes = |head: &[u8]| head.iter().rev().take_while(|b| **b == b'\\').count() % 2 == 1;
    let sign = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = digits.and_then(|d| u32::from_str_radix(d, 16).ok());
        code.and_then(char::from_u32).is_some_and(|c| !c.is_alphanumeric())
    };
    match text {
        [head @ .., b'u', a, b, c, d] if escapes(head) => sign(&[*a, *b, *c, *d]),
        [.., b'%', a, b] => sign(&[*a, *b]) && a.is_ascii_digit() && *a < b'8',
        [head @ .., b'b' | b'f' | b'n' | b'r' | b't'] => escapes(head),
        _ => false,
    }
}

/// `ann@example.test` becomes `xxx@xxxxxxx.xxxx`: the shape stays, so that what was an address is still read as one. All who
/// are erased look alike afterwards: two of them can no longer be told apart, and are never independent of each other.
fn pseudonym(value: &mut [u8]) {
    for byte in value {
        if is_letter(*byte) || matches!(byte, b'\\' | b'"' | b'%') {
            *byte = b'x';
        }
    }
}

/// Why a redacted copy may not take the place of a document.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unfit {
    /// It does not say what the original says: a name is a word of the format, or somebody else's.
    SaysLess,
    /// It still names the person.
    StillNames,
}

/// Whether a redacted copy says as much as the original of everything and everybody else, and nothing of the person.
pub(crate) fn compare(
    original: &[u8],
    copy: &[u8],
    values: &BTreeSet<String>,
    derive: &dyn Fn(&Document<'_>) -> Derived,
) -> Result<(), Unfit> {
    let (Ok(before), Ok(after)) = (Document::parse(original), Document::parse(copy)) else {
        return Err(Unfit::SaysLess);
    };
    let Receipt { source, stream, collector, media_type, page, collected_at, .. } = &before.receipt;
    let receipt = &after.receipt;
    let same = (source, stream, collector, media_type, page, collected_at)
        == (
            &receipt.source,
            &receipt.stream,
            &receipt.collector,
            &receipt.media_type,
            &receipt.page,
            &receipt.collected_at,
        );
    let (before, after) = (derive(&before), derive(&after));
    if !same || counts(&before) != counts(&after) || before.problems.len() != after.problems.len() {
        return Err(Unfit::SaysLess);
    }
    let names = |text: &str| values.iter().any(|v| v.to_lowercase() == text.to_lowercase());
    // Others keep the names by which they are known from other documents.
    let accounts = accounts(&before);
    let theirs = accounts_of(&before, &names);
    let kept = self::accounts(&after);
    if accounts.difference(&theirs).any(|account| !kept.contains(account)) {
        return Err(Unfit::SaysLess);
    }
    if kept.iter().any(|account| names(&account.key)) || !accounts_of(&after, &names).is_empty() {
        return Err(Unfit::StillNames);
    }
    Ok(())
}

/// Facts by table. Two accounts of one person become one: their number may fall.
fn counts(derived: &Derived) -> BTreeMap<&str, usize> {
    let mut tables = BTreeMap::new();
    for fact in derived.facts.iter().chain(&derived.tentative).filter(|f| f.table != "account") {
        *tables.entry(fact.table).or_default() += 1;
    }
    tables
}

/// Every account that is named.
fn accounts(derived: &Derived) -> BTreeSet<&Key> {
    let facts = derived.facts.iter().chain(&derived.tentative);
    let in_facts = facts.flat_map(|fact| {
        let values = fact.values.iter().filter_map(|(_, value)| match value {
            FactValue::Entity(key) => Some(key),
            FactValue::Null | FactValue::Integer(_) | FactValue::Text(_) => None,
        });
        values.chain([&fact.about])
    });
    in_facts.chain(derived.display.iter().map(|d| &d.about)).filter(|key| key.kind == "account").collect()
}

/// The accounts that carry one of the names.
fn accounts_of<'a>(derived: &'a Derived, names: &dyn Fn(&str) -> bool) -> BTreeSet<&'a Key> {
    let by_key = accounts(derived).into_iter().filter(|account| names(&account.key));
    let by_text =
        derived.display.iter().filter(|d| d.about.kind == "account" && names(&d.text)).map(|d| &d.about);
    by_key.chain(by_text).collect()
}

#[cfg(test)]
mod tests {
    use model::{Capture, DisplayFact};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(document: &str, values: &[&str], expect: Option<&str>) {
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let got = redact(document.as_bytes(), &values).map(|b| String::from_utf8(b).unwrap());
        assert_eq!(got.as_deref(), expect);
    }

    #[test]
    fn a_person_is_replaced_in_the_same_length() {
        check(
            "author Ann Lee <Ann@Example.test> 1 +0000",
            &["ann@example.test", "Ann Lee"],
            Some("author xxx xxx <xxx@xxxxxxx.xxxx> 1 +0000"),
        );
        check("author Jörg <j@x> 1", &["Jörg"], Some("author xxxxx <j@x> 1"));
    }

    #[test]
    fn words_that_only_contain_the_name_stay() {
        check("announce to Ann", &["ann"], Some("announce to xxx"));
        check("annex, mann", &["ann"], None);
        // Other addresses and logins, which other people have.
        check("<mary.ann@example.test> <jo-ann@x.test>", &["ann", "ann@example.test"], None);
        check("<ann@example.test.au>, ann_b, ann-b, 7+ann@users.test", &["ann", "ann@example.test"], None);
        check(
            "by Ann. (ann), @ann; /ann/ ann_ 'ann'",
            &["ann"],
            Some("by xxx. (xxx), @xxx; /xxx/ xxx_ 'xxx'"),
        );
    }

    #[test]
    fn what_is_escaped_is_found() {
        // After a line feed, a bracket, a quotation mark as JSON and addresses write them.
        check(r#""x\nAnn Lee\t""#, &["Ann Lee"], Some(r#""x\nxxx xxx\t""#));
        check(r#""\u003cann@y.test\u003e""#, &["ann@y.test"], Some(r#""\u003cxxx@x.xxxx\u003e""#));
        check("?q=%3Cann%40y.test%3E", &["ann@y.test"], Some("?q=%3Cxxxxxxx.xxxx%3E"));
        // A letter before it is one, escaped or not; and an escaped backslash is none of n's.
        check(r#""\u00f6ann""#, &["ann"], None);
        check(r#""\\nann""#, &["ann"], None);
        // The name itself.
        check(r#""J\u00F6rg""#, &["Jörg"], Some(r#""xxxxxxxxx""#));
        check(r#""Ann \"A\" Lee""#, &["Ann \"A\" Lee"], Some(r#""xxx xxxxx xxx""#));
        check(r#""\ud83e\udd80""#, &["🦀"], Some(r#""xxxxxxxxxxxx""#));
    }

    fn document(body: &str) -> Vec<u8> {
        let receipt: Receipt = serde_json::from_value(json!({
            "source": "git:1", "stream": "commits", "media_type": "text/plain", "collector": "git/1",
            "collected_at": "2025-01-01T00:00:00Z", "request": "ann", "context": { "author": "ann" },
        }))
        .unwrap();
        Capture { receipt, body: body.as_bytes().to_vec() }.to_document()
    }

    #[track_caller]
    fn compared(body: &str, values: &[&str], derive: &dyn Fn(&str) -> Derived, expect: Result<(), Unfit>) {
        let original = document(body);
        let values = values.iter().map(|v| (*v).to_owned()).collect();
        let copy = redact(&original, &values).unwrap();
        let derive = |d: &Document<'_>| derive(&String::from_utf8_lossy(d.body));
        assert_eq!(compare(&original, &copy, &values, &derive), expect);
    }

    #[test]
    fn a_copy_that_lost_its_format_is_noticed_before_a_key_is_gone() {
        // A derivation that counts the body's words it knows.
        let derive = |body: &str| Derived {
            problems: (0..usize::from(!body.contains("author"))).map(|_| String::new()).collect(),
            ..Derived::default()
        };
        compared("author ann", &["ann"], &derive, Ok(()));
        // Words of the receipt, of its values, and of the body.
        for login in ["stream", "commits", "author"] {
            compared("author ann", &[login], &derive, Err(Unfit::SaysLess));
        }
    }

    #[test]
    fn a_copy_that_names_the_person_or_nobody_else_is_noticed() {
        // A derivation that takes every word for an account, and folds what it cannot read.
        let derive = |body: &str| Derived {
            display: body
                .split(' ')
                .map(|word| {
                    let text = word.replace("a\u{308}", "ä");
                    DisplayFact { about: Key::new("account", "git", text.clone()), field: "login", text }
                })
                .collect(),
            ..Derived::default()
        };
        compared("ann bob", &["ann"], &derive, Ok(()));
        // The same login, written in a way that nobody looked for.
        compared("ärmel a\u{308}rmel", &["ärmel"], &derive, Err(Unfit::StillNames));
        // Somebody else's, of which the name is a part after all.
        compared("ann (ann)bob", &["ann"], &derive, Err(Unfit::SaysLess));
    }
}
