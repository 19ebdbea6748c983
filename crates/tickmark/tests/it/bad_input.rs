//! Repositories and dates that are not as they should be. Whatever it is: a message that says what to do, nothing that
//! looks like a clean sheet, and everything else goes on working.

use std::fs;

use crate::support::{ANN, BOB, Home, JANUARY, Repo, procedure, verdicts};

/// `check` of the path is refused with these words, and a healthy repository is checked afterwards.
#[track_caller]
fn refused(home: &Home, path: &str, parts: &[&str]) {
    home.refuses(&format!("check {path}"), parts);
    home.works();
}

/// The gaps in the population of a procedure that judges every change.
fn gaps(document: &serde_json::Value) -> Vec<String> {
    let found = procedure(document, "change_independent_review");
    let gaps = found["gaps"].as_array().unwrap();
    if !gaps.is_empty() {
        assert_eq!(found["conclusion"], "cannot_conclude");
    }
    gaps.iter()
        .map(|g| format!("{} {}", g["from"].as_str().unwrap(), g["reason"].as_str().unwrap()))
        .collect()
}

#[test]
fn no_repository() {
    let home = Home::new();
    let folder = Repo::without_history();
    home.refuses("check /nowhere/at/all", &["`/nowhere/at/all` does not exist", "name the folder"]);
    home.refuses(&format!("check {}", folder.shown()), &["is no git repository", "clone it first"]);
    fs::write(folder.path().join("file"), "text").unwrap();
    home.refuses(&format!("check {}/file", folder.shown()), &["is no git repository"]);
    // Nothing was made for nothing.
    assert_eq!(crate::support::files(home.path()), Vec::<String>::new());
    folder.git("init -q -b main");
    refused(&home, &folder.shown(), &["has no commit yet on `main`"]);
    // A folder that only looks like one.
    let broken = Repo::without_history();
    fs::create_dir(broken.path().join(".git")).unwrap();
    refused(&home, &broken.shown(), &["is no git repository"]);
    fs::write(broken.path().join(".git/HEAD"), "garbage\u{0}").unwrap();
    refused(&home, &broken.shown(), &[&broken.shown()]);
}

#[test]
fn a_folder_below_and_a_bare_repository() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    let below = repository.path().join("src/deep");
    fs::create_dir_all(&below).unwrap();
    home.does(&format!("check {}", below.display()));
    let bare = Repo::cloned(&repository, "--bare");
    let found = home.january(&bare);
    assert_eq!(procedure(&found, "change_tests")["population"], 1);
    assert_eq!(found["repository"]["branch"], "main");
    assert_eq!(gaps(&found), Vec::<String>::new());
    home.holds();
}

#[test]
fn a_detached_head_lists_the_branches() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    repository.git("branch stable");
    repository.git("checkout -q --detach");
    let path = repository.shown();
    refused(&home, &path, &["names no branch", "--branch: main, stable"]);
    home.refuses(&format!("check {path} --branch nope"), &["has no branch `nope`", "main, stable"]);
    home.does(&format!("check {path} --branch stable"));
    home.holds();
}

#[test]
fn a_shallow_clone_proves_only_what_it_holds() {
    let home = Home::new();
    let origin = Repo::new();
    for day in [2, 9, 16, 23] {
        origin.commit(&format!("change {day}"), &format!("2025-01-{day:02}T10:00:00Z"), ANN);
    }
    let clone = Repo::cloned(&origin, "--depth 2");
    let found = home.january(&clone);
    assert_eq!(procedure(&found, "change_tests")["population"], 2);
    let said = gaps(&found);
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("2025-01-01") && said[0].contains("--unshallow"), "{said:?}");
    // Nothing landed before January as far as the clone can say, which is no proof.
    let december = home.checked(&clone, &["--from", "2024-12-01", "--to", "2024-12-31"]);
    assert_eq!(procedure(&december, "change_tests")["conclusion"], "cannot_conclude");
    // After its beginning it knows everything.
    let end = home.checked(&clone, &["--from", "2025-01-17", "--to", "2025-01-20"]);
    assert_eq!(procedure(&end, "change_tests")["conclusion"], "did_not_operate");

    clone.git("fetch -q --unshallow");
    let whole = home.january(&clone);
    assert_eq!(procedure(&whole, "change_tests")["population"], 4);
    assert_eq!(gaps(&whole), Vec::<String>::new());
    let december = home.checked(&clone, &["--from", "2024-12-01", "--to", "2024-12-31"]);
    assert_eq!(procedure(&december, "change_tests")["conclusion"], "did_not_operate");
    home.holds();
}

