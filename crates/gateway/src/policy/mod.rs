//! The seam of policies: the trait, the ordered list, and the proof that a request passed them all.
//!
//! A new policy is one file beside this one and one line in `compile_one`.

mod approval;
mod authorize;
mod credential;
mod permit;
mod rate_limit;
mod scope;

use std::sync::Arc;

use async_trait::async_trait;
use portreeve_access::Approvals;
use portreeve_core::caller::Caller;
use portreeve_core::policy::{PolicyCheck, PolicyProblem};
use portreeve_core::ports::{Authorizer, Counters};
use portreeve_core::protocol::Era;
use portreeve_core::route::PolicyDocument;
use portreeve_mcp::method::Method;
use serde::de::DeserializeOwned;

use self::approval::Approval;
pub use self::authorize::Authorize;
pub use self::credential::{Credential, Form};
pub use self::permit::Permitted;
use self::rate_limit::RateLimit;
use self::scope::Scope;
use crate::record::Record;
use crate::respond::Refusal;
use crate::route::{ServedRoute, ServedTool};

/// A request as policies see it: tools, not URLs or bytes.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// On which route.
    pub route: &'a ServedRoute,
    /// On which kind of the server's hop.
    pub era: Era,
    /// What.
    pub method: Method,
    /// The tool, prompt or resource.
    pub target: Option<&'a str>,
    /// The arguments as they were written.
    pub arguments: Option<&'a [u8]>,
    /// What a later round of a call that passed brings, and only that call was given.
    pub goes_on: Option<&'a str>,
    /// Whether the host comes back with answers to what it was asked.
    pub is_back: bool,
    /// Who has allowed it at the virtual server that it comes from.
    pub allowed_above: Option<&'a Allowed>,
}

/// A person who has allowed a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// By the label that was kept with the decision.
    pub by: Arc<str>,
}

impl<'a> Question<'a> {
    /// A question about no call of a tool.
    pub const fn of(caller: &'a Caller, route: &'a ServedRoute, era: Era, method: Method) -> Self {
        Self {
            caller,
            route,
            era,
            method,
            target: None,
            arguments: None,
            goes_on: None,
            is_back: false,
            allowed_above: None,
        }
    }
}

/// What a policy says before a request goes on.
#[derive(Debug)]
pub enum Verdict {
    /// It may go on. The names of what decided, for the audit log.
    Continue(Vec<Arc<str>>),
    /// It may go on, because somebody allowed this very call.
    Allowed {
        /// The names of what decided, for the audit log.
        names: Vec<Arc<str>>,
        /// Who did.
        allowed: Allowed,
    },
    /// It may not.
    Refuse(Refusal),
    /// Something that has a name forbids it. The names, for the audit log.
    Forbid {
        /// The policies that forbid; none, if nothing permits.
        by: Vec<Arc<str>>,
        /// What the caller hears.
        refusal: Refusal,
    },
    /// The caller was granted nothing here: Portreeve answers as an empty server.
    Stranger,
}

/// What a policy would say, without effect.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The policy's kind.
    pub policy: &'static str,
    /// Whether it would let the request pass.
    pub allowed: bool,
    /// Why, as a sentence.
    pub reason: String,
}

/// One policy of a route.
#[async_trait]
pub trait Policy: Send + Sync + std::fmt::Debug {
    /// Its kind, as documents name it.
    fn kind(&self) -> &'static str;

