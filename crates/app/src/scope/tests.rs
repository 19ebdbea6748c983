//! The rules by themselves: which holds when, and what a product takes along.

use super::*;

/// A product, repository `a` or another, when it stays with the product, and when it leaves with it.
type Parted<'t> = (&'t str, &'t str, (i64, i64), Option<(i64, i64)>);

fn at(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

/// `exclude repository a 100 200` with an approval at 0, unless another follows.
fn rule(text: &str) -> ScopeRule {
    let words: Vec<&str> = text.split(' ').collect();
    let number = |i: usize| words.get(i).and_then(|w| w.parse().ok()).map(at);
    ScopeRule {
        key: text.to_owned(),
        dimension: words[1].to_owned(),
        subject: words[2].to_owned(),
        included: words[0] == "include",
        starts_at: number(3).unwrap(),
        ends_at: number(4),
        reason: Some("why".to_owned()),
        approved_by: Some("cy".to_owned()),
        approved_at: Some(number(5).unwrap_or(at(0))),
        entered_at: at(0),
        entry: Some(1),
        grade: Grade::Manual,
        counts: None,
        without_effect: None,
        remarks: vec![],
        by_machine: false,
        unknown_subject: false,
    }
}

fn rules(list: &[&str], parts: &[Parted<'_>]) -> ScopeRules {
    let window = |(from, to): (i64, i64)| Window { from: at(from), to: at(to) };
    let part = |(product, subject, stays, leaves): &Parted<'_>| Part {
        product: (*product).to_owned(),
        dimension: Dimension::Repository,
        subject: (*subject).to_owned(),
        leaves: leaves.map(window),
        stays: window(*stays),
    };
    let mut rules = ScopeRules {
        rules: list.iter().map(|text| rule(text)).collect(),
        parts: parts.iter().map(part).collect(),
    };
    rules.settle();
    rules
}

/// When repository `a` is out.
fn out(rules: &ScopeRules) -> Vec<(i64, i64)> {
    rules.windows(Dimension::Repository, "a").iter().map(|w| (w.from.ms(), w.to.ms())).collect()
}

#[track_caller]
fn check(list: &[&str], expect: &[(i64, i64)]) {
    assert_eq!(out(&rules(list, &[])), expect, "{list:?}");
    // The order in which they were entered says nothing.
    let turned: Vec<&str> = list.iter().rev().copied().collect();
    assert_eq!(out(&rules(&turned, &[])), expect, "{turned:?}");
}

#[test]
fn the_rule_that_begins_last_holds() {
    check(&["exclude repository a 100 200"], &[(100, 200)]);
    check(&["exclude repository b 100 200"], &[]);
    check(&["exclude repository a 100 900", "include repository a 300 900"], &[(100, 300)]);
    check(&["exclude repository a 100 900", "include repository a 300 400"], &[(100, 300), (400, 900)]);
    check(&["include repository a 100 900", "exclude repository a 300 400"], &[(300, 400)]);
    check(&["exclude repository a 100 200", "exclude repository a 200 300"], &[(100, 300)]);
    // Of two that begin together the one that includes.
    check(&["exclude repository a 100 900", "include repository a 100 300"], &[(300, 900)]);
}

#[test]
fn what_was_approved_late_leaves_out_nothing_before() {
    check(&["exclude repository a 100 200 150"], &[(150, 200)]);
    check(&["exclude repository a 100 200 200"], &[]);
    // To bring something in takes nothing away: it counts from its own day.
    check(&["exclude repository a 100 900", "include repository a 300 900 800"], &[(100, 300)]);
    // That it ends lets something out, and counts from its approval.
    check(&["exclude repository a 100 900", "include repository a 300 400 600"], &[(100, 300), (600, 900)]);
    // It begins when it says, not when it was approved: an inclusion since then stands against it.
    check(&["exclude repository a 100 900 500", "include repository a 300 900"], &[]);
}

#[test]
fn what_is_missing_takes_its_effect() {
    let check = |change: &dyn Fn(&mut ScopeRule), why: &str| {
        let mut one = rule("exclude repository a 100 200");
        change(&mut one);
        let mut rules = ScopeRules { rules: vec![one], parts: vec![] };
        rules.settle();
        assert_eq!(out(&rules), [], "{why}");
        assert_eq!(rules.rules[0].without_effect.as_deref(), Some(why));
        assert_eq!(rules.rules[0].counts, None);
    };
    check(&|r| r.reason = None, "it gives no reason");
    check(&|r| r.reason = Some("  ".to_owned()), "it gives no reason");
    check(&|r| r.approved_by = None, "nobody has approved it");
    check(&|r| r.approved_at = None, "nobody says when it was approved");
    check(&|r| r.by_machine = true, "a machine approved it");
    check(&|r| r.ends_at = None, "nobody says until when it leaves something out");
    check(&|r| r.ends_at = Some(at(100)), "it is over before it begins, or before it was approved");
    check(&|r| r.approved_at = Some(at(200)), "it is over before it begins, or before it was approved");
    check(&|r| r.dimension = "moon".to_owned(), "nothing of that kind can be in or out of scope");
    check(
        &|r| {
            r.dimension = "person_kind".to_owned();
            r.subject = "unknown".to_owned();
        },
        "who nobody knows cannot be left out",
    );
    check(
        &|r| {
            r.dimension = "category".to_owned();
            r.subject = "security".to_owned();
        },
        SECURITY,
    );
}

#[test]
fn a_part_goes_with_its_products() {
    let both = (0, 900);
    let check = |list: &[&str], parts: &[Parted<'_>], expect: &[(i64, i64)]| {
        assert_eq!(out(&rules(list, parts)), expect, "{list:?} {parts:?}");
    };
    let product = "exclude product p 100 200";
    check(&[product], &[("p", "a", both, Some(both))], &[(100, 200)]);
    check(&[product], &[("p", "b", both, Some(both))], &[]);
    // It was a part for some of the time; nobody approved that it is one.
    check(&[product], &[("p", "a", (0, 150), Some((0, 150)))], &[(100, 150)]);
    check(&[product], &[("p", "a", both, None)], &[]);
    // Another product keeps it, from when it says and whoever approved that.
    check(&[product], &[("p", "a", both, Some(both)), ("q", "a", (150, 900), None)], &[(100, 150)]);
    check(
        &[product, "exclude product q 100 200"],
        &[("p", "a", both, Some(both)), ("q", "a", both, Some(both))],
        &[(100, 200)],
    );
    // Its own rule weighs more.
    check(&[product, "include repository a 0 900"], &[("p", "a", both, Some(both))], &[]);
    check(
        &["include product p 0 900", "exclude repository a 100 200"],
        &[("p", "a", both, Some(both))],
        &[(100, 200)],
    );
}

#[test]
fn who_is_named_by_a_rule_stands_in_or_out() {
    let both = (0, 900);
    let check = |list: &[&str], parts: &[Parted<'_>], expect| {
        assert_eq!(rules(list, parts).standing(Dimension::Repository, "a", at(150)), expect, "{list:?}");
    };
    check(&[], &[], Standing::Unnamed);
    check(&["include repository b 0 900"], &[], Standing::Unnamed);
    check(&["include repository a 0 900"], &[], Standing::In);
    check(&["include repository a 0 150"], &[], Standing::Unnamed);
    check(&["include product p 0 900"], &[("p", "a", both, None)], Standing::In);
    check(&["exclude product p 0 900"], &[("p", "a", both, Some(both))], Standing::Out);
    check(&["exclude product p 0 900"], &[("q", "a", both, Some(both))], Standing::Unnamed);
}

#[test]
fn a_proposed_rule_takes_the_place_of_the_one_with_its_key() {
    let before = rules(&["exclude repository a 100 200"], &[]);
    let corrected = ScopeRule { starts_at: at(150), ..rule("exclude repository a 100 200") };
    assert_eq!(out(&before.with(corrected)), [(150, 200)]);
    assert_eq!(out(&before.with(rule("exclude repository a 300 400"))), [(100, 200), (300, 400)]);
    assert_eq!(out(&before), [(100, 200)]);
}

#[test]
fn a_category_is_out_only_with_the_whole_period() {
    let period = Period { from: at(100), to: at(200), tz: "UTC".to_owned() };
    let check = |text: &str, category: &str, expect: bool| {
        assert_eq!(rules(&[text], &[]).leaves_out_category(category, &period), expect, "{text}");
    };
    check("exclude category privacy 100 200", "Privacy", true);
    check("exclude category privacy 101 200", "Privacy", false);
    check("exclude category privacy 100 199", "Privacy", false);
    check("exclude category privacy 100 200", "Availability", false);
    check("exclude category processing_integrity 0 900", "Processing integrity", true);
    check("exclude category security 0 900", "Security", false);
}