#[test]
fn an_object_that_is_missing_or_altered_is_a_gap() {
    let three = || {
        let repository = Repo::new();
        let ids: Vec<String> = [2, 9, 16]
            .iter()
            .map(|day| {
                repository.commit(&format!("change {day}"), &format!("2025-01-{day:02}T10:00:00Z"), ANN)
            })
            .collect();
        (repository, ids)
    };
    let home = Home::new();

    // The tip itself.
    let (repository, ids) = three();
    fs::remove_file(repository.object(&ids[2])).unwrap();
    refused(&home, &repository.shown(), &["the tip", "`refs/heads/main`", "git fsck"]);

    // One below it: what lies behind it is unknown, what lies before is judged.
    let (repository, ids) = three();
    let kept = fs::read(repository.object(&ids[1])).unwrap();
    fs::remove_file(repository.object(&ids[1])).unwrap();
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 1);
    assert!(gaps(&found)[0].contains(&ids[1]), "{:?}", gaps(&found));
    assert!(home.run(["check", &repository.shown()]).succeeded().contains("Not everything could be seen"));
    // Put back, it closes the gap.
    fs::write(repository.object(&ids[1]), kept).unwrap();
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 3);
    assert_eq!(gaps(&found), Vec::<String>::new());

    // Each byte of it flipped in turn: never a pass, never a panic.
    let (repository, ids) = three();
    let path = repository.object(&ids[1]);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for at in [0, 1, 2, bytes.len() / 2, bytes.len() - 1] {
        let mut altered = bytes.clone();
        altered[at] ^= 0x10;
        fs::write(&path, altered).unwrap();
        let home = Home::new();
        let found = home.january(&repository);
        assert_eq!(procedure(&found, "change_tests")["population"], 1, "byte {at}");
        assert_eq!(gaps(&found).len(), 1, "byte {at}");
    }
    // Another commit under its name: the bytes are hashed again.
    let copy = fs::read(repository.object(&ids[0])).unwrap();
    fs::write(&path, copy).unwrap();
    let found = home.january(&repository);
    assert!(gaps(&found)[0].contains("do not have this id"), "{:?}", gaps(&found));
    home.works();
}

#[test]
fn a_damaged_pack_is_a_gap_or_a_refusal() {
    let packed = || {
        let repository = Repo::new();
        for day in 1..=20 {
            let message = format!("change {day}\n\n{}", format!("{day:x}").repeat(day * 40));
            repository.commit(&message, &format!("2025-01-{day:02}T10:00:00Z"), ANN);
        }
        repository.git("repack -q -a -d -f");
        let folder = repository.path().join(".git/objects/pack");
        let pack = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().path())
            .find(|p| p.extension().unwrap() == "pack");
        (repository, pack.unwrap())
    };
    let (repository, pack) = packed();
    let bytes = fs::read(&pack).unwrap();
    // Git makes packs that nobody may write.
    fs::remove_file(&pack).unwrap();
    let home = Home::new();
    let look = |what: &str| {
        let home = Home::new();
        let ran = home.run(["check", &repository.shown(), "--json"].iter().chain(&JANUARY));
        if ran.code == Some(0) {
            let found = crate::support::document(&ran.out);
            let population = procedure(&found, "change_tests")["population"].as_u64().unwrap();
            assert_eq!(population == 20, gaps(&found).is_empty(), "{what}: {population}");
        } else {
            ran.refused(&["cannot be read"]);
        }
    };
    look("no pack");
    for part in [0, 3, 7] {
        fs::write(&pack, &bytes[..bytes.len() * part / 8]).unwrap();
        look(&format!("{part}/8 of the pack"));
    }
    for part in 0..4 {
        let mut altered = bytes.clone();
        altered[bytes.len() * part / 4] ^= 0xff;
        fs::write(&pack, altered).unwrap();
        look(&format!("flipped at {part}/4"));
    }
    fs::write(&pack, bytes).unwrap();
    assert_eq!(procedure(&home.january(&repository), "change_tests")["population"], 20);
    home.works();
}

