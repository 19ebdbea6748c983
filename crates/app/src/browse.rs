//! The catalogue, to be read from every side: from criteria to what feeds their tests, and back. Nothing is judged here.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Catalog, Control, Crosswalk, Origin, Parameter, ParameterType, Procedure};
use model::{ColumnType, Table, Value};
use serde::Serialize;

use crate::criteria::MappedTo;

/// A criterion, and what stands behind it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CriterionEntry {
    /// Its number.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its category.
    pub category: &'static str,
    /// Controls that answer to it.
    pub controls: Vec<MappedTo>,
    /// Procedures that test them.
    pub procedures: Vec<String>,
    /// Tables that those read.
    pub tables: Vec<String>,
    /// What feeds the tables.
    pub fed_by: Vec<String>,
}

/// A control, as the content has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ControlEntry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is done.
    pub statement: String,
    /// Criteria it answers to.
    pub criteria: Vec<MappedTo>,
    /// The role that owns it.
    pub owner_role: String,
    /// How often it operates.
    pub frequency: Vec<&'static str>,
    /// `auto`, `hybrid` or `manual`.
    pub mode: &'static str,
    /// What a person gathers for it.
    pub evidence: Vec<EvidenceEntry>,
    /// Procedures that test it.
    pub procedures: Vec<String>,
    /// Tables that those read.
    pub tables: Vec<String>,
    /// What feeds the tables.
    pub fed_by: Vec<String>,
    /// Policies that it stands in.
    pub policies: Vec<String>,
    /// Numbers of ISO/IEC 27001:2022 that are about the same.
    pub iso: Vec<String>,
    /// Numbers of 45 CFR 164 that are about the same.
    pub hipaa: Vec<String>,
    /// `built_in`, or `workspace` where a file of the workspace says it.
    pub origin: &'static str,
    /// Why nothing can be concluded of it, whatever its procedures say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub in_doubt: Vec<String>,
}

/// Something that a person gathers for a control.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct EvidenceEntry {
    /// What it is.
    pub what: String,
    /// How often.
    pub every: Vec<&'static str>,
    /// By whom.
    pub by: String,
}

impl EvidenceEntry {
    pub(crate) fn of(control: &Control) -> Vec<Self> {
        let one = |e: &catalog::Evidence| Self {
            what: e.what.clone(),
            every: e.every.iter().map(|f| f.word()).collect(),
            by: e.by.clone(),
        };
        control.evidence.iter().map(one).collect()
    }
}

/// A procedure, as the content has it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ProcedureEntry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls it tests.
    pub controls: Vec<String>,
    /// Criteria that those answer to.
    pub criteria: Vec<String>,
    /// The population, in a sentence.
    pub population: String,
    /// What it tests of each item, by letter.
    pub attributes: BTreeMap<String, String>,
    /// Its parameters.
    pub parameters: Vec<ParameterEntry>,
    /// Tables it reads.
    pub tables: Vec<String>,
    /// What feeds them.
    pub fed_by: Vec<String>,
    /// Tables that nothing feeds: what rests on them cannot be concluded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fed_by_nothing: Vec<String>,
    /// What to do about deviations.
    pub how_to_fix: String,
    /// `built_in` or `workspace`.
    pub origin: &'static str,
}

/// A parameter of a procedure.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ParameterEntry {
    /// Its name.
    pub name: String,
    /// `integer`, `text` or `flag`.
    pub kind: &'static str,
    /// Its value when nothing else is said.
    pub default: Value,
    /// Least value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Greatest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// What it means.
    pub doc: String,
}

/// A record table, and who reads it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct TableEntry {
    /// Its name.
    pub name: String,
    /// `event`, `state` or `relation`.
    pub kind: &'static str,
    /// What a row is.
    pub doc: String,
    /// Its columns, in their order.
    pub columns: Vec<ColumnEntry>,
    /// What feeds it.
    pub fed_by: Vec<String>,
    /// Procedures that read it.
    pub procedures: Vec<String>,
    /// Controls that those test.
    pub controls: Vec<String>,
}

/// A column of a record table.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct ColumnEntry {
    /// Its name.
    pub name: String,
    /// `integer`, `instant`, `flag`, `text`, `account` or `entity`.
    pub kind: &'static str,
    /// Whether it may be unknown.
    pub nullable: bool,
    /// The words it may hold, where only these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// What it means.
    pub doc: String,
}

/// A choice of categories.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PresetEntry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Whom it suits, and why.
    pub for_whom: String,
    /// The categories.
    pub categories: Vec<String>,
    /// Kinds of service it is the usual choice of.
    pub service_types: Vec<String>,
    /// How many criteria it comes to.
    pub criteria: usize,
    /// How many controls answer to those.
    pub controls: usize,
}

