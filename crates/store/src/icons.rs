//! Icons by their content, and which of them each entry shows. Decisions do not depend on them, so they count as no
//! change of the catalogue.

use async_trait::async_trait;
use portreeve_core::icon::{Icon, IconFace, IconFacts, IconKind, IconTheme, NamedIcon};
use portreeve_core::id::IconId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{IconDue, IconLook, IconStore, IconsDue, StoreError};
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Row, Sql, Value, values_list};
use crate::entries::last_among;
use crate::store::Store;

/// Servers of one look for their icons.
const AT_ONCE: usize = 200;

#[async_trait]
impl IconStore for Store {
    async fn icon(&self, id: IconId) -> Result<Option<Icon>, StoreError> {
        let sql = Sql::new("SELECT id, hash, kind, bytes FROM icons WHERE id = $1").bind(id.to_string());
        let rows = self.engine().rows(sql).await?;
        let icon = rows.first().map(|row| {
            Ok(Icon {
                id: row.parsed("id")?,
                hash: row.text("hash")?,
                kind: row.word("kind", IconKind::from_word)?,
                bytes: row.bytes("bytes")?,
            })
        });
        icon.transpose()
    }

    async fn icons_of(&self, server: &ServerName) -> Result<Vec<NamedIcon>, StoreError> {
        let sql = Sql::new(
            "SELECT n.path, n.url, n.theme, n.problem, n.checked_at, i.id, i.hash, i.kind, i.size \
             FROM server_icons n LEFT JOIN icons i ON i.hash = n.hash WHERE n.server = $1 ORDER BY n.position",
        );
        let rows = self.engine().rows(sql.bind(server.as_str())).await?;
        rows.iter().map(named_of).collect()
    }

    async fn icon_faces(&self, servers: &[ServerName]) -> Result<Vec<IconFace>, StoreError> {
        let mut faces = Vec::new();
        for some in servers.chunks(AT_ONCE) {
            let text = format!(
                "SELECT n.server, n.theme, i.id FROM server_icons n JOIN icons i ON i.hash = n.hash \
                 WHERE n.server IN ({}) ORDER BY n.server, n.position",
                values_list(some.len(), 1)
            );
            let names = some.iter().map(|name| Value::from(name.as_str())).collect();
            for row in &self.engine().rows(Sql::built(text, names)).await? {
                faces.push(IconFace {
                    server: row.parsed("server")?,
                    id: row.parsed("id")?,
                    theme: row.optional_word("theme", IconTheme::from_word)?,
                });
            }
        }
        Ok(faces)
    }

    async fn icons_due(
        &self,
        now: Timestamp,
        behind: Option<&ServerName>,
        among: u32,
    ) -> Result<IconsDue, StoreError> {
        let last = last_among(self.engine(), behind, among).await?;
        let mut sql = Sql::new(
            "SELECT s.name AS name, EXISTS (SELECT 1 FROM server_icons n WHERE n.server = s.name) AS is_known \
             FROM servers s LEFT JOIN icon_looks l ON l.server = s.name WHERE s.name > $1 \
             AND (l.server IS NULL OR l.revision <> s.revision OR l.again_at <= $2) \
             AND EXISTS (SELECT 1 FROM versions v WHERE v.server = s.name AND v.approval = 'approved' \
             AND v.lifecycle <> 'retired')",
        )
        .bind(behind.map_or("", ServerName::as_str))
        .bind(now);
        if let Some(last) = &last {
            sql.push_bound(" AND s.name <= ", last.as_str());
        }
        sql.push(" ORDER BY s.name");
        let rows = self.engine().rows(sql).await?;
        let servers = rows.iter().map(|row| {
            Ok(IconDue {
                server: row.parsed("name")?,
                is_known: row.boolean("is_known")?,
            })
        });
        Ok(IconsDue {
            servers: servers.collect::<Result<_, StoreError>>()?,
            last,
        })
    }

    async fn save_icons(&self, looks: Vec<IconLook>) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let mut is_changed = false;
        for look in looks {
            // Whoever removes the entry takes all of this along.
            let known = Sql::new("SELECT revision FROM servers WHERE name = $1").bind(look.server.as_str());
            if change.row(known).await?.is_none() {
                continue;
            }
            note_look(&mut change, &look).await?;
            if look.events.is_empty() {
                continue;
            }
            is_changed = true;
            replace(&mut change, &look).await?;
            change.record(&look.events).await?;
        }
        if is_changed {
            drop_unseen(&mut change).await?;
        }
        change.save().await
    }
}

/// Drops pictures that nobody shows any more.
pub(crate) async fn drop_unseen(change: &mut Change) -> Result<(), StoreError> {
    let unseen =
        "DELETE FROM icons WHERE NOT EXISTS (SELECT 1 FROM server_icons n WHERE n.hash = icons.hash)";
    change.execute(Sql::new(unseen)).await.map(drop)
}

async fn note_look(change: &mut Change, look: &IconLook) -> Result<(), StoreError> {
    let sql = Sql::new(
        "INSERT INTO icon_looks (server, revision, looked_at, again_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (server) DO UPDATE SET revision = excluded.revision, looked_at = excluded.looked_at, \
         again_at = excluded.again_at",
    )
    .bind(look.server.as_str())
    .bind(look.revision)
    .bind(look.at)
    .bind(look.again_at);
    change.execute(sql).await.map(drop)
}

async fn replace(change: &mut Change, look: &IconLook) -> Result<(), StoreError> {
    for icon in &look.fetched {
        let sql = Sql::new(
            "INSERT INTO icons (hash, id, kind, size, bytes) VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (hash) DO NOTHING",
        )
        .bind(&icon.hash)
        .bind(icon.id.to_string())
        .bind(icon.kind.as_str())
        .bind(icon.bytes.len() as u64)
        .bind(icon.bytes.clone());
        change.execute(sql).await?;
    }
    let former = Sql::new("DELETE FROM server_icons WHERE server = $1").bind(look.server.as_str());
    change.execute(former).await?;
    for (position, icon) in look.icons.iter().enumerate() {
        let sql = Sql::new(
            "INSERT INTO server_icons (server, position, path, url, theme, hash, problem, checked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(look.server.as_str())
        .bind(position as u64)
        .bind(&icon.path)
        .bind(&icon.url)
        .bind(icon.theme.map(IconTheme::as_str))
        .bind(icon.icon.as_ref().map(|facts| facts.hash.as_str()))
        .bind(icon.problem.as_deref())
        .bind(icon.checked_at);
        change.execute(sql).await?;
    }
    Ok(())
}

fn named_of(row: &Row) -> Result<NamedIcon, StoreError> {
    let icon = match row.optional_parsed("id")? {
        None => None,
        Some(id) => Some(IconFacts {
            id,
            hash: row.text("hash")?,
            kind: row.word("kind", IconKind::from_word)?,
            size: row.count("size")?,
        }),
    };
    Ok(NamedIcon {
        path: row.text("path")?,
        url: row.text("url")?,
        theme: row.optional_word("theme", IconTheme::from_word)?,
        icon,
        problem: row.optional_text("problem")?,
        checked_at: row.moment("checked_at")?,
    })
}
