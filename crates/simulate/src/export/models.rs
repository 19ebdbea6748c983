//! What the training pipeline, the register of models and the log of inferences would export.

use crate::changes::at_hub;
use crate::company::Company;
use crate::export::{At, File, Sheet};

/// Every file of models, in an order in which they can be imported.
pub(crate) fn files(c: &Company) -> Vec<File> {
    vec![versions(c), measured(c), approvals(c), inputs(c), checks(c), logs(c)]
}

fn versions(c: &Company) -> File {
    let mapping = "key = \"Version\"\n[columns]\nlabel = \"Version\"\ntrained_by = { column = \"By\", system = \"hub\" }\nreleased_at = \"Served\"\n";
    let mut sheet = Sheet::new(c, "models", "model_version", "Version,By,Served", mapping);
    for v in c.models.versions.iter().filter(|v| v.at <= c.clock.cutoff) {
        sheet.line(&[&v.key, &at_hub(c, v.by), &At(v.at)]);
    }
    sheet.done()
}

fn measured(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nmodel_version = { column = \"Version\", kind = \"model_version\" }\nmetric = \"Metric\"\nvalue = \"Value\"\n\
                   threshold = \"Threshold\"\nbetter = { constant = \"higher\" }\ndone_at = \"At\"\n";
    let header = "Id,Version,Metric,Value,Threshold,At";
    let mut sheet = Sheet::new(c, "model_measurements", "model_evaluation", header, mapping);
    for v in &c.models.versions {
        for (number, (metric, value, threshold, at)) in (1..).zip(&v.measured) {
            if *at <= c.clock.cutoff {
                sheet.line(&[&format!("{}-E{number}", v.key), &v.key, metric, value, threshold, &At(*at)]);
            }
        }
    }
    sheet.done()
}

fn approvals(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\nmodel_version = { column = \"Version\", kind = \"model_version\" }\n\
                   approver = { column = \"By\", system = \"hub\" }\nstatus = \"Decision\"\napproved_at = \"At\"\n";
    let mut sheet = Sheet::new(c, "model_approvals", "model_approval", "Id,Version,By,Decision,At", mapping);
    for v in &c.models.versions {
        for (number, (by, yes, at)) in (1..).zip(&v.approved) {
            if *at <= c.clock.cutoff {
                let decision = if *yes { "approved" } else { "rejected" };
                sheet.line(&[&format!("{}-A{number}", v.key), &v.key, &at_hub(c, *by), &decision, &At(*at)]);
            }
        }
    }
    sheet.done()
}

fn inputs(c: &Company) -> File {
    let mapping = "key = \"Set\"\n[columns]\nlabel = \"Set\"\ndataset = { column = \"Set\", kind = \"dataset\" }\nused_at = \"Used\"\ndigest = \"Digest\"\n";
    let mut sheet = Sheet::new(c, "training_sets", "training_input", "Set,Used,Digest", mapping);
    for i in c.models.inputs.iter().filter(|i| i.at <= c.clock.cutoff) {
        sheet.line(&[&i.key, &At(i.at), &i.digest]);
    }
    sheet.done()
}

fn checks(c: &Company) -> File {
    let mapping = "key = \"Id\"\n[columns]\ndataset = { column = \"Set\", kind = \"dataset\" }\nkind = \"What\"\nresult = \"Result\"\nchecked_at = \"At\"\n";
    let mut sheet = Sheet::new(c, "data_checks", "dataset_check", "Id,Set,What,Result,At", mapping);
    for i in &c.models.inputs {
        for (number, (kind, passed, at)) in (1..).zip(&i.checks) {
            if *at <= c.clock.cutoff {
                let result = passed.map(|passed| if passed { "passed" } else { "failed" });
                sheet.line(&[&format!("{}-K{number}", i.key), &i.key, kind, &result, &At(*at)]);
            }
        }
    }
    sheet.done()
}

fn logs(c: &Company) -> File {
    let mapping = "key = \"Stretch\"\n[columns]\nlabel = \"Stretch\"\nservice = { column = \"Service\", kind = \"service\" }\nended_at = \"Ended\"\n\
                   first_number = \"First\"\nlast_number = \"Last\"\nentries = \"Entries\"\nunversioned = \"Unversioned\"\n";
    let header = "Stretch,Service,Ended,First,Last,Entries,Unversioned";
    let mut sheet = Sheet::new(c, "answers", "inference_log", header, mapping);
    for l in c.models.logs.iter().filter(|l| l.at <= c.clock.cutoff) {
        sheet.line(&[&l.key, &l.service, &At(l.at), &l.first, &l.last, &l.entries, &l.unversioned]);
    }
    sheet.done()
}
