//! Who signs in, over a real store: passwords, and no provider.

use std::sync::Arc;

use portreeve_access::{Access, Login, LoginParts, LoginSettings};
use portreeve_core::limits::Limits;
use portreeve_core::ports::{Outgoing, Refresh};
use portreeve_core::secret::SecretKey;
use portreeve_net::{Egress, EgressConfig};
use portreeve_state::{InProcess, Start};
use portreeve_store::Store;
use url::Url;

pub(crate) fn any_login(
    access: &Arc<Access>,
    (store, outgoing): (&Store, Arc<dyn Outgoing>),
    (refresh, public_url): (Arc<dyn Refresh>, Url),
) -> Arc<Login> {
    let login = Login::new(LoginParts {
        access: Arc::clone(access),
        credentials: Arc::new(store.clone()),
        counters: Arc::new(InProcess::new(Start::Fresh)),
        refresh,
        egress: Egress::new(&EgressConfig::default()).unwrap(),
        limits: Arc::new(Limits::for_tests()),
        outgoing,
        sealing_key: SecretKey::new([5; 32]),
        public_url,
        settings: LoginSettings::default(),
    });
    Arc::new(login.unwrap())
}
