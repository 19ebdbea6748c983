use proptest::prelude::*;

use super::*;
use model::CoverageStatus;

fn at(ms: i64) -> Instant {
    Instant::from_ms(ms)
}

fn period() -> Period {
    Period { from: at(100), to: at(200), tz: "UTC".into() }
}

fn statement(table: &str, from: i64, to: i64, status: CoverageStatus, grade: Grade) -> Statement {
    Statement {
        scope: 1,
        table: table.into(),
        from: at(from),
        to: at(to),
        status,
        reason: String::new(),
        grade,
    }
}

fn complete(table: &str, from: i64, to: i64) -> Statement {
    statement(table, from, to, CoverageStatus::Complete, Grade::System)
}

fn rules() -> Rules {
    Rules {
        population: vec!["change".into()],
        over_period: false,
        attributes: vec![AttributeRule {
            letter: Attribute('a'),
            absent: vec!["approval".into()],
            adverse: vec!["bypass".into()],
            moot_without: vec!["approval".into()],
            absent_grade: Grade::System,
            adverse_grade: Grade::System,
        }],
    }
}

fn row(item: i64, occurred_at: i64, verdict: Option<Verdict>) -> Tested {
    Tested {
        item,
        scope: 1,
        label: format!("c{item}"),
        occurred_at: at(occurred_at),
        entry: 0,
        grade: Grade::System,
        verdicts: vec![verdict],
        since: vec![],
        until: vec![],
    }
}

#[track_caller]
fn check(rows: Vec<Tested>, coverage: Vec<Statement>, expect: &str) {
    let map = coverage.into_iter().collect();
    let result = assess(&rules(), rows, &map, &BTreeSet::from([1]), &period(), at(200));
    let items: Vec<&str> = result.items.iter().map(|i| i.verdict().word()).collect();
    let gaps: Vec<String> = result.gaps.iter().map(|g| format!("{}..{}", g.from.ms(), g.to.ms())).collect();
    assert_eq!(format!("{} [{}] gaps[{}]", result.conclusion, items.join(" "), gaps.join(" ")), expect);
}

fn seen() -> Vec<Statement> {
    vec![complete("change", 0, 300), complete("approval", 0, 300), complete("bypass", 0, 300)]
}

#[test]
fn conclusions_follow_what_is_known() {
    use Verdict::{Deviation, NeedsJudgement, NotApplicable, NotYetDue, Pass};
    check(vec![row(1, 150, Some(Pass))], seen(), "no_exceptions [pass] gaps[]");
    check(
        vec![row(1, 150, Some(Deviation)), row(2, 150, Some(Pass))],
        seen(),
        "exceptions_noted [deviation pass] gaps[]",
    );
    check(vec![row(1, 150, Some(NeedsJudgement))], seen(), "cannot_conclude [needs_judgement] gaps[]");
    check(vec![row(1, 150, None)], seen(), "cannot_conclude [no_evidence] gaps[]");
    check(vec![row(1, 150, Some(NotYetDue))], seen(), "cannot_conclude [not_yet_due] gaps[]");
    check(
        vec![row(1, 150, Some(NotYetDue)), row(2, 150, Some(Pass))],
        seen(),
        "no_exceptions [not_yet_due pass] gaps[]",
    );
    check(vec![row(1, 150, Some(NotApplicable))], seen(), "cannot_conclude [not_applicable] gaps[]");
}

#[test]
fn an_empty_population_is_proven_or_unknown() {
    check(vec![], seen(), "did_not_operate [] gaps[]");
    check(vec![], vec![], "cannot_conclude [] gaps[100..200]");
    check(vec![], vec![complete("change", 0, 150)], "cannot_conclude [] gaps[150..200]");
    // Without any source there is nothing to be complete.
    let result = assess(&rules(), vec![], &CoverageMap::default(), &BTreeSet::new(), &period(), at(200));
    assert_eq!((result.conclusion, result.gaps.len()), (Conclusion::CannotConclude, 1));
}

