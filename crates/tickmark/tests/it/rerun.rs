//! A second look: only what is new is taken, and what was said stays said.

use serde_json::Value as Json;

use crate::support::{ANN, BOB, Home, JANUARY, Repo, procedure, same, verdicts};

/// The document without what the clock and the ledger's growth move.
fn settled(mut document: Json) -> Json {
    for name in ["cutoff", "position"] {
        document.as_object_mut().unwrap().remove(name);
    }
    document
}

#[test]
fn twice_is_the_same() {
    let repository = Repo::new();
    for day in 1..=9 {
        let message =
            format!("change {day}\n\nReviewed-on: https://review.example.test/{day}\nReviewed-by: {BOB}");
        repository.commit(&message, &format!("2025-01-{day:02}T10:00:00Z"), ANN);
    }
    let home = Home::new();
    let first = settled(home.january(&repository));
    let before = home.entries();
    let second = settled(home.january(&repository));
    same(&first, &second);
    // That nothing is new is an observation of its own: the references and the walk.
    assert_eq!(home.entries() - before, 2);
    assert_eq!(home.does("rebuild --diff").lines().last(), Some("every row is as it was"));
    same(&settled(home.january(&repository)), &first);
    // Another workspace reads the same.
    let mut elsewhere = settled(Home::new().january(&repository));
    elsewhere["verify"] = first["verify"].clone();
    same(&elsewhere, &first);
    home.holds();
}

#[test]
fn only_what_is_new_is_taken() {
    let repository = Repo::new();
    let old = repository.commit("old", "2025-01-02T10:00:00Z", ANN);
    let home = Home::new();
    let first = home.january(&repository);
    let before = home.entries();
    let new = repository.commit("new", "2025-01-03T10:00:00Z", BOB);
    let second = home.january(&repository);
    assert_eq!(home.entries() - before, 2);
    let newest = home.does(&format!("ledger show {}", home.entries() - 1));
    assert!(newest.contains(&new) && !newest.contains(&format!("{old} commit")), "{newest}");
    for id in ["change_ticket", "change_independent_review", "change_tests"] {
        assert_eq!(verdicts(&first, id, &old), verdicts(&second, id, &old));
        assert_eq!(procedure(&second, id)["population"], 2);
        // An item keeps its evidence.
        assert_eq!(procedure(&second, id)["items"][0], procedure(&first, id)["items"][0]);
    }
}

#[test]
fn rewritten_history_is_a_gap_for_good() {
    let repository = Repo::new();
    let one = repository.commit("one", "2025-01-02T10:00:00Z", ANN);
    let two = repository.commit("two", "2025-01-03T10:00:00Z", ANN);
    let home = Home::new();
    let before = home.january(&repository);
    assert_eq!(procedure(&before, "change_tests")["gaps"].as_array().unwrap().len(), 0);

    repository.git("reset -q --hard HEAD~1");
    let other = repository.commit("two, another", "2025-01-04T10:00:00Z", ANN);
    for look in 0..2 {
        let after = home.january(&repository);
        for id in ["change_ticket", "change_independent_review", "change_tests"] {
            let found = procedure(&after, id);
            assert_eq!(found["conclusion"], "cannot_conclude");
            let gaps = found["gaps"].as_array().unwrap();
            assert_eq!(gaps.len(), 1, "{gaps:?}");
            assert!(gaps[0]["reason"].as_str().unwrap().contains("rewritten"), "{gaps:?}");
            // What had landed is not forgotten.
            let items: Vec<&str> =
                found["items"].as_array().unwrap().iter().map(|i| i["item"].as_str().unwrap()).collect();
            assert_eq!(items, [&one, &two, &other], "look {look}");
        }
    }
    // A period before the gap is still proven.
    let early = home.checked(&repository, &["--from", "2024-12-01", "--to", "2025-01-01"]);
    assert_eq!(procedure(&early, "change_tests")["conclusion"], "did_not_operate");
    home.holds();
}

#[test]
fn another_branch_is_not_the_default_one() {
    let repository = Repo::new();
    repository.commit("one", "2025-01-02T10:00:00Z", ANN);
    repository.git("checkout -q -b stable");
    let aside = repository.commit("only on stable", "2025-01-03T10:00:00Z", BOB);
    repository.git("checkout -q main");
    let two = repository.commit("two", "2025-01-04T10:00:00Z", ANN);
    let home = Home::new();
    let main = settled(home.january(&repository));

    let more: Vec<&str> = JANUARY.into_iter().chain(["--branch", "stable"]).collect();
    let stable = home.checked(&repository, &more);
    let items = procedure(&stable, "change_tests")["items"].as_array().unwrap();
    assert_eq!(items.last().unwrap()["item"], aside.as_str());
    assert_eq!(items.len(), 2);
    assert_eq!(procedure(&stable, "change_tests")["gaps"].as_array().unwrap().len(), 0);
    assert_eq!(stable["repository"]["branch"], "stable");

    // HEAD on a feature branch says nothing about what landed on main either.
    repository.git("checkout -q -b feature");
    let unmerged = repository.commit("not merged", "2025-01-05T10:00:00Z", BOB);
    let ran = home.run(["check", &repository.shown(), "--json"].iter().chain(&JANUARY));
    assert!(ran.err.contains("earlier looks were at `main`"), "{}", ran.err);
    assert!(ran.succeeded().contains(&unmerged));
    // Asked for by name while HEAD is elsewhere, main is still the line it was.
    let more: Vec<&str> = JANUARY.into_iter().chain(["--branch", "main"]).collect();
    same(&settled(home.checked(&repository, &more)), &main);
    repository.git("checkout -q main");
    same(&settled(home.january(&repository)), &main);

    // A branch that got another name goes on as it was.
    repository.git("branch -q -m main trunk");
    let trunk = home.january(&repository);
    assert_eq!(trunk["repository"]["branch"], "trunk");
    for id in ["change_ticket", "change_independent_review", "change_tests"] {
        same(procedure(&trunk, id), procedure(&main, id));
    }
    assert_eq!(trunk["repository"]["tip"], two.as_str());
    home.holds();
}

#[test]
fn a_branch_asked_for_first_is_not_the_default_one_either() {
    let origin = Repo::new();
    origin.commit("one", "2025-01-02T10:00:00Z", ANN);
    origin.git("checkout -q -b stable");
    origin.commit("only on stable", "2025-01-03T10:00:00Z", BOB);
    origin.git("checkout -q main");
    origin.commit("two", "2025-01-04T10:00:00Z", ANN);
    let clone = Repo::cloned(&origin, "--no-tags");
    for (how, repository) in [("HEAD", origin), ("origin/HEAD", clone)] {
        let home = Home::new();
        let more: Vec<&str> = JANUARY.into_iter().chain(["--branch", "stable"]).collect();
        home.checked(&repository, &more);
        let main = home.january(&repository);
        let found = procedure(&main, "change_tests");
        assert_eq!((&found["population"], found["gaps"].as_array().unwrap().len()), (&2.into(), 0), "{how}");
    }
}

#[test]
fn two_repositories_share_a_workspace() {
    let home = Home::new();
    let (one, two) = (Repo::new(), Repo::new());
    // The same commits in two folders are two repositories.
    for repository in [&one, &two] {
        repository.commit("shared", "2025-01-02T10:00:00Z", ANN);
    }
    let first = settled(home.january(&one));
    two.commit("only here", "2025-01-03T10:00:00Z", BOB);
    let second = home.january(&two);
    assert_eq!(procedure(&second, "change_tests")["population"], 2);
    same(&settled(home.january(&one)), &first);
}
