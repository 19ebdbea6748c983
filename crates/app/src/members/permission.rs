//! What each role may do: the one table, asked in one place.
//!
//! Everything is denied that the table does not allow. A role may do something everywhere, or only where it is the member's own
//! (the controls they answer for, the items they were given): whoever asks gets to know which, and looks at the thing.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A closed list of words: an enum whose every value has one.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $value:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $word)] $value,)+
        }

        impl $name {
            /// Every value there is.
            pub const ALL: &'static [Self] = &[$(Self::$value),+];

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$value => $word),+ }
            }

            /// The value of a word.
            #[must_use]
            pub fn named(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.word() == word)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What a member is here for.
    Role {
        /// Answers for everything, and for who gets in.
        Owner = "owner",
        /// Runs the programme from day to day.
        ProgrammeManager = "programme_manager",
        /// Answers for controls.
        ControlOwner = "control_owner",
        /// Does the work that is tested.
        Engineer = "engineer",
        /// Reviews the access of others.
        Reviewer = "reviewer",
        /// Examines, for the one engagement that the role was given for.
        Auditor = "auditor",
        /// Reads what is published to customers.
        Customer = "customer",
    }
}

words! {
    /// What is done.
    Action {
        /// Look at it.
        Read = "read",
        /// Put something in: a row, a file, a draft, a sample, a token of one's own.
        Enter = "enter",
        /// Say how something stands: conclude, accept, approve, close, publish.
        Decide = "decide",
        /// Change how it works, or take away for good: configure, invite, erase.
        Manage = "manage",
    }
}

words! {
    /// To what it is done.
    Resource {
        /// Readiness, plan, scope, commitments.
        Programme = "programme",
        /// Criteria, controls, policies, and what is concluded of them.
        Controls = "controls",
        /// Procedures with their populations, items, verdicts and coverage.
        Results = "results",
        /// The register of deviations, and waivers.
        Deviations = "deviations",
        /// Every other register: vendors, risks, incidents, backups, training and the like.
        Registers = "registers",
        /// Who is who: persons, accounts, grants.
        People = "people",
        /// Campaigns that review access.
        AccessReviews = "access_reviews",
        /// The bytes that sources sent, and files of evidence.
        Evidence = "evidence",
        /// Frozen populations.
        Populations = "populations",
        /// Samples drawn from them.
        Samples = "samples",
        /// Sources, and what is imported.
        Sources = "sources",
        /// The ledger: checkpoints, proofs, anchors, erasure.
        Ledger = "ledger",
        /// The query console, which reads every record.
        Query = "query",
        /// Who gets in.
        Members = "members",
        /// Tokens of the API.
        Tokens = "tokens",
        /// How this installation is set up.
        Settings = "settings",
        /// What is published to customers.
        Report = "report",
    }
}

/// How far a permission reaches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// Only what is the member's own.
    Own,
    /// All of it.
    Every,
}

