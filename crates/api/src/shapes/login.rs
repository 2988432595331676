//! How Portreeve logs in somewhere, as it is set and shown. No shape shows a secret.

use portreeve_core::login::{Login, ServerLogin};
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How Portreeve logs in at a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServerLogin)]
pub(crate) struct ServerLoginShape {
    /// The URL that it is for.
    name: String,
    /// How.
    #[schema(value_type = LoginShape)]
    login: Login,
    set_by: String,
    #[schema(value_type = String, format = DateTime)]
    set_at: Timestamp,
}

/// A login to be set.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLogin)]
pub(crate) struct NewLoginShape {
    /// The URL that it is for; that of the server's newest version unless given.
    url: Option<String>,
    /// How.
    #[schema(value_type = LoginShape)]
    login: Login,
}

/// How to log in. Names a secret of the vault and never holds it.
#[derive(Debug, ToSchema)]
#[schema(as = Login)]
#[expect(dead_code, reason = "only described; the noun in core is what is read")]
pub(crate) struct LoginShape {
    /// `bearer` (`Authorization: Bearer SECRET`), `header` (a header of its own) or `basic` (`Authorization: Basic`).
    scheme: String,
    /// The secret, as `secret:NAME`.
    secret: String,
    /// The header's name, with `header` alone.
    header: Option<String>,
    /// The user name, with `basic` alone.
    user: Option<String>,
}

impl NewLoginShape {
    pub(crate) fn into_parts(self) -> (Option<String>, Login) {
        (self.url, self.login)
    }
}

impl From<&ServerLogin> for ServerLoginShape {
    fn from(login: &ServerLogin) -> Self {
        Self {
            name: login.url.clone(),
            login: login.login.clone(),
            set_by: login.set_by.clone(),
            set_at: login.set_at,
        }
    }
}