/// A strand of work on the way to a first report.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WorkstreamEntry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What is different when it is done.
    pub outcome: String,
    /// Its steps, one after the other.
    pub steps: Vec<WorkstreamStepEntry>,
}

/// A step of a strand of work.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WorkstreamStepEntry {
    /// What is done.
    pub does: String,
    /// Controls that hold once it is.
    pub controls: Vec<String>,
}

/// A template of a policy.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct PolicyEntry {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Controls that it puts into words.
    pub controls: Vec<String>,
}

/// What carries over to another framework.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Crossed {
    /// `iso` or `hipaa`.
    pub framework: String,
    /// What it is called.
    pub title: String,
    /// What this says, and what it leaves to others.
    pub note: String,
    /// Every number of it.
    pub numbers: Vec<Carried>,
}

/// A number of another framework, and what is gathered here for the same topic.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Carried {
    /// The number.
    pub id: String,
    /// The part of the framework it stands in.
    pub group: String,
    /// Short title of our own.
    pub title: String,
    /// Controls whose evidence carries over.
    pub controls: Vec<String>,
    /// Procedures that test them.
    pub procedures: Vec<String>,
    /// Controls of these that no procedure tests: their evidence is gathered by hand.
    pub by_hand: Vec<String>,
    /// Whether no control here is about it.
    pub uncovered: bool,
    /// What remains to be done for it.
    pub remains: String,
}

const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::BuiltIn => "built_in",
        Origin::Workspace => "workspace",
    }
}

/// Names, sorted and each once.
fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

fn tables_of<'c>(procedures: &[&'c Procedure]) -> Vec<&'c str> {
    procedures.iter().flat_map(|p| p.tables.iter().map(|t| t.name.as_str())).collect()
}

fn feeding<'c>(catalog: &'c Catalog, tables: &[&str]) -> impl Iterator<Item = &'c str> {
    let of: Vec<&Table> = tables.iter().filter_map(|name| catalog.table(name)).collect();
    of.into_iter().flat_map(|t| t.fed_by.iter().map(String::as_str))
}

/// Every criterion, with everything that stands behind it.
#[must_use]
pub fn browse_criteria(catalog: &Catalog) -> Vec<CriterionEntry> {
    let one = |criterion: &catalog::Criterion| {
        let answering: Vec<&Control> = catalog.controls_of(&criterion.id).collect();
        let procedures: Vec<&Procedure> =
            answering.iter().flat_map(|control| catalog.procedures_of(&control.id)).collect();
        let tables = tables_of(&procedures);
        CriterionEntry {
            id: criterion.id.clone(),
            title: criterion.title.clone(),
            category: criterion.category(),
            controls: answering
                .iter()
                .map(|c| MappedTo { id: c.id.clone(), key: c.key.contains(&criterion.id) })
                .collect(),
            procedures: once(procedures.iter().map(|p| p.id.as_str())),
            fed_by: once(feeding(catalog, &tables)),
            tables: once(tables.into_iter()),
        }
    };
    catalog.criteria.iter().map(one).collect()
}

/// Every control.
#[must_use]
pub fn browse_controls(catalog: &Catalog) -> Vec<ControlEntry> {
    let one = |control: &Control| {
        let procedures: Vec<&Procedure> = catalog.procedures_of(&control.id).collect();
        let tables = tables_of(&procedures);
        ControlEntry {
            id: control.id.clone(),
            title: control.title.clone(),
            statement: control.statement.clone(),
            criteria: control
                .criteria
                .iter()
                .map(|id| MappedTo { id: id.clone(), key: control.key.contains(id) })
                .collect(),
            owner_role: control.owner_role.clone(),
            frequency: control.frequency.iter().map(|f| f.word()).collect(),
            mode: control.mode.word(),
            evidence: EvidenceEntry::of(control),
            procedures: once(procedures.iter().map(|p| p.id.as_str())),
            fed_by: once(feeding(catalog, &tables)),
            tables: once(tables.into_iter()),
            policies: catalog
                .policies
                .values()
                .filter(|p| p.controls.contains(&control.id))
                .map(|p| p.id.clone())
                .collect(),
            iso: control.references("iso").to_vec(),
            hipaa: control.references("hipaa").to_vec(),
            origin: origin(control.origin),
            in_doubt: catalog.in_doubt.get(&control.id).cloned().unwrap_or_default(),
        }
    };
    catalog.controls.values().map(one).collect()
}