/// What a role may do to a resource, and how far; `None` is no.
#[must_use]
pub fn permitted(role: Role, action: Action, resource: Resource) -> Option<Reach> {
    use Action::{Decide, Enter, Manage, Read};
    use Resource as R;
    use Role::{Auditor, ControlOwner, Customer, Engineer, Owner, ProgrammeManager, Reviewer};
    let none: &[Role] = &[];
    // Who may do it everywhere, and who where it is their own.
    let (every, own): (&[Role], &[Role]) = match (resource, action) {
        (R::Programme | R::Results | R::Controls | R::Deviations | R::Registers, Read)
        | (R::Populations | R::Sources | R::Ledger, Read) => {
            (&[Owner, ProgrammeManager, ControlOwner, Engineer, Reviewer, Auditor], none)
        }
        (R::Programme, Enter | Decide | Manage) => (&[Owner, ProgrammeManager], none),

        (R::Controls, Enter) => (&[Owner, ProgrammeManager], &[ControlOwner]),
        (R::Controls, Decide) => (&[Owner, ProgrammeManager], none),

        (R::Deviations, Enter) => (&[Owner, ProgrammeManager], &[ControlOwner, Engineer]),
        (R::Deviations, Decide) => (&[Owner, ProgrammeManager], &[ControlOwner]),

        (R::Registers, Enter) => (&[Owner, ProgrammeManager, ControlOwner, Engineer], none),
        (R::Registers, Decide) => (&[Owner, ProgrammeManager], none),

        (R::People, Read) => (&[Owner, ProgrammeManager, ControlOwner, Reviewer, Auditor], &[Engineer]),
        (R::People, Enter | Decide) => (&[Owner, ProgrammeManager], none),

        (R::AccessReviews, Read) => {
            (&[Owner, ProgrammeManager, ControlOwner, Auditor], &[Engineer, Reviewer])
        }
        (R::AccessReviews, Enter) => (&[Owner, ProgrammeManager], none),
        // Whoever was given grants to review decides about these; nobody decides about all.
        (R::AccessReviews, Decide) => (none, &[Owner, ProgrammeManager, ControlOwner, Reviewer]),

        (R::Evidence, Read) => (&[Owner, ProgrammeManager, Auditor], &[ControlOwner, Engineer, Reviewer]),
        (R::Evidence, Enter) => (&[Owner, ProgrammeManager], &[ControlOwner, Engineer]),

        (R::Populations, Enter | Decide) => (&[Owner, ProgrammeManager], none),

        (R::Samples, Read) => (&[Owner, ProgrammeManager, ControlOwner, Reviewer, Auditor], none),
        // The company never draws what it is examined by.
        (R::Samples, Enter | Decide) => (&[Auditor], none),

        (R::Sources, Enter) => (&[Owner, ProgrammeManager, Engineer], none),
        (R::Sources, Manage) => (&[Owner, ProgrammeManager], none),

        (R::Ledger, Enter) => (&[Owner, ProgrammeManager], none),
        (R::Ledger, Manage) => (&[Owner], none),

        (R::Query, Read) => (&[Owner, ProgrammeManager, Auditor], none),

        (R::Members, Read) => (&[Owner, ProgrammeManager, Auditor], none),
        (R::Members, Manage) => (&[Owner], none),

        (R::Tokens, Read) => (&[Owner], &[ProgrammeManager, ControlOwner, Engineer]),
        // A token is its maker's own: nobody makes one for somebody else.
        (R::Tokens, Enter) => (none, &[Owner, ProgrammeManager, ControlOwner, Engineer]),
        (R::Tokens, Manage) => (&[Owner], none),

        (R::Settings, Read) => (&[Owner, ProgrammeManager], none),
        (R::Settings, Manage) => (&[Owner], none),

        (R::Report, Read) => {
            (&[Owner, ProgrammeManager, ControlOwner, Engineer, Reviewer, Auditor, Customer], none)
        }
        (R::Report, Enter) => (&[Owner, ProgrammeManager], none),
        (R::Report, Decide) => (&[Owner], none),

        _ => (none, none),
    };
    if every.contains(&role) {
        Some(Reach::Every)
    } else if own.contains(&role) {
        Some(Reach::Own)
    } else {
        None
    }
}

/// Whether an act wants a fresh proof of who does it, and is closed to tokens: whatever is managed, and the making of tokens.
#[must_use]
pub const fn is_dangerous(action: Action, resource: Resource) -> bool {
    matches!((action, resource), (Action::Manage, _) | (Action::Enter, Resource::Tokens))
}

/// A role, as it was given.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The engagement that an auditor examines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engagement: Option<String>,
}

impl Grant {
    /// A role that is of no engagement.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        Self { role, engagement: None }
    }

    /// The role of somebody who examines one engagement.
    #[must_use]
    pub fn audit(engagement: &str) -> Self {
        Self { role: Role::Auditor, engagement: Some(engagement.to_owned()) }
    }
}

impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.engagement {
            Some(engagement) => write!(f, "{} of {engagement}", self.role),
            None => write!(f, "{}", self.role),
        }
    }
}

/// Why roles may not be held together.
pub(crate) fn unfit(grants: &[Grant]) -> Option<String> {
    if grants.is_empty() {
        return Some("a member needs a role; name one".to_owned());
    }
    for grant in grants {
        let named = grant.engagement.as_ref().is_some_and(|e| !e.trim().is_empty());
        if grant.role == Role::Auditor && !named {
            return Some("an auditor examines one engagement; name it".to_owned());
        }
        if grant.role != Role::Auditor && grant.engagement.is_some() {
            return Some(format!(
                "only an auditor is of an engagement, not a member who is {}; leave it out",
                grant.role
            ));
        }
    }
    for apart in [Role::Auditor, Role::Customer] {
        let held = grants.iter().any(|g| g.role == apart);
        if let (true, Some(other)) = (held, grants.iter().find(|g| g.role != apart)) {
            return Some(format!(
                "{apart} and {} are never the same member: one stands outside of the company; invite another address",
                other.role
            ));
        }
    }
    None
}

/// What a token may do: pairs of an action and a resource, never more than its member may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scope {
    /// What is done.
    pub action: Action,
    /// To what.
    pub resource: Resource,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.action, self.resource)
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl TryFrom<String> for Scope {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let listed = |words: Vec<&str>| words.join(", ");
        let (action, resource) = text.split_once(':').ok_or_else(|| {
            format!("`{text}` is no scope; write an action and a resource, such as read:results")
        })?;
        let action = Action::named(action).ok_or_else(|| {
            format!(
                "there is no action `{action}`; there are {}",
                listed(Action::ALL.iter().map(|a| a.word()).collect())
            )
        })?;
        let resource = Resource::named(resource).ok_or_else(|| {
            format!(
                "there is no resource `{resource}`; there are {}",
                listed(Resource::ALL.iter().map(|r| r.word()).collect())
            )
        })?;
        Ok(Self { action, resource })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Who may do what, written out: a row for each resource, a column for each role. A capital is an action everywhere, a small
    /// letter only on what is the member's own, `-` is no.
    const CELLS: &str = "
        .                owner  programme_manager  control_owner  engineer  reviewer  auditor  customer
        programme        REDM   REDM               R---           R---      R---      R---     ----
        controls         RED-   RED-               Re--           R---      R---      R---     ----
        results          R---   R---               R---           R---      R---      R---     ----
        deviations       RED-   RED-               Red-           Re--      R---      R---     ----
        registers        RED-   RED-               RE--           RE--      R---      R---     ----
        people           RED-   RED-               R---           r---      R---      R---     ----
        access_reviews   REd-   REd-               R-d-           r---      r-d-      R---     ----
        evidence         RE--   RE--               re--           re--      r---      R---     ----
        populations      RED-   RED-               R---           R---      R---      R---     ----
        samples          R---   R---               R---           ----      R---      RED-     ----
        sources          RE-M   RE-M               R---           RE--      R---      R---     ----
        ledger           RE-M   RE--               R---           R---      R---      R---     ----
        query            R---   R---               ----           ----      ----      R---     ----
        members          R--M   R---               ----           ----      ----      R---     ----
        tokens           Re-M   re--               re--           re--      ----      ----     ----
        settings         R--M   R---               ----           ----      ----      ----     ----
        report           RED-   RE--               R---           R---      R---      R---     R---
    ";

    #[test]
    fn every_cell() {
        let mut lines = CELLS.lines().map(str::trim).filter(|line| !line.is_empty());
        let roles: Vec<Role> =
            lines.next().unwrap().split_whitespace().skip(1).map(|w| Role::named(w).unwrap()).collect();
        assert_eq!(roles, Role::ALL, "a column for each role");
        let mut rows = vec![];
        let mut cells = 0;
        for line in lines {
            let mut words = line.split_whitespace();
            let resource = Resource::named(words.next().unwrap()).unwrap();
            rows.push(resource);
            let columns: Vec<&str> = words.collect();
            assert_eq!(columns.len(), roles.len(), "{line}");
            for (role, cell) in roles.iter().zip(columns) {
                assert_eq!(cell.len(), Action::ALL.len(), "{line}");
                for ((action, said), letter) in Action::ALL.iter().zip(cell.chars()).zip("REDM".chars()) {
                    let expected = match said {
                        '-' => None,
                        c if c == letter => Some(Reach::Every),
                        c if c == letter.to_ascii_lowercase() => Some(Reach::Own),
                        other => panic!("`{other}` in {line}"),
                    };
                    assert_eq!(permitted(*role, *action, resource), expected, "{role} {action} {resource}");
                    cells += 1;
                }
            }
        }
        assert_eq!(rows, Resource::ALL, "a row for each resource");
        assert_eq!(cells, Role::ALL.len() * Action::ALL.len() * Resource::ALL.len());
    }

    #[test]
    fn what_no_change_of_the_table_may_break() {
        for action in Action::ALL {
            for resource in Resource::ALL {
                let may = |role| permitted(role, *action, *resource);
                // An auditor changes nothing of the company's, and the company draws no samples.
                if *action != Action::Read && *resource != Resource::Samples {
                    assert_eq!(may(Role::Auditor), None, "{action} {resource}");
                }
                if *action != Action::Read && *resource == Resource::Samples {
                    assert!(Role::ALL.iter().all(|r| *r == Role::Auditor || may(*r).is_none()));
                }
                if (*action, *resource) != (Action::Read, Resource::Report) {
                    assert_eq!(may(Role::Customer), None, "{action} {resource}");
                }
                // Whoever may change something sees it.
                for role in Role::ALL {
                    let sees = permitted(*role, Action::Read, *resource);
                    assert!(may(*role) <= sees, "{role} {action} {resource}");
                }
                assert!(*action != Action::Manage || is_dangerous(*action, *resource));
            }
        }
        let invites = |role: &&Role| permitted(**role, Action::Manage, Resource::Members).is_some();
        assert_eq!(Role::ALL.iter().filter(invites).collect::<Vec<_>>(), [&Role::Owner]);
    }

    #[test]
    fn roles_that_go_together() {
        let of = |roles: &[Role]| unfit(&roles.iter().copied().map(Grant::of).collect::<Vec<_>>());
        assert_eq!(of(&[Role::Owner, Role::ControlOwner, Role::Engineer]), None);
        assert_eq!(of(&[Role::Customer]), None);
        assert!(of(&[]).unwrap().contains("needs a role"));
        assert!(of(&[Role::Auditor]).unwrap().contains("one engagement"));
        assert!(of(&[Role::Customer, Role::Engineer]).unwrap().contains("never the same member"));
        assert_eq!(unfit(&[Grant::audit("2026"), Grant::audit("2027")]), None);
        assert!(
            unfit(&[Grant::audit("2026"), Grant::of(Role::Reviewer)])
                .unwrap()
                .contains("never the same member")
        );
        let engaged = Grant { role: Role::Engineer, engagement: Some("2026".to_owned()) };
        assert!(unfit(&[engaged]).unwrap().contains("only an auditor"));
        assert!(unfit(&[Grant::audit(" ")]).unwrap().contains("one engagement"));
    }

    #[test]
    fn scopes_are_read_as_they_are_written() {
        let scope: Scope = "read:access_reviews".parse().unwrap();
        assert_eq!((scope.action, scope.resource), (Action::Read, Resource::AccessReviews));
        assert_eq!(scope.to_string(), "read:access_reviews");
        for (text, why) in
            [("read", "no scope"), ("see:results", "no action `see`"), ("read:all", "no resource `all`")]
        {
            let said = text.parse::<Scope>().unwrap_err();
            assert!(said.contains(why), "{said}");
        }
    }
}