#[test]
fn silence_up_to_a_deadline_needs_somebody_who_looked_until_then() {
    use Verdict::{Deviation, Pass};
    let due = |at_ms: i64, verdict| Tested { until: vec![at(at_ms)], ..row(1, 110, Some(verdict)) };
    let seen_until =
        |end: i64| vec![complete("change", 0, 300), complete("approval", 0, end), complete("bypass", 0, end)];
    // The deadline itself still counts.
    check(vec![due(150, Deviation)], seen_until(151), "exceptions_noted [deviation] gaps[]");
    check(vec![due(150, Deviation)], seen_until(150), "cannot_conclude [no_evidence] gaps[]");
    check(vec![due(150, Pass)], seen_until(151), "no_exceptions [pass] gaps[]");
    check(vec![due(150, Pass)], seen_until(150), "cannot_conclude [no_evidence] gaps[]");
    // A hole on the way is as good as an end; what comes before the item concerns nobody.
    let hole = |from: i64, to: i64| {
        let failed = statement("approval", from, to, CoverageStatus::Failed, Grade::System);
        seen().into_iter().chain([failed]).collect()
    };
    check(vec![due(150, Deviation)], hole(120, 121), "cannot_conclude [no_evidence] gaps[]");
    check(vec![due(150, Deviation)], hole(100, 110), "exceptions_noted [deviation] gaps[]");
    check(vec![due(150, Deviation)], hole(151, 160), "exceptions_noted [deviation] gaps[]");
    // An instant before the item's own asks for no less than that one.
    check(vec![due(50, Deviation)], hole(110, 111), "cannot_conclude [no_evidence] gaps[]");
}

#[test]
fn silence_before_an_item_needs_somebody_who_looked_since_then() {
    use Verdict::{Deviation, Pass};
    let read = |at_ms: i64, verdict| Tested { since: vec![at(at_ms)], ..row(1, 150, Some(verdict)) };
    let seen_since = |start: i64| {
        vec![complete("change", 0, 300), complete("approval", start, 300), complete("bypass", start, 300)]
    };
    check(vec![read(120, Deviation)], seen_since(120), "exceptions_noted [deviation] gaps[]");
    check(vec![read(120, Deviation)], seen_since(121), "cannot_conclude [no_evidence] gaps[]");
    check(vec![read(120, Pass)], seen_since(120), "no_exceptions [pass] gaps[]");
    check(vec![read(120, Pass)], seen_since(121), "cannot_conclude [no_evidence] gaps[]");
    // Before the period, too; and an instant after the item asks for no less than the item's own.
    check(vec![read(50, Deviation)], seen_since(51), "cannot_conclude [no_evidence] gaps[]");
    check(vec![read(50, Deviation)], seen_since(50), "exceptions_noted [deviation] gaps[]");
    check(vec![read(190, Deviation)], seen_since(151), "cannot_conclude [no_evidence] gaps[]");
}

#[test]
fn what_rests_on_silence_is_worth_the_word_of_who_says_so() {
    use Verdict::{Deviation, NotApplicable, Pass};
    let check = |verdict: Verdict, own: Grade, approval: &[(i64, i64, Grade)], expect: &str| {
        let mut rules = rules();
        rules.attributes[0].absent_grade = Grade::Asserted;
        rules.attributes[0].adverse = vec![];
        let said = approval
            .iter()
            .map(|(from, to, grade)| statement("approval", *from, *to, CoverageStatus::Complete, *grade));
        let map = [complete("change", 0, 300)].into_iter().chain(said).collect();
        let row =
            Tested { since: vec![at(120)], until: vec![at(160)], grade: own, ..row(1, 150, Some(verdict)) };
        let result = assess(&rules, vec![row], &map, &BTreeSet::from([1]), &period(), at(200));
        let item = &result.items[0];
        assert_eq!(format!("{} {}", item.verdict().word(), item.grade.word()), expect);
    };
    let (system, manual, asserted) = (Grade::System, Grade::Manual, Grade::Asserted);
    check(Deviation, system, &[(0, 300, asserted)], "deviation asserted");
    check(NotApplicable, system, &[(0, 300, manual)], "not_applicable manual");
    // What proves a deviation need not be enough for a pass.
    let own = |verdict| {
        let mut rules = rules();
        rules.attributes[0].absent_grade = asserted;
        let said = |table| statement(table, 0, 300, CoverageStatus::Complete, asserted);
        let map = [complete("change", 0, 300), said("approval"), said("bypass")].into_iter().collect();
        let row = row(1, 150, Some(verdict));
        assess(&rules, vec![row], &map, &BTreeSet::from([1]), &period(), at(200)).items[0].verdict()
    };
    assert_eq!((own(Deviation), own(Pass)), (Deviation, Verdict::NoEvidence));
    // A pass that rests on no silence keeps the grade of its own evidence.
    check(Pass, system, &[(0, 300, asserted)], "pass system");
    // The better word counts where there are two, and the worst instant of the time.
    check(Deviation, system, &[(0, 300, asserted), (0, 300, system)], "deviation system");
    check(Deviation, system, &[(0, 300, asserted), (0, 160, system)], "deviation asserted");
    check(Deviation, system, &[(0, 300, asserted), (120, 161, system)], "deviation system");
    check(Deviation, asserted, &[(0, 300, system)], "deviation asserted");
}