/// Every procedure.
#[must_use]
pub fn browse_procedures(catalog: &Catalog) -> Vec<ProcedureEntry> {
    let one = |procedure: &Procedure| {
        let tables = tables_of(&[procedure]);
        let criteria = procedure.controls.iter().filter_map(|c| catalog.controls.get(c));
        let unfed = |name: &&&str| catalog.table(name).is_some_and(|t| t.fed_by.is_empty());
        ProcedureEntry {
            id: procedure.id.clone(),
            title: procedure.title.clone(),
            controls: procedure.controls.clone(),
            criteria: once(criteria.flat_map(|c| c.criteria.iter().map(String::as_str))),
            population: procedure.population.clone(),
            attributes: procedure.attributes.iter().map(|a| (a.letter.clone(), a.says.clone())).collect(),
            parameters: procedure.parameters.values().map(parameter).collect(),
            fed_by: once(feeding(catalog, &tables)),
            fed_by_nothing: once(tables.iter().filter(unfed).copied()),
            tables: once(tables.into_iter()),
            how_to_fix: procedure.how_to_fix.clone(),
            origin: origin(procedure.origin),
        }
    };
    catalog.procedures.values().map(one).collect()
}

fn parameter(parameter: &Parameter) -> ParameterEntry {
    ParameterEntry {
        name: parameter.name.clone(),
        kind: match parameter.kind {
            ParameterType::Integer => "integer",
            ParameterType::Text => "text",
            ParameterType::Flag => "flag",
        },
        default: parameter.default.clone(),
        min: parameter.min,
        max: parameter.max,
        doc: parameter.doc.clone(),
    }
}

/// Every record table.
#[must_use]
pub fn browse_tables(catalog: &Catalog) -> Vec<TableEntry> {
    let one = |table: &Table| {
        let readers: Vec<&Procedure> = catalog
            .procedures
            .values()
            .filter(|p| p.tables.iter().any(|used| used.name == table.name))
            .collect();
        TableEntry {
            name: table.name.clone(),
            kind: match table.kind {
                model::TableKind::Event => "event",
                model::TableKind::State => "state",
                model::TableKind::Relation => "relation",
            },
            doc: table.doc.clone(),
            columns: table.columns.iter().map(column).collect(),
            fed_by: table.fed_by.clone(),
            procedures: once(readers.iter().map(|p| p.id.as_str())),
            controls: once(readers.iter().flat_map(|p| p.controls.iter().map(String::as_str))),
        }
    };
    catalog.tables.iter().map(one).collect()
}

fn column(column: &model::Column) -> ColumnEntry {
    ColumnEntry {
        name: column.name.clone(),
        kind: match column.kind {
            ColumnType::Integer => "integer",
            ColumnType::Instant => "instant",
            ColumnType::Flag => "flag",
            ColumnType::Text => "text",
            ColumnType::Account => "account",
            ColumnType::Entity => "entity",
        },
        nullable: column.nullable,
        words: column.words.clone(),
        doc: column.doc.clone(),
    }
}

/// Every choice of categories, with what it comes to.
#[must_use]
pub fn browse_presets(catalog: &Catalog) -> Vec<PresetEntry> {
    let one = |preset: &catalog::Preset| {
        let chosen = |category: &str| {
            let word = category.to_lowercase().replace(' ', "_");
            preset.categories.contains(&word)
        };
        let criteria: BTreeSet<&str> =
            catalog.criteria.iter().filter(|c| chosen(c.category())).map(|c| c.id.as_str()).collect();
        let answers = |c: &&Control| c.criteria.iter().any(|id| criteria.contains(id.as_str()));
        PresetEntry {
            id: preset.id.clone(),
            title: preset.title.clone(),
            for_whom: preset.for_whom.clone(),
            categories: preset.categories.clone(),
            service_types: preset.service_types.clone(),
            criteria: criteria.len(),
            controls: catalog.controls.values().filter(answers).count(),
        }
    };
    catalog.presets.values().map(one).collect()
}

/// Every strand of work.
#[must_use]
pub fn browse_workstreams(catalog: &Catalog) -> Vec<WorkstreamEntry> {
    let step = |step: &catalog::WorkstreamStep| WorkstreamStepEntry {
        does: step.does.clone(),
        controls: step.controls.clone(),
    };
    let one = |stream: &catalog::Workstream| WorkstreamEntry {
        id: stream.id.clone(),
        title: stream.title.clone(),
        outcome: stream.outcome.clone(),
        steps: stream.steps.iter().map(step).collect(),
    };
    catalog.workstreams.values().map(one).collect()
}

/// Every template of a policy.
#[must_use]
pub fn browse_policies(catalog: &Catalog) -> Vec<PolicyEntry> {
    let one = |policy: &catalog::Policy| PolicyEntry {
        id: policy.id.clone(),
        title: policy.title.clone(),
        controls: policy.controls.clone(),
    };
    catalog.policies.values().map(one).collect()
}

