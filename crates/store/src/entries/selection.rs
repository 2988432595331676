//! What a registry selects, as conditions of a list. `Selection::admits` says the same of one entry; a contract test
//! compares the two.
//!
//! A page is read in the order of names. Where a condition holds for many servers, it is asked of each row that the page
//! comes to; where it holds for few, the page would come to all rows for nothing, so its servers are found first, by an
//! index. Which is which is counted, up to a bound, before each page.

use portreeve_core::ports::StoreError;
use portreeve_core::view::Selection;

use crate::engine::{Sql, Value};
use crate::store::Store;

/// Servers that are found first. Above, a page meets enough of them on its way.
const FEW: i64 = 1_000;

/// One thing that a registry selects by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Tags,
    Environments,
    Lifecycles,
    Namespaces,
}

// === impl Condition ===

impl Condition {
    const ALL: [Self; 4] = [Self::Tags, Self::Environments, Self::Lifecycles, Self::Namespaces];

    fn is_asked(self, selection: &Selection) -> bool {
        match self {
            Self::Tags => !selection.tags.is_empty(),
            Self::Environments => !selection.environments.is_empty(),
            Self::Lifecycles => !selection.lifecycles.is_empty(),
            Self::Namespaces => !selection.namespaces.is_empty(),
        }
    }

    /// The servers for which it holds, as `t.server` of a table `t`.
    fn write_servers(self, sql: &mut Sql, selection: &Selection) {
        match self {
            Self::Tags => {
                sql.push("SELECT t.server FROM server_tags t WHERE t.tag IN (");
                members(sql, selection.tags.iter().map(Value::from));
            }
            Self::Environments => {
                sql.push("SELECT t.server FROM routes t WHERE t.state = 'active' AND t.environment IN (");
                members(
                    sql,
                    selection
                        .environments
                        .iter()
                        .map(|name| Value::from(name.as_str())),
                );
            }
            Self::Lifecycles => {
                sql.push("SELECT t.server FROM versions t WHERE t.is_latest AND t.lifecycle IN (");
                members(
                    sql,
                    selection
                        .lifecycles
                        .iter()
                        .map(|stage| Value::from(stage.as_str())),
                );
            }
            Self::Namespaces => {
                sql.push("SELECT t.name AS server FROM servers t WHERE (");
                for (index, pattern) in selection.namespaces.iter().enumerate() {
                    let root = pattern.root();
                    // `.`, `/` and `0` stand side by side in ASCII: from `com.acme.` to before `com.acme0` lies
                    // everything below `com.acme` and everything in it.
                    let begin = if pattern.reaches_below() { '.' } else { '/' };
                    let text = if index == 0 {
                        "(lower(t.name) >= "
                    } else {
                        " OR (lower(t.name) >= "
                    };
                    sql.push_bound(text, format!("{root}{begin}"));
                    sql.push_bound(" AND lower(t.name) < ", format!("{root}0"));
                    sql.push(")");
                }
            }
        }
        sql.push(")");
    }

    async fn count(self, store: &Store, selection: &Selection) -> Result<i64, StoreError> {
        let mut sql = Sql::new("SELECT COUNT(*) AS found FROM (");
        self.write_servers(&mut sql, selection);
        sql.push_bound(" LIMIT ", FEW + 1);
        sql.push(") few");
        let row = store.engine().row(sql).await?;
        row.map_or(Ok(0), |row| row.integer("found"))
    }
}

/// The condition that holds for the fewest servers, if those are few.
pub(super) async fn rarest(store: &Store, selection: &Selection) -> Result<Option<Condition>, StoreError> {
    let mut rarest = None;
    let mut fewest = FEW + 1;
    for condition in Condition::ALL {
        if condition.is_asked(selection) {
            let found = condition.count(store, selection).await?;
            if found < fewest {
                (rarest, fewest) = (Some(condition), found);
            }
        }
    }
    Ok(rarest)
}

/// Narrows a list over `versions v` to the servers that are selected, beginning with the rarest condition.
pub(super) fn narrow(sql: &mut Sql, selection: &Selection, rarest: Option<Condition>) {
    if let Some(condition) = rarest {
        sql.push(" AND v.server IN (");
        condition.write_servers(sql, selection);
        sql.push(")");
    }
    for condition in Condition::ALL {
        if condition.is_asked(selection) && rarest != Some(condition) {
            sql.push(" AND EXISTS (");
            condition.write_servers(sql, selection);
            sql.push(match condition {
                Condition::Namespaces => " AND t.name = v.server)",
                _ => " AND t.server = v.server)",
            });
        }
    }
}

fn members(sql: &mut Sql, values: impl Iterator<Item = Value>) {
    for (index, value) in values.enumerate() {
        sql.push_bound(if index == 0 { "" } else { ", " }, value);
    }
}
