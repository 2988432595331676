//! Icons in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::icon::{Icon, IconFace, NamedIcon};
use portreeve_core::id::IconId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{IconDue, IconLook, IconStore, IconsDue, StoreError};
use portreeve_core::time::Timestamp;

use super::store::Memory;

pub(super) struct Pictures {
    store: Arc<Memory>,
    kept: Mutex<BTreeMap<String, Icon>>,
    named: Mutex<BTreeMap<ServerName, (i64, Vec<NamedIcon>)>>,
}

impl Pictures {
    pub(super) fn over(store: Arc<Memory>) -> Self {
        Self {
            store,
            kept: Mutex::default(),
            named: Mutex::default(),
        }
    }
}

#[async_trait]
impl IconStore for Pictures {
    async fn icon(&self, id: IconId) -> Result<Option<Icon>, StoreError> {
        let kept = self.kept.lock().unwrap();
        Ok(kept.values().find(|icon| icon.id == id).cloned())
    }

    async fn icons_of(&self, server: &ServerName) -> Result<Vec<NamedIcon>, StoreError> {
        let named = self.named.lock().unwrap();
        Ok(named
            .get(server)
            .map(|(_, icons)| icons.clone())
            .unwrap_or_default())
    }

    async fn icon_faces(&self, servers: &[ServerName]) -> Result<Vec<IconFace>, StoreError> {
        let named = self.named.lock().unwrap();
        let of = |server: &ServerName| {
            let icons = named
                .get(server)
                .map(|(_, icons)| icons.clone())
                .unwrap_or_default();
            let server = server.clone();
            icons.into_iter().filter_map(move |icon| {
                Some(IconFace {
                    server: server.clone(),
                    id: icon.icon?.id,
                    theme: icon.theme,
                })
            })
        };
        Ok(servers.iter().flat_map(of).collect())
    }

    async fn icons_due(&self, _: Timestamp, _: Option<&ServerName>, _: u32) -> Result<IconsDue, StoreError> {
        let versions = self.store.versions();
        let mut names: Vec<ServerName> = versions
            .into_iter()
            .filter(portreeve_core::server::Version::is_listed)
            .map(|version| version.name)
            .collect();
        names.dedup();
        let due = names.into_iter().map(|server| IconDue {
            is_known: true,
            server,
        });
        Ok(IconsDue {
            servers: due.collect(),
            last: None,
        })
    }

    async fn save_icons(&self, looks: Vec<IconLook>) -> Result<(), StoreError> {
        for look in looks {
            let mut kept = self.kept.lock().unwrap();
            for icon in look.fetched {
                kept.entry(icon.hash.clone()).or_insert(icon);
            }
            self.named
                .lock()
                .unwrap()
                .insert(look.server, (look.revision, look.icons));
            self.store.note(&look.events);
        }
        Ok(())
    }
}