/// Which evidence carries over to another framework, number by number, and what remains.
#[must_use]
pub fn crossed(catalog: &Catalog, crosswalk: &Crosswalk) -> Crossed {
    let mut about: BTreeMap<&str, Vec<&Control>> = BTreeMap::new();
    for control in catalog.controls.values() {
        for number in control.references(&crosswalk.id) {
            about.entry(number).or_default().push(control);
        }
    }
    let carried = |reference: &catalog::Reference| {
        let controls = about.get(reference.id.as_str()).map_or(&[][..], Vec::as_slice);
        let procedures =
            once(controls.iter().flat_map(|c| catalog.procedures_of(&c.id).map(|p| p.id.as_str())));
        let by_hand: Vec<String> = controls
            .iter()
            .filter(|c| catalog.procedures_of(&c.id).next().is_none())
            .map(|c| c.id.clone())
            .collect();
        let remains = if controls.is_empty() {
            "no control here is about it: it needs one of its own, or a reason why it does not apply"
        } else if procedures.is_empty() {
            "nothing tests it: evidence is gathered by hand, and whether it is enough is for a person to say"
        } else if by_hand.is_empty() {
            "what is asked beyond the controls' statements"
        } else {
            "evidence by hand for what no procedure tests, and what is asked beyond the controls' statements"
        };
        Carried {
            id: reference.id.clone(),
            group: reference.group.clone(),
            title: reference.title.clone(),
            controls: controls.iter().map(|c| c.id.clone()).collect(),
            procedures,
            by_hand,
            uncovered: controls.is_empty(),
            remains: remains.to_owned(),
        }
    };
    Crossed {
        framework: crosswalk.id.clone(),
        title: crosswalk.title.clone(),
        note: crosswalk.note.clone(),
        numbers: crosswalk.references.iter().map(carried).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_through_the_catalogue_has_a_way_back() {
        let (catalog, _) = Catalog::built_in();
        let (controls, procedures, tables) =
            (browse_controls(&catalog), browse_procedures(&catalog), browse_tables(&catalog));
        for criterion in browse_criteria(&catalog) {
            for mapped in &criterion.controls {
                let control = controls.iter().find(|c| c.id == mapped.id).unwrap();
                assert!(control.criteria.iter().any(|c| c.id == criterion.id && c.key == mapped.key));
                assert!(control.procedures.iter().all(|p| criterion.procedures.contains(p)));
                assert!(control.fed_by.iter().all(|s| criterion.fed_by.contains(s)));
            }
        }
        for procedure in &procedures {
            for id in &procedure.controls {
                let control = controls.iter().find(|c| c.id == *id).unwrap();
                assert!(control.procedures.contains(&procedure.id), "{id}");
            }
            for name in &procedure.tables {
                let table = tables.iter().find(|t| t.name == *name).unwrap();
                assert!(table.procedures.contains(&procedure.id), "{name}");
                assert!(table.fed_by.iter().all(|s| procedure.fed_by.contains(s)), "{name}");
            }
        }
        let review = procedures.iter().find(|p| p.id == "change_independent_review").unwrap();
        assert_eq!(review.criteria, ["CC6.3", "CC8.1"]);
        assert!(review.fed_by.contains(&"github.reviews".to_owned()), "{:?}", review.fed_by);
    }

    #[test]
    fn what_no_control_is_about_stays_uncovered() {
        let (catalog, _) = Catalog::built_in();
        let iso = crossed(&catalog, &catalog.crosswalks["iso"]);
        let of = |id: &str| iso.numbers.iter().find(|n| n.id == id).unwrap();
        // 8.32 is about changes: every CHG and REL control but the one that keeps environments apart names it, and others.
        assert!(of("8.32").controls.contains(&"CHG-02".to_owned()) && !of("8.32").uncovered);
        assert!(of("8.32").procedures.contains(&"change_independent_review".to_owned()));
        // Cables, and rights to what is created, concern no control of SOC 2 here.
        for id in ["7.12", "5.32"] {
            assert!(of(id).uncovered && of(id).remains.contains("needs one of its own"), "{id}");
        }
        // A control without a procedure is covered by hand, and that is said.
        assert_eq!(of("7.1").by_hand, ["PHY-01"]);
        assert!(of("7.1").procedures.is_empty() && !of("7.1").uncovered);
        for framework in ["iso", "hipaa"] {
            let all = serde_json::to_string(&crossed(&catalog, &catalog.crosswalks[framework])).unwrap();
            assert!(!all.to_lowercase().contains("equivalent"), "{framework}");
        }
    }

    #[test]
    fn a_preset_counts_what_its_categories_come_to() {
        let (catalog, _) = Catalog::built_in();
        let presets = browse_presets(&catalog);
        let of = |id: &str| presets.iter().find(|p| p.id == id).unwrap().criteria;
        // CC is 33, A 3, C 2, PI 5, P 18.
        assert_eq!((of("security"), of("security_availability_confidentiality")), (33, 38));
        assert_eq!((of("ai_vendor"), of("personal_data")), (43, 53));
    }
}
