//! How Portreeve logs in at servers. Decisions do not depend on it, so it counts as no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::login::ServerLogin;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{LoginStore, StoreError};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::secret_uses;
use crate::store::Store;

/// How these name secrets.
const KIND: &str = "login";

const OF_SERVER: &str =
    "SELECT server, url, login, set_by, set_at FROM server_logins WHERE server = $1 ORDER BY url";
const SET: &str = "INSERT INTO server_logins (server, url, login, set_by, set_at) \
    SELECT name, $2, $3, $4, $5 FROM servers WHERE name = $1 ON CONFLICT (server, url) DO UPDATE SET \
    login = excluded.login, set_by = excluded.set_by, set_at = excluded.set_at";

#[async_trait]
impl LoginStore for Store {
    async fn logins(&self, server: &ServerName) -> Result<Vec<ServerLogin>, StoreError> {
        let sql = Sql::new(OF_SERVER).bind(server.as_str());
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(login_of).collect()
    }

    async fn set_login(&self, login: &ServerLogin, most: usize, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let known = change
            .rows(Sql::new(OF_SERVER).bind(login.server.as_str()))
            .await?;
        let known: Vec<ServerLogin> = known.iter().map(login_of).collect::<Result<_, _>>()?;
        if known.iter().filter(|known| known.url != login.url).count() >= most {
            return Err(StoreError::Conflict {
                what: format!(
                    "server `{}` has {most} logins, which is the most, so another one",
                    login.server
                ),
            });
        }
        let sql = Sql::new(SET)
            .bind(login.server.as_str())
            .bind(&login.url)
            .bind(json_text("login", &login.login)?)
            .bind(&login.set_by)
            .bind(login.set_at);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("server `{}`", login.server),
            });
        }
        let user = user(&login.server, &login.url);
        secret_uses::note(
            &mut change,
            (KIND, &user),
            std::iter::once(&login.login.secret().0),
        )
        .await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn remove_login(
        &self,
        server: &ServerName,
        url: &str,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM server_logins WHERE server = $1 AND url = $2");
        if change.execute(sql.bind(server.as_str()).bind(url)).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("login of server `{server}` for `{url}`"),
            });
        }
        secret_uses::forget(&mut change, (KIND, &user(server, url))).await?;
        change.record(&[event]).await?;
        change.save().await
    }
}

/// Forgets which secrets the logins of a server name, which goes with its rows.
pub(crate) async fn forget(change: &mut Change, server: &ServerName) -> Result<(), StoreError> {
    for row in change.rows(Sql::new(OF_SERVER).bind(server.as_str())).await? {
        secret_uses::forget(change, (KIND, &user(server, &row.text("url")?))).await?;
    }
    Ok(())
}

fn user(server: &ServerName, url: &str) -> String {
    format!("{server} at {url}")
}

fn login_of(row: &Row) -> Result<ServerLogin, StoreError> {
    Ok(ServerLogin {
        server: row.parsed("server")?,
        url: row.text("url")?,
        login: row.json("login")?,
        set_by: row.text("set_by")?,
        set_at: row.moment("set_at")?,
    })
}
