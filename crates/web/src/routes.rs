//! Every address there is, what it takes to be let in, and who answers: the one place where all three stand.

use app::Action::{self, Decide, Enter, Manage};
use app::Resource::{
    self, AccessReviews, Controls, Deviations, Evidence, Ledger, Members, Programme, Query, Registers,
    Results, Sources,
};

use crate::answer::Answer;
use crate::api;
use crate::door::Needs;
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
    pub(crate) needs: Needs,
    pub(crate) answer: Handler,
}

/// An address, for whoever tests or describes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Address {
    /// The path, with `{name}` for each piece that is left open.
    pub path: &'static str,
    /// Whether it changes something.
    pub changes: bool,
    /// Whether nobody has to be signed in.
    pub open: bool,
}

/// Every address.
pub fn addresses() -> impl Iterator<Item = Address> {
    ROUTES.iter().map(|route| Address {
        path: route.path,
        changes: route.changes,
        open: matches!(route.needs, Needs::Nothing),
    })
}

/// Anybody may look at it.
const fn open(path: &'static str, answer: Handler) -> Route {
    Route { path, changes: false, needs: Needs::Nothing, answer }
}

/// Members may look at it who may read all of these.
const fn look(path: &'static str, resources: &'static [Resource], answer: Handler) -> Route {
    Route { path, changes: false, needs: Needs::May(Action::Read, resources), answer }
}

/// A form that members may fill in who may do this: where it is shown, and where it is sent.
const fn form(path: &'static str, action: Action, resource: Resource, answer: Handler) -> Route {
    Route { path, changes: false, needs: Needs::Reach(action, resource), answer }
}

/// The form of the same address, sent.
const fn act(path: &'static str, action: Action, resource: Resource, answer: Handler) -> Route {
    Route { path, changes: true, needs: Needs::Reach(action, resource), answer }
}

/// A form that anybody may send; what it is about guards itself.
const fn knock(path: &'static str, answer: Handler) -> Route {
    Route { path, changes: true, needs: Needs::Nothing, answer }
}

/// A form that members may send who may do this to all of these; what it is about looks at whose it is.
const fn send(path: &'static str, action: Action, resources: &'static [Resource], answer: Handler) -> Route {
    Route { path, changes: true, needs: Needs::May(action, resources), answer }
}

/// What members do about themselves.
const fn own(path: &'static str, changes: bool, answer: Handler) -> Route {
    Route { path, changes, needs: Needs::Member, answer }
}

/// Every route. A page is only shown to who may read everything that stands on it.
pub(crate) static ROUTES: &[Route] = &[
    open("/assets/{name}", pages::own::asset),
    open("/api/v1/openapi.json", api::description),
    knock("/theme", pages::own::theme),
    open("/sign-in", pages::session::sign_in_form),
    knock("/sign-in", pages::session::sign_in),
    open("/join/{link}", pages::session::join_form),
    knock("/join/{link}", pages::session::join),
    own("/sign-out", true, pages::session::sign_out),
    own("/sessions", false, pages::session::sessions),
    own("/sessions/end-others", true, pages::session::end_others),
    own("/sessions/{id}/end", true, pages::session::end),
    look("/", &[Programme, Controls, Results, Deviations], pages::home::readiness),
    look("/plan", &[Programme, Controls], pages::home::plan),
    look("/controls", &[Controls], pages::controls::list),
    look("/controls/{id}", &[Controls, Results, Deviations], pages::controls::detail),
    look("/criteria", &[Controls], pages::criteria::list),
    look("/criteria/{id}", &[Controls], pages::criteria::detail),
    look("/procedures", &[Results], pages::procedures::list),
    look("/procedures/{id}", &[Results], pages::procedures::population),
    // Of its evidence no more is shown than somebody may read.
    look("/procedures/{id}/items/{item}", &[Results, Deviations], pages::item::detail),
    look("/deviations", &[Deviations], pages::deviations::list),
    look("/deviations/{key}", &[Deviations, Results], pages::deviations::detail),
    form("/deviations/{key}/register", Enter, Deviations, pages::deciding::register_form),
    act("/deviations/{key}/register", Enter, Deviations, pages::deciding::register),
    form("/deviations/{key}/triage", Enter, Deviations, pages::deciding::triage_form),
    act("/deviations/{key}/triage", Enter, Deviations, pages::deciding::triage),
    form("/deviations/{key}/retest", Enter, Deviations, pages::deciding::retest_form),
    act("/deviations/{key}/retest", Enter, Deviations, pages::deciding::retest),
    form("/deviations/{key}/close", Decide, Deviations, pages::deciding::close_form),
    act("/deviations/{key}/close", Decide, Deviations, pages::deciding::close),
    // Each table by the permission that it takes, which its page asks for.
    look("/registers", &[Registers], pages::registers::list),
    look("/registers/{table}", &[Registers], pages::registers::table),
    look("/registers/{table}/{key}", &[Registers], pages::registers::detail),
    form("/enter/{table}", Enter, Registers, pages::registers::form),
    act("/enter/{table}", Enter, Registers, pages::registers::enter),
    form("/enter/{table}/{key}", Enter, Registers, pages::registers::form),
    act("/enter/{table}/{key}", Enter, Registers, pages::registers::enter),
    look("/members", &[Members], pages::members::list),
    form("/members/invite", Manage, Members, pages::members::invite_form),
    act("/members/invite", Manage, Members, pages::members::invite),
    look("/members/{id}", &[Members], pages::members::detail),
    form("/members/{id}/give", Manage, Members, pages::members::give_form),
    act("/members/{id}/give", Manage, Members, pages::members::give),
    form("/members/{id}/take", Manage, Members, pages::members::take_form),
    act("/members/{id}/take", Manage, Members, pages::members::take),
    form("/members/{id}/reset", Manage, Members, pages::members::reset_form),
    act("/members/{id}/reset", Manage, Members, pages::members::reset),
    form("/members/{id}/end-sessions", Manage, Members, pages::members::end_sessions_form),
    act("/members/{id}/end-sessions", Manage, Members, pages::members::end_sessions),
    form("/members/{id}/remove", Manage, Members, pages::members::remove_form),
    act("/members/{id}/remove", Manage, Members, pages::members::remove),
    // Of a review no more is shown than somebody may read.
    look("/reviews", &[AccessReviews], pages::reviews::list),
    look("/reviews/{key}", &[AccessReviews], pages::reviews::detail),
    send("/reviews/open", Enter, &[AccessReviews], pages::reviews::open),
    send("/reviews/{key}/decide", Decide, &[AccessReviews], pages::reviews::decide),
    send("/reviews/{key}/delegate", Decide, &[AccessReviews], pages::reviews::delegate),
    send("/reviews/{key}/complete", Enter, &[AccessReviews], pages::reviews::complete),
    send("/reviews/{key}/verify", Enter, &[AccessReviews], pages::reviews::verify),
    look("/coverage", &[Results, Sources], pages::coverage::list),
    look("/ledger", &[Ledger], pages::ledger::status),
    look("/ledger/{entry}", &[Ledger, Evidence], pages::ledger::document),
    look("/ledger/{entry}/bytes", &[Evidence], pages::ledger::bytes),
    look("/ledger/{entry}/proof", &[Ledger], pages::ledger::proof),
    look("/ledger/{entry}/leaf", &[Ledger], pages::ledger::leaf),
    look("/catalog", &[Controls], pages::catalog::tables),
    look("/catalog/tables/{name}", &[Controls], pages::catalog::table),
    look("/query", &[Query], pages::query::console),
    look("/search", &[Controls, Results, Deviations], pages::search::everything),
];
