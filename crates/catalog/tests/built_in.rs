//! The content that is part of the binary loads without a problem.

#[test]
fn built_in_content_is_sound() {
    let (_, problems) = catalog::Catalog::built_in();
    let text: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(text.is_empty(), "{}", text.join("\n"));
}
