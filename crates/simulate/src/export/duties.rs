//! What the personnel system would export of people's duties: the chart, appraisals, what jobs need, checklists.

use crate::company::Company;
use crate::duties::NEEDS;
use crate::export::{At, FOREVER, File, Sheet};
use crate::monitoring::actor;

/// Every file of duties, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![lines(c), appraisals(c), needs(c), tasks(c)]
}

fn lines(c: &Company) -> File {
    let mapping = format!(
        "key = \"Id\"\n[columns]\naccount = {{ column = \"Number\", system = \"hr\" }}\nmanager = {{ column = \"Manager\", system = \"idp\" }}\n\
         leads = \"Leads\"\nvalid_from = \"From\"\nvalid_to = {{ column = \"To\", {FOREVER} }}\n"
    );
    let header = "Id,Number,Manager,Leads,From,To";
    let mut sheet = Sheet::new(c, "chart", "reporting_line", header, &mapping);
    for (number, line) in (1..).zip(&c.duties.lines) {
        if line.from <= c.clock.cutoff {
            sheet.line(&[
                &format!("RL-{number}"),
                &c.people[line.person].number,
                &line.manager.map(|manager| actor(c, manager)),
                &line.leads,
                &At(line.from),
                &line.to,
            ]);
        }
    }
    sheet.done()
}

fn appraisals(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\naccount = { column = \"Number\", system = \"hr\" }\ndone_at = \"Done\"\n\
                   done_by = { column = \"By\", system = \"idp\" }\nrecorded_at = \"Recorded\"\n";
    let mut sheet = Sheet::new(c, "appraisals", "appraisal", "Id,Number,Done,By,Recorded", mapping);
    for (number, one) in (1..).zip(&c.duties.appraisals) {
        if one.at <= c.clock.cutoff {
            sheet.line(&[
                &format!("AP-{number}"),
                &c.people[one.person].number,
                &At(one.at),
                &one.by.map(|by| actor(c, by)),
                &At(one.recorded),
            ]);
        }
    }
    sheet.done()
}

fn needs(c: &Company) -> File {
    let mapping = "key = [\"Job\", \"Course\"]\n[columns]\njob = { column = \"Job\", kind = \"position\" }\ncourse = \"Course\"\n\
                   valid_from = \"From\"\nvalid_to = { constant = \"forever\" }\n";
    let mut sheet = Sheet::new(c, "role_courses", "role_course", "Job,Course,From", mapping);
    for (job, course) in NEEDS {
        sheet.line(&[job, course, &At(c.clock.kept_since)]);
    }
    sheet.done()
}

fn tasks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nemployment = { column = \"Employment\", kind = \"employment\" }\nphase = \"Phase\"\nlabel = \"Task\"\n\
                   asset = \"Thing\"\nstate = \"State\"\ndone_at = \"Done\"\n";
    let header = "Id,Employment,Phase,Task,Thing,State,Done";
    let mut sheet = Sheet::new(c, "checklists", "checklist_task", header, mapping);
    for (number, task) in (1..).zip(&c.duties.tasks) {
        let state = if task.done.is_some_and(|at| at > c.clock.cutoff) { "open" } else { task.state };
        sheet.line(&[
            &format!("CT-{number}"),
            &c.employments[task.employment].key,
            &if task.leaving { "leaving" } else { "joining" },
            &task.label,
            &task.asset,
            &state,
            &task.done.map(At),
        ]);
    }
    sheet.done()
}
