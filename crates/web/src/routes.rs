//! Every address there is, what it takes to be let in, and who answers: the one place where all three stand.

use crate::answer::Answer;
use crate::fault::Fault;
use crate::pages;
use crate::visit::Visit;

/// What answers a request.
pub(crate) type Handler = fn(&Visit<'_>) -> Result<Answer, Fault>;

/// One address.
pub(crate) struct Route {
    pub(crate) path: &'static str,
    /// Whether it changes something: then it is sent as a form, and only looked at otherwise.
    pub(crate) changes: bool,
    pub(crate) answer: Handler,
}

const fn look(path: &'static str, answer: Handler) -> Route {
    Route { path, changes: false, answer }
}

const fn change(path: &'static str, answer: Handler) -> Route {
    Route { path, changes: true, answer }
}

/// Every route.
pub(crate) static ROUTES: &[Route] = &[
    look("/assets/{name}", pages::own::asset),
    change("/theme", pages::own::theme),
    look("/", pages::home::readiness),
    look("/plan", pages::home::plan),
    look("/controls", pages::controls::list),
    look("/controls/{id}", pages::controls::detail),
    look("/criteria", pages::criteria::list),
    look("/criteria/{id}", pages::criteria::detail),
    look("/procedures", pages::procedures::list),
    look("/procedures/{id}", pages::procedures::population),
    look("/procedures/{id}/items/{item}", pages::item::detail),
    look("/deviations", pages::deviations::list),
    look("/deviations/{key}", pages::deviations::detail),
    look("/coverage", pages::coverage::list),
    look("/ledger", pages::ledger::status),
    look("/ledger/{entry}", pages::ledger::document),
    look("/ledger/{entry}/bytes", pages::ledger::bytes),
    look("/ledger/{entry}/proof", pages::ledger::proof),
    look("/ledger/{entry}/leaf", pages::ledger::leaf),
    look("/catalog", pages::catalog::tables),
    look("/catalog/tables/{name}", pages::catalog::table),
    look("/query", pages::query::console),
    look("/search", pages::search::everything),
];