#[test]
fn a_period_without_changes() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    for (from, to, conclusion) in [
        // Read to its root, the history proves that nothing landed.
        ("2024-01-01", "2024-01-31", "did_not_operate"),
        ("2025-02-01", "2025-02-28", "did_not_operate"),
        // What has not happened yet nobody can know.
        ("2999-01-01", "2999-01-31", "cannot_conclude"),
    ] {
        let found = home.checked(&repository, &["--from", from, "--to", to]);
        for id in ["change_ticket", "change_independent_review", "change_tests"] {
            assert_eq!(procedure(&found, id)["population"], 0, "{from}");
            assert_eq!(procedure(&found, id)["conclusion"], conclusion, "{from}");
        }
        // Nobody supplies deployments: none of them is unknown, not proven.
        assert_eq!(procedure(&found, "deployment_authorised")["conclusion"], "cannot_conclude", "{from}");
    }
}

#[test]
fn dates_and_zones_that_are_none() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-09T10:00:00Z", ANN);
    let path = repository.shown();
    for (line, parts) in [
        (
            "--from 2025-02-01 --to 2025-01-01",
            &["ends on 2025-01-01, before it begins", "swap --from and --to"][..],
        ),
        ("--from 2025-02-30", &["`2025-02-30` is no date", "write it like"]),
        ("--to 2025-13-01", &["`2025-13-01` is no date"]),
        ("--to 0000-01-01", &["`0000-01-01` is no date"]),
        ("--from yesterday", &["`yesterday` is no date"]),
        ("--from 2025-01-01T12:00", &["is no date"]),
        ("--from 2999-01-01", &["begins on 2999-01-01, after today", "--to"]),
        ("--tz Mars/Base", &["`Mars/Base` is no time zone", "Europe/Berlin"]),
    ] {
        home.refuses(&format!("check {path} {line}"), parts);
    }
    let before = home.entries();
    assert_eq!(before, 1, "a typing error costs no collection");
    fs::write(home.workspace().join("tickmark.toml"), "time_zone = \"Mars/Base\"\n").unwrap();
    home.refuses(&format!("check {path}"), &["`Mars/Base` is no time zone"]);
    fs::remove_file(home.workspace().join("tickmark.toml")).unwrap();
    home.works();
}

#[test]
fn people_without_an_address_and_odd_bytes() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-02T10:00:00Z", ANN);
    // 2025-01-09T10:00:00Z and on.
    let review = "Reviewed-on: https://review.example.test/1\nReviewed-by:";
    let nameless = repository.raw(b"author Ann Lee <> 1736416800 +0000\ncommitter Ann Lee <> 1736416800 +0000\n\nno address\n\nReviewed-on: https://review.example.test/1\nReviewed-by: Bob Ray <bob@example.test>\n");
    let latin = repository.raw(
        &[b"author J\xf6rg <j\xf6rg@example.test> 1736416900 +0000\ncommitter J\xf6rg <j\xf6rg@example.test> 1736416900 +0000\nencoding ISO-8859-1\n\nGr\xfc\xdfe\n\n".as_slice(), review.as_bytes(), b" Bob Ray <bob@example.test>\n"].concat(),
    );
    let dateless = repository.raw(b"author <>\ncommitter X\n\n");
    let unreviewed = repository.raw(
        format!(
            "author {ANN} 1736417000 -1200\ncommitter {ANN} 1736417000 +1400\n\nwho\n\n{review} somebody\n"
        )
        .as_bytes(),
    );
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 5);
    assert_eq!(gaps(&found), Vec::<String>::new());
    let review = |id: &str| verdicts(&found, "change_independent_review", id);
    // Nobody knows whose work the first is: whether Bob is another person, a person has to say.
    assert_eq!(review(&nameless), "a needs_judgement, b no_evidence");
    assert_eq!(review(&latin), "a pass, b no_evidence");
    // A reviewer without an address is nobody who could be compared.
    assert_eq!(review(&unreviewed), "a needs_judgement, b no_evidence");
    assert!(!review(&dateless).contains("pass"), "{}", review(&dateless));
    let said = home.run(["check", &repository.shown(), "--all"].iter().chain(&JANUARY)).succeeded();
    assert!(said.contains("no address"), "{said}");
    home.holds();
}

