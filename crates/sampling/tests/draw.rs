//! The protocol of docs/sampling.md: its script and its example give what we give, and picks stay where they are.
#![allow(clippy::unwrap_used, reason = "in a test a failure is a panic")]
#![allow(clippy::print_stdout, reason = "a test says what it skips")]

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use common::python;
use proptest::prelude::*;
use sampling::{Invalid, InvalidBecause, Named, Nonce, Numbers, Picks, Refused, Sample, Seed, Stratum};

fn page() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/sampling.md")).unwrap()
}

/// The first fenced block of the page that is marked as `kind`.
fn block<'a>(page: &'a str, kind: &str) -> &'a str {
    page.split(&format!("```{kind}\n")).nth(1).unwrap().split("```").next().unwrap()
}

/// The arguments of the script, and what they mean.
#[derive(Clone, Debug)]
struct Asked {
    root: [u8; 32],
    checkpoint: [u8; 32],
    nonce: Vec<u8>,
    rows: u64,
    picks: u64,
    systematic: u64,
    stratum: Option<String>,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 16).unwrap())
        .collect()
}

impl Asked {
    fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split_whitespace().collect();
        Self {
            root: bytes(words[0]).try_into().unwrap(),
            checkpoint: bytes(words[1]).try_into().unwrap(),
            nonce: bytes(words[2]),
            rows: words[3].parse().unwrap(),
            picks: words[4].parse().unwrap(),
            systematic: words[5].parse().unwrap(),
            stratum: words.get(6).map(|w| (*w).to_owned()),
        }
    }

    fn written(&self) -> String {
        let Self { rows, picks, systematic, .. } = self;
        let stratum = self.stratum.as_ref().map(|s| format!(" {s}")).unwrap_or_default();
        let [root, checkpoint, nonce] = [&self.root[..], &self.checkpoint, &self.nonce].map(hex);
        format!("{root} {checkpoint} {nonce} {rows} {picks} {systematic}{stratum}")
    }

    /// What we draw: a sample of some items, extended to all that are asked for.
    fn ours(&self) -> Vec<u64> {
        let mut seed = Seed::new(&self.root, &self.checkpoint, &Nonce::new(self.nonce.clone()).unwrap());
        if let Some(label) = &self.stratum {
            seed = seed.stratum(label);
        }
        let mut sample = if self.systematic > 0 {
            Sample::systematic(seed, self.rows, self.systematic).unwrap()
        } else {
            Sample::random(seed, self.rows, self.picks.div_ceil(2)).unwrap()
        };
        if sample.in_force().count() < self.picks as usize {
            sample.extend(self.picks).unwrap();
        }
        sample.in_force().map(|pick| pick.row).collect()
    }
}

#[test]
fn the_example_of_the_page() {
    let page = page();
    let example: Vec<&str> = block(&page, "console").lines().collect();
    assert_eq!(example.len(), 6);
    for pair in example.chunks(2) {
        let asked = Asked::read(pair[0].strip_prefix("$ python3 redraw.py ").unwrap());
        let expect: Vec<u64> = pair[1].split(' ').map(|w| w.parse().unwrap()).collect();
        assert_eq!(asked.ours(), expect, "{}", pair[0]);
        // And where every input and the seed comes from.
        let nonce = Nonce::new(asked.nonce.clone()).unwrap();
        assert!(page.contains(&hex(&nonce.hash())));
        assert!(page.contains(&hex(&Seed::new(&asked.root, &asked.checkpoint, &nonce).0)));
    }
}