    /// Whether the request may go on. May take from counters.
    async fn before(&self, question: &Question<'_>) -> Verdict;

    /// Whether the caller may know of the tool: the same answer that guards the call, without effects.
    fn sees(&self, _caller: &Caller, _route: &ServedRoute, _tool: &ServedTool) -> bool {
        true
    }

    /// Whether it is asked after those that do not say so: what it does cannot be taken back.
    fn comes_last(&self) -> bool {
        false
    }

    /// What is shown to the API behind the route.
    fn credential(&self) -> Option<&Credential> {
        None
    }

    /// What [`Policy::before`] would say, without effects.
    async fn explain(&self, question: &Question<'_>) -> Explanation;
}

/// The policies in force: authorization first, always; then the token's scopes, then those of the route.
#[derive(Debug, Clone)]
pub struct Policies {
    authorize: Authorize,
}

/// How the policies answered.
#[derive(Debug)]
pub enum Passage<T> {
    /// On to the upstream.
    Permitted(Permitted<T>),
    /// Answered as an empty server would.
    Stranger(T),
}

impl Policies {
    /// Policies that ask this authorizer.
    pub fn new(authorizer: Arc<dyn Authorizer>) -> Self {
        Self {
            authorize: Authorize::new(authorizer),
        }
    }

    fn of<'a>(&'a self, caller: &Caller, route: &'a ServedRoute) -> impl Iterator<Item = &'a dyn Policy> {
        let scope = caller.token.is_some().then_some(&Scope as &dyn Policy);
        std::iter::once(&self.authorize as &dyn Policy)
            .chain(scope)
            .chain(route.policies.iter().map(|policy| &**policy))
    }

    /// Asks every policy in order. Only what this returns can be sent on.
    pub async fn before<T>(
        &self,
        question: &Question<'_>,
        request: T,
        record: &mut Record,
    ) -> Result<Passage<T>, Refusal> {
        let passes = |_: &T| Ok(());
        self.before_checked(question, (request, passes), (record, &mut None))
            .await
    }

    /// The same, with what else may refuse the request: it is asked before those policies whose effect cannot be taken back.
    /// Notes who has allowed the call, if it passed because somebody did.
    pub async fn before_checked<T>(
        &self,
        question: &Question<'_>,
        (request, check): (T, impl FnOnce(&T) -> Result<(), Refusal>),
        (record, noted): (&mut Record, &mut Option<Allowed>),
    ) -> Result<Passage<T>, Refusal> {
        let mut check = Some(check);
        for policy in self.of(question.caller, question.route) {
            if policy.comes_last()
                && let Some(check) = check.take()
            {
                check(&request)?;
            }
            match policy.before(question).await {
                Verdict::Continue(names) => record.decided_by(names),
                Verdict::Allowed { names, allowed } => {
                    record.decided_by(names);
                    *noted = Some(allowed);
                }
                Verdict::Stranger => return Ok(Passage::Stranger(request)),
                Verdict::Forbid { by, refusal } => {
                    record.refused_by(policy.kind());
                    record.decided_by(by);
                    return Err(refusal);
                }
                Verdict::Refuse(refusal) => {
                    record.refused_by(policy.kind());
                    return Err(refusal);
                }
            }
        }
        if let Some(check) = check {
            check(&request)?;
        }
        Ok(Passage::Permitted(Permitted::new(request)))
    }

    /// Whether the caller may open or keep a stream on the route. Takes from no counter.
    pub fn admit(&self, caller: &Caller, route: &ServedRoute) -> bool {
        self.authorize.admits(caller, route)
    }

    /// Whether the caller may read prompts and resources. Takes from no counter.
    pub fn reads(&self, caller: &Caller, route: &ServedRoute) -> bool {
        self.authorize.reads(caller, route)
    }

    /// Whether the caller may know of the tool.
    pub fn see(&self, caller: &Caller, route: &ServedRoute, tool: &ServedTool) -> bool {
        self.of(caller, route)
            .all(|policy| policy.sees(caller, route, tool))
    }

    /// What each policy would say.
    pub async fn explain(&self, question: &Question<'_>) -> Vec<Explanation> {
        let mut all = Vec::new();
        for policy in self.of(question.caller, question.route) {
            all.push(policy.explain(question).await);
        }
        all
    }
}

/// What compiled policies work with.
#[derive(Clone)]
pub struct Tools {
    /// Rate counters.
    pub counters: Arc<dyn Counters>,
    /// Calls that wait for a person.
    pub approvals: Arc<Approvals>,
}

impl std::fmt::Debug for Tools {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tools")
    }
}

/// Compiles a route's policy documents, or says everything that is wrong with them.
pub fn compile(
    documents: &[PolicyDocument],
    tools: &Tools,
) -> Result<Vec<Arc<dyn Policy>>, Vec<PolicyProblem>> {
    let mut compiled: Vec<Arc<dyn Policy>> = Vec::new();
    let mut problems = Vec::new();
    for (index, document) in documents.iter().enumerate() {
        let made = compile_one(index, document, tools);
        match made.and_then(|policy| beside(&compiled, policy)) {
            Ok(policy) => compiled.push(policy),
            Err(problem) => problems.push(PolicyProblem { index, problem }),
        }
    }
    if problems.is_empty() {
        compiled.sort_by_key(|policy| policy.comes_last());
        Ok(compiled)
    } else {
        Err(problems)
    }
}

/// A policy that goes together with those before it.
fn beside(others: &[Arc<dyn Policy>], policy: Arc<dyn Policy>) -> Result<Arc<dyn Policy>, String> {
    let mut shown = others.iter().filter_map(|other| other.credential());
    match policy.credential() {
        Some(credential) if shown.any(|other| credential.is_in_the_way_of(other)) => {
            let (_, name) = credential.place();
            Err(format!("`{name}` is where another `credential` stands already"))
        }
        _ => Ok(policy),
    }
}

fn compile_one(index: usize, document: &PolicyDocument, tools: &Tools) -> Result<Arc<dyn Policy>, String> {
    match document.kind.as_str() {
        rate_limit::KIND => {
            RateLimit::new(index, config(document)?, tools).map(|policy| Arc::new(policy) as _)
        }
        credential::KIND => credential::Shown::new(config(document)?).map(|policy| Arc::new(policy) as _),
        approval::KIND => Approval::new(config(document)?, tools).map(|policy| Arc::new(policy) as _),
        other => Err(format!(
            "`{other}` is not a kind of policy (known: `{}`, `{}`, `{}`)",
            rate_limit::KIND,
            credential::KIND,
            approval::KIND
        )),
    }
}

fn config<T: DeserializeOwned>(document: &PolicyDocument) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::Object(document.config.clone()))
        .map_err(|error| format!("`{}`: {error}", document.kind))
}

/// The check that the registry asks before it saves a policy.
#[derive(Debug)]
pub struct Check(pub Tools);

impl PolicyCheck for Check {
    fn check(&self, documents: &[PolicyDocument]) -> Vec<PolicyProblem> {
        compile(documents, &self.0).err().unwrap_or_default()
    }
}
