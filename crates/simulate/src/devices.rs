//! Devices: who has them and whether they are managed (END-01), and how they are protected (END-02).

use crate::Case;
use crate::clock::{DAY, HOUR, SECOND};
use crate::company::{Company, Device, End, Posture};
use crate::people::{employment_of, hire, leaver};
use crate::rng::Rng;
use crate::training;
use crate::truth::{Seeded, seeded};

/// Days after somebody left within which their device is back.
const RETURN_DAYS: i64 = 14;
const GOOD: [Option<bool>; 4] = [Some(true); 4];

/// Everybody has one from the first day, managed and protected all the time, and gives it back within days after leaving.
pub(crate) fn base(c: &mut Company, rng: &mut Rng) {
    for employment in 0..c.employments.len() {
        if c.taken.contains(&about(employment)) {
            continue;
        }
        let them = c.employments[employment].clone();
        let to = match them.to {
            End::At(at) if at <= c.clock.cutoff => End::At(at + rng.between(0, 13) * DAY),
            _ => End::Never,
        };
        let device = issued(c, Some(them.person), them.from, to);
        // Reports follow each other without a break.
        let mut from = them.from;
        for _ in 0..rng.below(4) {
            let next = from + rng.between(20, 200) * DAY;
            if !to.after(next) || next > c.clock.cutoff {
                break;
            }
            reports(c, device, GOOD, from, End::At(next));
            from = next;
        }
        reports(c, device, GOOD, from, to);
    }
}

fn about(employment: usize) -> String {
    format!("device {employment}")
}

/// Another device; its place among all.
fn issued(c: &mut Company, person: Option<usize>, from: i64, to: End) -> usize {
    let number = c.devices.iter().map(|d| d.number + 1).max().unwrap_or(1);
    c.devices.push(Device { number, person, managed: Some(true), from, to });
    number
}

fn reports(c: &mut Company, device: usize, good: [Option<bool>; 4], from: i64, to: End) {
    c.postures.push(Posture { device, good, from, to });
}

/// What a device is called.
pub(crate) fn key(device: usize) -> String {
    format!("L-{device:04}")
}

pub(crate) const CASES: &[(&str, Case)] = &[
    ("unmanaged", unmanaged),
    ("fourteen-days", fourteen_days),
    ("handed-on", handed_on),
    ("holder-unknown", holder_unknown),
    ("off", off),
    ("off-for-days", off_for_days),
    ("not-reported", not_reported),
];

/// Somebody who has been here for long, of whose device the case speaks.
fn somebody(c: &mut Company, rng: &mut Rng) -> Option<(usize, i64)> {
    let from = c.clock.office_hours(rng, c.clock.from - 900 * DAY, c.clock.from - 100 * DAY)?;
    let person = hire(c, rng, from, "employee", &[1]);
    training::follow(c, rng, person);
    let employment = employment_of(c, person);
    c.take(about(employment)).then_some((person, from))
}

fn inventory(case: &'static str, device: usize, letters: &str, why: &str) -> Seeded {
    seeded(("END-01", "devices_managed", case), &key(device), letters, why)
}

fn posture(case: &'static str, device: usize, letters: &str, why: &str) -> Seeded {
    seeded(("END-02", "device_posture", case), &key(device), letters, why)
}

fn unmanaged(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((person, from)) = somebody(c, rng) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    reports(c, device, GOOD, from, End::Never);
    if let Some(last) = c.devices.last_mut() {
        last.managed = Some(false);
    }
    all.push(inventory("unmanaged", device, "dp", "their own, and never enrolled").last_day("dp"));
    let Some((person, _)) = somebody(c, rng) else { return all };
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let device = issued(c, Some(person), at, End::At(at + 2 * DAY));
    if let Some(last) = c.devices.last_mut() {
        last.managed = Some(false);
    }
    c.devices.push(Device {
        number: device,
        person: Some(person),
        managed: Some(true),
        from: at + 2 * DAY,
        to: End::Never,
    });
    reports(c, device, GOOD, at, End::Never);
    all.push(
        inventory("enrolled-late", device, "dp", "handed out two days before it was enrolled").last_day("pp"),
    );
    let Some((person, from)) = somebody(c, rng) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    reports(c, device, GOOD, from, End::Never);
    if let Some(last) = c.devices.last_mut() {
        last.managed = None;
    }
    all.push(
        inventory("managed-unknown", device, "np", "on the list, which does not say whether it is managed")
            .last_day("np"),
    );
    all
}

