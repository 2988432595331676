//! The names that virtual servers gave to what their members have. Written once, never changed, kept when what they name is
//! gone.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::members::{Given, Kind};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{GivenNames, StoreError};
use portreeve_core::route::Route;

use crate::change::Change;
use crate::engine::{Row, Sql, Value};
use crate::routes::{route_columns, route_of};
use crate::store::Store;

const GIVEN: &str = "SELECT kind, name, member, own FROM given_names WHERE server = $1 ORDER BY kind, name";
const VIRTUAL: &str = concat!(
    "SELECT ",
    route_columns!(),
    " FROM routes WHERE upstream_url LIKE 'virtual:%' ORDER BY slug"
);

/// Names written by one statement.
const CHUNK: usize = 200;

#[async_trait]
impl GivenNames for Store {
    async fn given(&self, server: &ServerName) -> Result<Vec<Given>, StoreError> {
        let rows = self.engine().rows(given_by(server)).await?;
        rows.iter().map(given_of).collect()
    }

    async fn give(
        &self,
        server: &ServerName,
        names: &[Given],
        events: Vec<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        for chunk in names.chunks(CHUNK) {
            let mut values: Vec<Value> = Vec::with_capacity(chunk.len() * 6);
            for given in chunk {
                values.extend([
                    server.as_str().into(),
                    given.kind.as_str().into(),
                    given.folded().into(),
                    given.name.as_str().into(),
                    given.member.as_str().into(),
                    given.own.as_str().into(),
                ]);
            }
            let rows = change.values_list(chunk.len(), 6);
            let text =
                format!("INSERT INTO given_names (server, kind, folded, name, member, own) VALUES {rows}");
            let taken = || StoreError::Conflict {
                what: format!("a name that server `{server}` gives"),
            };
            change.insert(Sql::built(text, values), taken).await?;
        }
        change.note_routes_of(server.as_str()).await?;
        change.record(&events).await?;
        change.publish().await
    }

    async fn virtual_routes(&self) -> Result<Vec<Route>, StoreError> {
        let rows = self.engine().rows(Sql::new(VIRTUAL)).await?;
        rows.iter().map(route_of).collect()
    }
}

/// The names that a server gave.
pub(crate) fn given_by(server: &ServerName) -> Sql {
    Sql::new(GIVEN).bind(server.as_str())
}

/// Reads a name.
pub(crate) fn given_of(row: &Row) -> Result<Given, StoreError> {
    Ok(Given {
        kind: row.word("kind", Kind::from_word)?,
        name: row.text("name")?,
        member: row.parsed("member")?,
        own: row.text("own")?,
    })
}
