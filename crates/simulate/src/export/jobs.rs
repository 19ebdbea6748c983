//! What the scheduler, and what counts beside it, would export.

use crate::company::Company;
use crate::export::{At, FOREVER, File, Sheet, done as by_then};

/// Every file of processing, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![pipelines(c), runs(c), tries(c), sums(c), inputs(c)]
}

fn pipelines(c: &Company) -> File {
    let mapping = format!(
        "key = \"Pipeline\"\n[columns]\nlabel = \"Pipeline\"\nordered = \"Ordered\"\nvalid_from = \"From\"\n\
         valid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let mut sheet = Sheet::new(c, "pipelines", "pipeline", "Pipeline,Ordered,From,To", &mapping);
    for p in &c.processing.pipelines {
        sheet.line(&[&p.key, &p.ordered, &At(c.clock.kept_since), &p.to]);
    }
    sheet.done()
}

fn runs(c: &Company) -> File {
    let mapping = "key = \"Run\"\n[columns]\nlabel = \"Run\"\npipeline = { column = \"Pipeline\", kind = \"pipeline\" }\n\
                   covers_from = \"From\"\ncovers_to = \"To\"\ndue_at = \"Due\"\ndelivered = \"Delivered\"\n\
                   replaces = { column = \"Instead of\", kind = \"job_run\" }\n";
    let header = "Run,Pipeline,From,To,Due,Delivered,Instead of";
    let mut sheet = Sheet::new(c, "job_runs", "job_run", header, mapping);
    for r in &c.processing.runs {
        let pipeline = &c.processing.pipelines[r.pipeline].key;
        let due = crate::export::Agreed(crate::company::End::At(r.due()));
        sheet.line(&[&r.key, pipeline, &At(r.from), &At(r.to), &due, &r.delivered, &r.replaces]);
    }
    sheet.done()
}

fn tries(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrun = { column = \"Run\", kind = \"job_run\" }\nstarted_at = \"Began\"\nended_at = \"Ended\"\n\
                   result = \"Result\"\nalert = { column = \"Alert\", kind = \"alert\" }\n";
    let mut sheet = Sheet::new(c, "job_tries", "job_attempt", "Id,Run,Began,Ended,Result,Alert", mapping);
    for r in &c.processing.runs {
        for (number, t) in (1..).zip(&r.tries) {
            if t.from <= c.clock.cutoff {
                let over = t.to <= c.clock.cutoff;
                let result = if over { t.result } else { "running" };
                let id = format!("{}-T{number}", r.key);
                sheet.line(&[
                    &id,
                    &r.key,
                    &At(t.from),
                    &At(t.to),
                    &result,
                    &t.alert.as_ref().filter(|_| over).cloned(),
                ]);
            }
        }
    }
    sheet.done()
}

fn sums(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrun = { column = \"Run\", kind = \"job_run\" }\nmeasure = { constant = \"rows\" }\n\
                   in_value = \"In\"\nout_value = \"Out\"\ntolerance = \"Tolerance\"\ndone_at = \"Done\"\nresolution = \"Why\"\n\
                   resolved_at = \"Settled\"\nresolved_by = { column = \"By\", system = \"idp\" }\n";
    let header = "Id,Run,In,Out,Tolerance,Done,Why,Settled,By";
    let mut sheet = Sheet::new(c, "sums", "reconciliation", header, mapping);
    for r in &c.processing.runs {
        for (number, s) in (1..).zip(&r.sums) {
            if s.at <= c.clock.cutoff {
                let (settled, by) = by_then(c, s.settled.map(|(at, who, _)| (at, who)));
                let why = s.settled.filter(|(at, ..)| *at <= c.clock.cutoff).map(|(.., word)| word);
                let id = format!("{}-S{number}", r.key);
                sheet.line(&[
                    &id,
                    &r.key,
                    &s.went_in,
                    &s.came_out,
                    &s.tolerance,
                    &At(s.at),
                    &why,
                    &settled,
                    &by,
                ]);
            }
        }
    }
    sheet.done()
}

fn inputs(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nrun = { column = \"Run\", kind = \"job_run\" }\nchecked_at = \"Checked\"\nreceived = \"In\"\n\
                   accepted = \"Taken\"\nrejected = \"Turned down\"\nresolved = \"Mended\"\nresolved_at = \"Last\"\n";
    let header = "Id,Run,Checked,In,Taken,Turned down,Mended,Last";
    let mut sheet = Sheet::new(c, "inputs", "input_check", header, mapping);
    for r in &c.processing.runs {
        for (number, i) in (1..).zip(&r.inputs) {
            if i.at <= c.clock.cutoff {
                // What is not mended by now is counted as none.
                let mended = i.mended.filter(|(_, at)| *at <= c.clock.cutoff);
                let id = format!("{}-I{number}", r.key);
                let (many, last) = (mended.map_or(0, |(many, _)| many), mended.map(|(_, at)| At(at)));
                sheet.line(&[&id, &r.key, &At(i.at), &i.received, &i.accepted, &i.rejected, &many, &last]);
            }
        }
    }
    sheet.done()
}