#[test]
fn the_script_of_the_page_draws_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("redraw.py");
    let driver = folder.path().join("driver.py");
    fs::write(&script, block(&page(), "python")).unwrap();
    // The script as it stands, once a line of arguments.
    let drive = "import runpy, sys\nfor line in sys.stdin:\n    sys.argv = ['redraw.py'] + line.split()\n    \
                 runpy.run_path(sys.path[0] + '/redraw.py', run_name='__main__')\n    print('end')\n";
    fs::write(&driver, drive).unwrap();

    let mut cases = vec![];
    let mut bytes = Numbers::new(Seed([3; 32]), 256).map(|n| n as u8);
    let mut small = Numbers::new(Seed([4; 32]), 400);
    for case in 0..240 {
        let mut some = |count: usize| bytes.by_ref().take(count).collect::<Vec<u8>>();
        let mut number = || small.next().unwrap();
        let rows = match case % 4 {
            0 => 1 + number() % 8,
            1 => 1 + number(),
            2 => 1_000_003 * (1 + number()),
            // Half of all numbers are passed over.
            _ => (1 << 63) + 1 + number(),
        };
        let picks = (1 + number() % 60).min(rows);
        let systematic = if case % 3 == 1 { 1 + number() % picks } else { 0 };
        let stratum = (case % 5 == 2).then(|| format!("2025-Q{}/größe", case % 4 + 1));
        cases.push(Asked {
            root: some(32).try_into().unwrap(),
            checkpoint: some(32).try_into().unwrap(),
            nonce: some(16 + case % 49),
            rows,
            picks,
            systematic,
            stratum,
        });
    }
    let input: String = cases.iter().map(|c| c.written() + "\n").collect();
    let said = python(&["-X", "utf8", driver.to_str().unwrap()], &input);
    let Some(said) = said else { return };
    let answers: Vec<&str> = said.split_terminator("end\n").collect();
    assert_eq!(answers.len(), cases.len());
    for (asked, answer) in cases.iter().zip(answers) {
        let theirs: Vec<u64> = answer.lines().map(|l| l.parse().unwrap()).collect();
        assert_eq!(asked.ours(), theirs, "{asked:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_row_once_and_the_first_stay_first(seed in any::<[u8; 32]>(), rows in 1_u64..300) {
        let all: Vec<u64> = Picks::new(Seed(seed), rows).collect();
        prop_assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), (0..rows).collect());
        prop_assert_eq!(all.len() as u64, rows);
        let mut sample = Sample::random(Seed(seed), rows, 1 + rows / 3).unwrap();
        while sample.in_force().count() < all.len() {
            let more = sample.in_force().count() as u64 + 1;
            sample.extend(more).unwrap();
            let drawn: Vec<u64> = sample.in_force().map(|p| p.row).collect();
            prop_assert_eq!(&drawn[..], &all[..drawn.len()]);
        }
    }

    #[test]
    fn strata_keep_what_they_have(seed in any::<[u8; 32]>(), sizes in proptest::collection::vec(1_u64..90, 2..6)) {
        let mut from = 0;
        let mut strata = vec![];
        for (place, size) in sizes.iter().enumerate() {
            strata.push(Stratum { label: format!("s{place}"), rows: (from..from + size).collect() });
            from += size;
        }
        let mut sample = Sample::stratified(Seed(seed), strata.clone(), sizes.len() as u64).unwrap();
        for to in sizes.len() as u64 + 1..=from {
            let before = sample.clone();
            match sample.extend(to) {
                Ok(()) => prop_assert!(sample.in_force().count() as u64 >= to),
                // A stratum that kept more than its share made the sample larger before.
                Err(refused) => prop_assert_eq!(refused, Refused::NotMore { has: before.in_force().count() as u64 }),
            }
            for (part, was) in sample.parts.iter().zip(&before.parts) {
                prop_assert_eq!(&part.picks[..was.picks.len()], &was.picks[..]);
            }
        }
        for (part, stratum) in sample.parts.iter().zip(strata) {
            // Each by its own stream.
            let order = Picks::new(Seed(seed).stratum(&stratum.label), stratum.rows.len() as u64);
            let expect: Vec<u64> = order.map(|place| stratum.rows[place as usize]).collect();
            prop_assert_eq!(part.picks.iter().map(|p| p.row).collect::<Vec<_>>(), expect);
        }
    }
}

#[test]
fn no_row_is_favoured() {
    // 6,000 draws of two of six rows: each row in a third of them. Five times the standard deviation (36.5) is 183.
    let mut times = [0_i64; 6];
    for draw in 0_u64..6_000 {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&draw.to_be_bytes());
        Picks::new(Seed(seed), 6).take(2).for_each(|row| times[row as usize] += 1);
    }
    assert!(times.iter().all(|t| (t - 2_000).abs() < 183), "{times:?}");
}

fn void(reason: &str) -> Invalid {
    Invalid { because: InvalidBecause::Void, reason: reason.to_owned(), shown_by: 12 }
}