fn fourteen_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (late, letters, why) in [
        (Some(0), "pp", "given back fourteen days after they left, to the second"),
        (Some(SECOND), "pd", "given back a second later than that"),
        (None, "pd", "left months ago, and never gave it back"),
    ] {
        let Some((person, employment, at)) = leaver(c, rng, "employee", 25) else { return all };
        c.take(about(employment));
        let to = late.map_or(End::Never, |late| End::At(at + RETURN_DAYS * DAY + late));
        let from = c.employments[employment].from;
        let device = issued(c, Some(person), from, to);
        reports(c, device, GOOD, from, to);
        let said = inventory("fourteen-days", device, letters, why);
        all.push(if late.is_none() { said.last_day("pd") } else { said });
    }
    all
}

fn handed_on(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((person, employment, at)) = leaver(c, rng, "employee", 25) else { return vec![] };
    c.take(about(employment));
    let Some((next, _)) = somebody(c, rng) else { return vec![] };
    let from = c.employments[employment].from;
    let device = issued(c, Some(person), from, End::At(at + 3 * DAY));
    c.devices.push(Device {
        number: device,
        person: Some(next),
        managed: Some(true),
        from: at + 3 * DAY,
        to: End::Never,
    });
    reports(c, device, GOOD, from, End::Never);
    vec![
        inventory("handed-on", device, "pp", "given to somebody else three days after they left")
            .last_day("pp"),
    ]
}

fn holder_unknown(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let Some((_, from)) = somebody(c, rng) else { return vec![] };
    let device = issued(c, None, from, End::Never);
    reports(c, device, GOOD, from, End::Never);
    vec![
        inventory("holder-unknown", device, "pn", "managed, and nobody wrote down who has it").last_day("pn"),
    ]
}

fn off(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    for (place, letters, why) in [
        (0, "dppp", "its disk was never encrypted"),
        (1, "pdpp", "its screen stays open for hours"),
        (3, "pppd", "its system has not been patched for months"),
    ] {
        let Some((person, from)) = somebody(c, rng) else { return all };
        let device = issued(c, Some(person), from, End::Never);
        let mut good = GOOD;
        good[place] = Some(false);
        reports(c, device, good, from, End::Never);
        all.push(posture("off", device, letters, why).last_day(letters));
    }
    all
}

fn off_for_days(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((person, from)) = somebody(c, rng) else { return all };
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    let mut good = GOOD;
    good[2] = Some(false);
    reports(c, device, GOOD, from, End::At(at));
    reports(c, device, good, at, End::At(at + 3 * DAY));
    reports(c, device, GOOD, at + 3 * DAY, End::Never);
    let why = "protection was switched off for three days, and on again";
    all.push(posture("off-for-days", device, "ppdp", why).last_day("pppp"));
    let Some((person, from)) = somebody(c, rng) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    let (mut good, begin) = (GOOD, c.clock.from);
    good[0] = Some(false);
    reports(c, device, good, from, End::At(begin));
    reports(c, device, GOOD, begin, End::Never);
    let why = "its disk was encrypted in the instant in which the period began";
    all.push(posture("before-the-period", device, "pppp", why).last_day("pppp"));
    let Some((person, from)) = somebody(c, rng) else { return all };
    let Some(at) = c.clock.some_day(rng, 5, 10) else { return all };
    let device = issued(c, Some(person), from, End::At(at));
    reports(c, device, GOOD, from, End::At(at));
    reports(c, device, good, at, End::Never);
    all.push(posture("given-back", device, "pppp", "wiped when it was given back, and unprotected since"));
    let second = issued(c, Some(person), at, End::Never);
    reports(c, second, GOOD, at, End::Never);
    all.push(
        posture("its-successor", second, "pppp", "handed out when the other one was given back")
            .last_day("pppp"),
    );
    all
}

fn not_reported(c: &mut Company, rng: &mut Rng) -> Vec<Seeded> {
    let mut all = vec![];
    let Some((person, from)) = somebody(c, rng) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    all.push(
        posture("never-reported", device, "nnnn", "on the list, and it never reported").last_day("nnnn"),
    );
    let Some((person, from)) = somebody(c, rng) else { return all };
    let Some(at) = c.clock.some_day(rng, 5, 5) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    reports(c, device, GOOD, from, End::At(at));
    reports(c, device, GOOD, at + HOUR, End::Never);
    let why = "switched off for an hour in which nothing was reported";
    all.push(posture("silent-for-an-hour", device, "nnnn", why).last_day("pppp"));
    let Some((person, from)) = somebody(c, rng) else { return all };
    let device = issued(c, Some(person), from, End::Never);
    let mut good = GOOD;
    good[3] = None;
    reports(c, device, good, from, End::Never);
    all.push(
        posture("patches-unknown", device, "pppn", "reports everything but its patches").last_day("pppn"),
    );
    all
}
