//! Sign-in links and sessions.

use super::{Durable, Outcome};
use crate::store_fixtures::{at, event, user};

/// A link works once, and not after its time.
pub async fn a_link_works_once(store: &dyn Durable) -> Outcome {
    let ada = user("ada");
    store.ensure_user(&ada, event("user.create")).await?;
    store.add_link("aa", ada.id, at(10)).await?;
    assert_eq!(store.take_link("bb", at(1)).await?, None);
    assert_eq!(store.take_link("aa", at(9)).await?, Some(ada.id));
    assert_eq!(store.take_link("aa", at(9)).await?, None);
    store.add_link("cc", ada.id, at(10)).await?;
    assert_eq!(store.take_link("cc", at(10)).await?, None);
    assert_eq!(store.take_link("cc", at(1)).await?, None);
    Ok(())
}

/// A session ends by its time or by signing out; purging leaves the living.
pub async fn a_session_ends(store: &dyn Durable) -> Outcome {
    let ada = user("ada");
    store.ensure_user(&ada, event("user.create")).await?;
    let generation = store.generation().await?;
    store.add_session("aa", ada.id, at(10)).await?;
    store.add_session("bb", ada.id, at(20)).await?;
    store.add_link("cc", ada.id, at(20)).await?;
    assert_eq!(store.session("aa", at(9)).await?, Some(ada.id));
    assert_eq!(store.session("aa", at(10)).await?, None);
    store.purge_expired(at(10)).await?;
    assert_eq!(store.session("aa", at(1)).await?, None);
    assert_eq!(store.session("bb", at(1)).await?, Some(ada.id));
    assert_eq!(store.take_link("cc", at(1)).await?, Some(ada.id));
    store.end_session("bb").await?;
    assert_eq!(store.session("bb", at(1)).await?, None);
    assert_eq!(
        store.generation().await?,
        generation,
        "sessions are no part of the catalogue"
    );
    Ok(())
}