#[test]
fn clocks_that_are_wrong_are_shown() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("one", "2025-01-10T10:00:00Z", ANN);
    let backdated = repository.commit("backdated", "2025-01-02T10:00:00Z", ANN);
    let future = repository.commit("from the future", "2099-06-01T00:00:00Z", BOB);
    let after = repository.commit("after it", "2025-01-11T10:00:00Z", ANN);
    let found = home.january(&repository);
    let items = procedure(&found, "change_tests")["items"].as_array().unwrap();
    let ids: Vec<&str> = items.iter().map(|i| i["item"].as_str().unwrap()).collect();
    assert!(ids.contains(&backdated.as_str()) && ids.contains(&after.as_str()), "{ids:?}");
    assert_eq!((&found["history"]["future"], &found["history"]["backdated"]), (&1.into(), &1.into()));
    let first = found["look_first"].as_array().unwrap();
    for (id, reason) in
        [(&future, "dated in the future"), (&backdated, "clock is wrong, or it was backdated")]
    {
        let entry = first.iter().find(|l| l["item"] == **id).unwrap_or_else(|| panic!("{first:?}"));
        assert!(entry["reason"].as_str().unwrap().contains(reason), "{entry}");
    }
    let said = home.run(["check", &repository.shown()].iter().chain(&JANUARY)).succeeded();
    assert!(said.contains("in the future") && said.contains("wrong clocks"), "{said}");
    // The same in the period that the plain command takes.
    let said = home.run(["check", &repository.shown()]).succeeded();
    assert!(said.contains("1 dated after they were collected"), "{said}");
    home.holds();
}

#[test]
fn an_octopus_is_one_change_with_every_author() {
    let home = Home::new();
    let repository = Repo::new();
    repository.commit("root", "2025-01-02T10:00:00Z", ANN);
    for (arm, who) in [("left", BOB), ("middle", "Di Orr <di@example.test>"), ("right", ANN)] {
        repository.git(&format!("checkout -q -b {arm} main"));
        repository.commit(arm, "2025-01-03T10:00:00Z", who);
    }
    repository.git("checkout -q main");
    let message =
        "all of it\n\nReviewed-on: https://review.example.test/1\nReviewed-by: Di Orr <di@example.test>";
    repository.git_as(
        &["merge", "-q", "--no-ff", "left", "middle", "right", "-m", message],
        "2025-01-04T10:00:00Z",
        "Cy Fox <cy@example.test>",
    );
    let id = repository.git("rev-parse HEAD");
    let found = home.january(&repository);
    assert_eq!(procedure(&found, "change_tests")["population"], 2);
    // Di wrote one of the arms.
    assert_eq!(verdicts(&found, "change_independent_review", &id), "a deviation, b no_evidence");
}

#[test]
fn replaced_objects_and_grafts_change_nothing() {
    let home = Home::new();
    let repository = Repo::new();
    let one =
        repository.commit("one\n\nReviewed-on: https://review.example.test/1", "2025-01-02T10:00:00Z", ANN);
    let kind = repository.commit(
        &format!("one\n\nReviewed-on: https://review.example.test/1\nReviewed-by: {BOB}"),
        "2025-01-02T10:00:00Z",
        ANN,
    );
    repository.git(&format!("reset -q --hard {one}"));
    repository.git(&format!("replace -f {one} {kind}"));
    fs::create_dir_all(repository.path().join(".git/info")).unwrap();
    fs::write(repository.path().join(".git/info/grafts"), format!("{one}\n")).unwrap();
    let found = home.january(&repository);
    assert_eq!(verdicts(&found, "change_independent_review", &one), "a deviation, b no_evidence");
    assert_eq!(procedure(&found, "change_tests")["population"], 1);
}