#[test]
fn a_replacement_is_the_next_of_the_same_stream() {
    let order: Vec<u64> = Picks::new(Seed([1; 32]), 100).collect();
    let mut sample = Sample::random(Seed([1; 32]), 100, 5).unwrap();
    assert_eq!(sample.replace(order[1], void("entered twice")), Ok(Some(order[5])));
    assert_eq!(sample.replace(order[5], void("that one too")), Ok(Some(order[6])), "a replacement, replaced");
    sample.extend(7).unwrap();
    let in_force: Vec<u64> = sample.in_force().map(|p| p.row).collect();
    assert_eq!(in_force, [0, 2, 3, 4, 6, 7, 8].map(|k: usize| order[k]));
    let all: Vec<u64> = sample.parts[0].picks.iter().map(|p| p.row).collect();
    assert_eq!(all, order[..9], "what was replaced is still listed, in its place");
    assert_eq!(sample.parts[0].picks[5].stands_for, Some(order[1]));
    assert_eq!(sample.parts[0].picks[1].invalid, Some(void("entered twice")));
}

#[test]
fn what_cannot_be_replaced() {
    let order: Vec<u64> = Picks::new(Seed([1; 32]), 3).collect();
    let mut sample = Sample::random(Seed([1; 32]), 3, 2).unwrap();
    assert_eq!(sample.replace(order[2], void("not drawn")), Err(Refused::NotDrawn(order[2])));
    assert_eq!(sample.replace(order[0], void(" ")), Err(Refused::NoReason(order[0])));
    assert_eq!(sample.replace(order[0], void("void")), Ok(Some(order[2])));
    assert_eq!(sample.replace(order[0], void("again")), Err(Refused::NotDrawn(order[0])));
    assert_eq!(sample.replace(order[1], void("void too")), Ok(None), "nothing is left to stand in");
    assert_eq!(sample.in_force().map(|p| p.row).collect::<Vec<_>>(), [order[2]]);
    let items = vec![Named { row: 1, reason: "the largest".to_owned() }];
    let mut named = Sample::named(false, 3, items).unwrap();
    assert_eq!(named.replace(1, void("void")), Err(Refused::NoStream));
    assert!(named.extend(2).is_err());
}

#[test]
fn what_is_no_draw() {
    let seed = Seed([0; 32]);
    assert_eq!(Sample::random(seed, 9, 0).unwrap_err(), Refused::Nothing);
    assert_eq!(Sample::random(seed, 9, 10).unwrap_err(), Refused::TooMany { asked: 10, rows: 9 });
    assert_eq!(Sample::systematic(seed, 0, 1).unwrap_err(), Refused::TooMany { asked: 1, rows: 0 });
    let mut sample = Sample::random(seed, 9, 3).unwrap();
    assert_eq!(sample.extend(3), Err(Refused::NotMore { has: 3 }));
    assert!(sample.extend(10).is_err());
    assert_eq!(sample.in_force().count(), 3, "a refused extension draws nothing");
    let stratum = |label: &str, rows: &[u64]| Stratum { label: label.to_owned(), rows: rows.to_vec() };
    for strata in [
        vec![stratum("a", &[0]), stratum("a", &[1])],
        vec![stratum("a", &[0]), stratum("b", &[0])],
        vec![stratum("a", &[1, 0])],
    ] {
        assert!(matches!(Sample::stratified(seed, strata, 1), Err(Refused::Strata(_))));
    }
    let item = |row, reason: &str| Named { row, reason: reason.to_owned() };
    let named = |items| Sample::named(false, 3, items).unwrap_err();
    assert_eq!(named(vec![]), Refused::Nothing);
    assert_eq!(named(vec![item(3, "why")]), Refused::NotDrawn(3));
    assert_eq!(named(vec![item(1, "")]), Refused::NoReason(1));
    assert_eq!(named(vec![item(1, "why"), item(1, "why")]), Refused::Twice(1));
}

#[test]
fn a_nonce_has_128_bits() {
    assert_eq!("00".repeat(15).parse::<Nonce>(), Err(Refused::Nonce(15)));
    assert_eq!("00".repeat(65).parse::<Nonce>(), Err(Refused::Nonce(65)));
    assert_eq!("0".repeat(33).parse::<Nonce>(), Err(Refused::NonceForm));
    assert_eq!("+0".repeat(16).parse::<Nonce>(), Err(Refused::NonceForm));
    assert_eq!("é0".repeat(16).parse::<Nonce>(), Err(Refused::NonceForm));
    let nonce: Nonce = "0F".repeat(16).parse().unwrap();
    assert_eq!(nonce.to_string(), "0f".repeat(16));
    // RFC 6234 and every tool: SHA-256 of sixteen zero bytes.
    let zeros: Nonce = "00".repeat(16).parse().unwrap();
    assert_eq!(hex(&zeros.hash()), "374708fff7719dd5979ec875d56cd2286f6d3cf7ec317a3b25632aab28ec37bb");
}
