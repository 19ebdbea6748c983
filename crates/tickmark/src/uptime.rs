//! For how long a control held, as people read it.

use app::{IntervalReport, ProcedureReport, UptimeReport};
use model::Period;

use crate::failure::Failure;
use crate::output::{line, plain};

/// Intervals that are shown one by one; of more only how many there are.
const SHOWN: usize = 3;

/// Sums of a control and of the items that were down: up, down, unknown, and when it was down.
pub(crate) fn print_uptime(
    procedure: &ProcedureReport,
    uptime: &UptimeReport,
    period: &Period,
) -> Result<(), Failure> {
    // That all of it is unknown, the verdicts say already.
    if procedure.population == 0 || uptime.up_ms + uptime.down_ms == 0 {
        return Ok(());
    }
    line(&format!("  {}", sums(uptime, &period.tz)))?;
    let down: Vec<_> = uptime.items.iter().filter(|item| item.uptime.down_ms > 0).collect();
    if uptime.items.len() > 1 {
        for item in down.iter().take(SHOWN) {
            let label =
                procedure.items.iter().find(|i| i.record == item.record).map_or(&item.item, |i| &i.label);
            line(&format!("    {}: {}", plain(label), sums(&item.uptime, &period.tz)))?;
        }
        if down.len() > SHOWN {
            line(&format!("    and {} more that were down: --json has everything", down.len() - SHOWN))?;
        }
    }
    Ok(())
}

fn sums(uptime: &UptimeReport, tz: &str) -> String {
    let mut parts = vec![format!("up {}", lasted(uptime.up_ms))];
    if uptime.down_ms > 0 {
        let down: Vec<&IntervalReport> = uptime.intervals.iter().filter(|i| i.state == "down").collect();
        let when = match down.len() {
            n if n > SHOWN => format!("{n} times"),
            _ => down.iter().map(|i| when(i, tz)).collect::<Vec<_>>().join("; "),
        };
        parts.push(format!("down {} ({when})", lasted(uptime.down_ms)));
    } else {
        parts.push(format!("down {}", lasted(0)));
    }
    parts.push(format!("unknown {}", lasted(uptime.unknown_ms)));
    if uptime.not_applicable_ms > 0 {
        parts.push(format!("nothing to hold {}", lasted(uptime.not_applicable_ms)));
    }
    parts.join(", ")
}

/// `2025-03-12 10:00 to 13:00`, in the period's zone.
fn when(interval: &IntervalReport, tz: &str) -> String {
    let (from, to) = (interval.from.date_in(tz), interval.to.date_in(tz));
    let to_clock = interval.to.clock_in(tz);
    let end = if from == to { to_clock } else { format!("{to} {to_clock}") };
    format!("{from} {} to {end}", interval.from.clock_in(tz))
}

/// `361 d 4 h`: the two greatest units.
fn lasted(ms: i64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"), (1, "ms")];
    let mut rest = ms;
    let mut parts = vec![];
    for (unit, name) in units {
        let n = rest / unit;
        rest %= unit;
        if n > 0 {
            parts.push(format!("{n} {name}"));
        } else if !parts.is_empty() {
            break;
        }
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() { "0".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use model::Instant;

    use super::*;

    #[test]
    fn lengths_are_said_in_their_two_greatest_units() {
        for (ms, said) in [
            (0, "0"),
            (1, "1 ms"),
            (10_800_000, "3 h"),
            (361 * 86_400_000 + 4 * 3_600_000 + 59_000, "361 d 4 h"),
            (86_400_000 + 60_000, "1 d"),
            (61_000, "1 min 1 s"),
        ] {
            assert_eq!(lasted(ms), said);
        }
    }

    #[test]
    fn the_clock_is_that_of_the_zone_also_when_it_changes() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        // 2 November 2025: New York goes from 02:00 EDT back to 01:00 EST.
        assert_eq!(at("2025-11-02T18:00:00Z").clock_in("America/New_York"), "13:00");
        assert_eq!(at("2025-03-12T10:00:30Z").clock_in("UTC"), "10:00:30");
    }
}