#[test]
fn a_deviation_by_absence_needs_somebody_who_looked() {
    use Verdict::Deviation;
    let change = || complete("change", 0, 300);
    check(vec![row(1, 150, Some(Deviation))], vec![change()], "cannot_conclude [no_evidence] gaps[]");
    // Up to the boundary instant, not beyond it.
    let until_150 = vec![change(), complete("approval", 0, 150)];
    check(
        vec![row(1, 149, Some(Deviation)), row(2, 150, Some(Deviation))],
        until_150,
        "cannot_conclude [deviation no_evidence] gaps[]",
    );
    // That nobody typed a trailer proves nothing about a system.
    let asserted = statement("approval", 0, 300, CoverageStatus::Complete, Grade::Asserted);
    check(
        vec![row(1, 150, Some(Deviation))],
        vec![change(), asserted],
        "cannot_conclude [no_evidence] gaps[]",
    );
}

#[test]
fn a_pass_by_absence_needs_somebody_who_looked() {
    let blind = vec![
        complete("change", 0, 300),
        complete("approval", 0, 300),
        statement("bypass", 0, 300, CoverageStatus::NotPermitted, Grade::System),
    ];
    check(vec![row(1, 150, Some(Verdict::Pass))], blind, "cannot_conclude [no_evidence] gaps[]");
}

#[test]
fn an_item_that_lasts_the_period_needs_coverage_all_along() {
    let rules = Rules { over_period: true, ..rules() };
    let verdict = |coverage: Vec<Statement>| {
        let map = coverage.into_iter().collect();
        let rows = vec![row(1, 100, Some(Verdict::Pass))];
        assess(&rules, rows, &map, &BTreeSet::from([1]), &period(), at(200)).items[0].verdict()
    };
    assert_eq!(verdict(seen()), Verdict::Pass);
    let change = || complete("change", 0, 300);
    // Two snapshots prove two instants, not the time between.
    assert_eq!(
        verdict(vec![change(), complete("bypass", 100, 101), complete("bypass", 199, 200)]),
        Verdict::NoEvidence
    );
    assert_eq!(
        verdict(vec![change(), complete("bypass", 100, 150), complete("bypass", 150, 200)]),
        Verdict::Pass
    );
    assert_eq!(verdict(vec![change(), complete("bypass", 101, 200)]), Verdict::NoEvidence);
    assert_eq!(verdict(vec![change(), complete("bypass", 100, 199)]), Verdict::NoEvidence);

    // What rests on more than the period needs more than it: from the item's own instant, and up to where it is settled.
    let verdict = |from: i64, to: i64| {
        let map = vec![change(), complete("bypass", from, to)].into_iter().collect();
        let rows = vec![Tested { until: vec![at(220)], ..row(1, 60, Some(Verdict::Pass)) }];
        assess(&rules, rows, &map, &BTreeSet::from([1]), &period(), at(250)).items[0].verdict()
    };
    assert_eq!(verdict(60, 221), Verdict::Pass);
    assert_eq!(verdict(61, 221), Verdict::NoEvidence);
    assert_eq!(verdict(60, 220), Verdict::NoEvidence);
}

#[test]
fn an_item_within_several_scopes_is_judged_by_the_coverage_of_each() {
    let rows = vec![
        Tested { scope: 2, ..row(1, 150, Some(Verdict::Deviation)) },
        row(1, 150, Some(Verdict::Deviation)),
        row(1, 140, Some(Verdict::Deviation)),
    ];
    let map = seen().into_iter().collect();
    let result = assess(&rules(), rows, &map, &BTreeSet::from([1]), &period(), at(200));
    let items: Vec<_> = result.items.iter().map(|i| (i.scope, i.occurred_at.ms(), i.verdict())).collect();
    assert_eq!(
        items,
        [(1, 140, Verdict::Deviation), (1, 150, Verdict::Deviation), (2, 150, Verdict::NoEvidence)]
    );
}

#[test]
fn what_concerns_nothing_needs_somebody_who_looked() {
    let blind = vec![complete("change", 0, 300), complete("approval", 0, 150)];
    check(
        vec![row(1, 149, Some(Verdict::NotApplicable)), row(2, 150, Some(Verdict::NotApplicable))],
        blind,
        "cannot_conclude [not_applicable no_evidence] gaps[]",
    );
}

#[test]
fn a_gap_stands_against_an_older_claim_of_completeness() {
    let mut coverage = seen();
    coverage.push(statement("change", 120, 130, CoverageStatus::Partial, Grade::System));
    check(vec![row(1, 150, Some(Verdict::Pass))], coverage, "cannot_conclude [pass] gaps[120..130]");
}

