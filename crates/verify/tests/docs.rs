//! The samples of `docs/ledger-format.md` are true.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]

#[test]
fn the_samples_of_the_format_verify() {
    let text = include_str!("../../../docs/ledger-format.md");
    let block = |name: &str| {
        let (_, rest) = text.split_once(&format!("```{name}\n")).unwrap();
        rest.split_once("```").unwrap().0
    };
    let key = block("vkey").trim().parse().unwrap();
    let checkpoint = verify::proof(block("proof").as_bytes(), block("leaf").trim().as_bytes(), &key).unwrap();
    assert_eq!(checkpoint.size, 7);
    assert!(verify::proof(block("proof").as_bytes(), b"another", &key).is_err());
}
