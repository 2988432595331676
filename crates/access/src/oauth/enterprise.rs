//! ID-JAG: an identity provider of the company says that one of its people may use a server through a client, without
//! asking them here (the extension "enterprise-managed authorization" of MCP).

use portreeve_core::caller::Principal;
use portreeve_core::id::UserId;
use portreeve_core::oauth::{Client, Scopes};
use url::Url;

use super::AuthorizationServer;
use super::assertion::{Assertion, issuer_of, key_of};
use super::error::OauthError;
use super::token::{TokenAnswer, TokenRequest};

/// The type of such an assertion.
const TYPE: &str = "oauth-id-jag+jwt";

impl AuthorizationServer {
    pub(super) async fn by_assertion(
        &self,
        client: &Client,
        request: &TokenRequest,
    ) -> Result<TokenAnswer, OauthError> {
        let refused = |why: &str| OauthError::grant(format!("`assertion` {why}"));
        let text = request
            .assertion
            .as_ref()
            .ok_or_else(|| OauthError::request("`assertion` is missing"))?;
        let said = issuer_of(text.expose()).ok_or_else(|| refused("is no JSON Web Token with an issuer"))?;
        let issuer = self
            .trusted_issuer(&said)
            .ok_or_else(|| refused("is of an issuer that is not trusted here"))?;
        let unreadable = || refused("cannot be checked: the issuer does not show its keys");
        let key = key_of(text.expose());
        let keys = self.keys_of_issuer(issuer, key.as_deref()).await;
        let keys = keys.ok_or_else(unreadable)?;
        let assertion = Assertion::verified(text.expose(), &keys, &[TYPE]).ok_or_else(|| {
            refused("is not signed by its issuer, or is not of the type `oauth-id-jag+jwt`")
        })?;
        let ours = &*self.parts.issuer;
        if !assertion.is_for(&[ours, &format!("{ours}/")]) {
            return Err(refused(
                "is made out for somebody else: `aud` must be this issuer",
            ));
        }
        if assertion.text("client_id") != Some(client.id.as_str()) {
            return Err(refused("is made out to another client"));
        }
        let now = self.parts.clock.now();
        let end = assertion.live_until(now).filter(|_| assertion.has("iat"));
        let end = end.ok_or_else(|| refused("is not of this time, or lacks `exp` or `iat`"))?;
        let said_scope = Scopes::known_in(assertion.text("scope").unwrap_or_default());
        let resource = assertion
            .text("resource")
            .and_then(|uri| self.parts.resources.find(uri))
            .ok_or_else(|| refused("names no `resource` that is an MCP endpoint here"))?;
        if self.check_target(&resource.uri, &request.resources).is_err() {
            return Err(OauthError::target(
                "`resource` is another one than the assertion names",
            ));
        }
        let subject = assertion.text("sub").unwrap_or_default();
        let user = self
            .parts
            .access
            .acting(&Principal::User(UserId::of_subject(&said, subject)))
            .ok_or_else(|| refused("is about somebody who never signed in here: they must do that once"))?;
        if !self.is_first(&said, &assertion, end).await? {
            return Err(refused("was used before, or has no `jti`"));
        }
        let asked = Scopes::known_in(request.scope.as_deref().unwrap_or_default());
        let says_nothing = said_scope.iter().all(|scope| scope.route != resource.route);
        if assertion.has("scope") && says_nothing {
            return Err(refused("allows nothing of this `resource`: see its `scope`"));
        }
        let allowed = super::authorize::scopes_for(&resource, &said_scope);
        let scopes = if asked.is_empty() { allowed.clone() } else { asked };
        if !allowed.include(&scopes) {
            return Err(OauthError::new(
                super::OauthCode::InvalidScope,
                format!("the assertion allows `{allowed}` only"),
            ));
        }
        self.direct(client, user.principal, (&resource, &scopes), "jwt-bearer")
            .await
    }

    /// The issuer of the configuration that is written this way, or with a slash at its end.
    fn trusted_issuer(&self, said: &str) -> Option<&Url> {
        let bare = said.trim_end_matches('/');
        let mut all = self.parts.settings.issuers.iter();
        all.find(|issuer| issuer.as_str().trim_end_matches('/') == bare)
    }
}