#[test]
fn a_population_is_proven_for_the_scopes_it_concerns() {
    let change = |scope: i64| Statement { scope, ..complete("change", 0, 300) };
    let account = |scope: i64| Statement { scope, ..complete("account", 0, 300) };
    let check = |said: Vec<Statement>, expect: &[i64]| {
        let kinds = [(1, "repository"), (2, "repository"), (7, "system"), (8, "system")];
        let map = said.into_iter().collect::<CoverageMap>();
        let map = map.with_kinds(kinds.into_iter().map(|(scope, kind)| (scope, kind.to_owned())).collect());
        let scopes = BTreeSet::from([0, 1, 2, 7, 8]);
        let result = assess(&rules(), vec![], &map, &scopes, &period(), at(200));
        let gaps: Vec<i64> = result.gaps.iter().map(|g| g.scope.unwrap_or(-1)).collect();
        assert_eq!(gaps, expect);
    };
    // A system has no changes; the second repository has, though nobody looked.
    check(vec![change(1), account(7)], &[2]);
    check(vec![change(1), change(2), account(7)], &[]);
    // What is said of the company is said of each; what is said of one is not said of the company.
    check(vec![change(0), account(7)], &[]);
    check(vec![change(0), change(1)], &[]);
    check(vec![Statement { to: at(150), ..change(0) }, change(1)], &[0, 2]);
    // Nobody supplies it: one gap, and not one for everything there is.
    check(vec![account(7)], &[-1]);
}

#[test]
fn what_is_said_of_the_company_is_said_of_each_scope() {
    use Verdict::Deviation;
    let company = |status| Statement { scope: 0, ..statement("approval", 0, 300, status, Grade::System) };
    let looked = vec![complete("change", 0, 300), company(CoverageStatus::Complete)];
    check(vec![row(1, 150, Some(Deviation))], looked, "exceptions_noted [deviation] gaps[]");
    let failed = seen().into_iter().chain([company(CoverageStatus::Failed)]).collect();
    check(vec![row(1, 150, Some(Deviation))], failed, "cannot_conclude [no_evidence] gaps[]");
}

#[test]
fn a_period_that_goes_on_is_not_concluded() {
    let map = seen().into_iter().collect();
    let rows = vec![row(1, 110, Some(Verdict::Pass))];
    let result = assess(&rules(), rows, &map, &BTreeSet::from([1]), &period(), at(120));
    assert_eq!(result.conclusion, Conclusion::CannotConclude);
    assert_eq!((result.gaps[0].from, result.gaps[0].to), (at(121), at(200)));
}

fn any_verdict() -> impl Strategy<Value = Option<Verdict>> {
    proptest::option::of(proptest::sample::select(Verdict::ALL))
}

proptest! {
    /// Unknown never yields pass; taking coverage away never creates a pass or a deviation; counts add up.
    #[test]
    fn less_coverage_never_yields_more(
        verdicts in proptest::collection::vec(any_verdict(), 0..8),
        windows in proptest::collection::vec((0_i64..3, 90_i64..210, 0_i64..60, 0_usize..6), 0..6),
        dropped in 0_usize..6,
    ) {
        let tables = ["change", "approval", "bypass"];
        let statements: Vec<Statement> = windows
            .iter()
            .map(|(t, from, len, s)| statement(
                tables[usize::try_from(*t).unwrap()], *from, from + len, CoverageStatus::ALL[*s], Grade::System))
            .collect();
        let rows: Vec<Tested> =
            verdicts.iter().enumerate().map(|(i, v)| row(i64::try_from(i).unwrap(), 150, *v)).collect();
        let run = |statements: Vec<Statement>| {
            let map = statements.into_iter().collect();
            assess(&rules(), rows.clone(), &map, &BTreeSet::from([1]), &period(), at(200))
        };
        let full = run(statements.clone());
        for (item, said) in full.items.iter().zip(&verdicts) {
            let got = item.verdict();
            prop_assert!(got == said.unwrap_or(Verdict::NoEvidence) || got == Verdict::NoEvidence);
        }
        prop_assert_eq!(full.counts(Attribute('a')).values().sum::<usize>(), rows.len());
        // Only a complete statement may be dropped: dropping a gap is learning more.
        let fewer: Vec<Statement> = statements
            .iter()
            .enumerate()
            .filter(|(i, s)| *i != dropped || s.status != CoverageStatus::Complete)
            .map(|(_, s)| s.clone())
            .collect();
        let less = run(fewer);
        for (a, b) in full.items.iter().zip(&less.items) {
            prop_assert!(b.verdict() == a.verdict() || b.verdict() == Verdict::NoEvidence);
        }
        if full.conclusion == Conclusion::CannotConclude {
            prop_assert_eq!(less.conclusion, Conclusion::CannotConclude);
        }
    }
}
