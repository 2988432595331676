//! Figures that are looked up when somebody asks for metrics: those of the search index, and of partners.
//!
//! Before: the registry keeps its index and its partners. After: `serve` answers `/metrics`.

use std::sync::Arc;

use portreeve_registry::Registry;
use portreeve_registry::partners::Partners;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry as Metrics;

#[derive(Debug)]
struct Search(Arc<Registry>);

/// Adds the figures.
pub(crate) fn register(metrics: &mut Metrics, registry: &Arc<Registry>) {
    metrics.register_collector(Box::new(Search(Arc::clone(registry))));
}

#[derive(Debug)]
struct OfPartners(Arc<Partners>);

/// Adds those of partners.
pub(crate) fn register_partners(metrics: &mut Metrics, partners: &Arc<Partners>) {
    metrics.register_collector(Box::new(OfPartners(Arc::clone(partners))));
}

impl Collector for OfPartners {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let status = self.0.status();
        let counts = status.counts;
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let version = status
            .version
            .map_or(0, |version| i64::try_from(version).unwrap_or(i64::MAX));
        for (name, help, value) in [
            (
                "servers",
                "Partners' servers that are listed or withdrawn",
                count(counts.servers),
            ),
            (
                "registered",
                "Partners' servers that are registered here",
                count(counts.registered),
            ),
            (
                "failing",
                "Partners' servers that could not be reached, or must be mended",
                count(counts.failing),
            ),
            (
                "tools_changed",
                "Partners' servers with other tools than were checked",
                count(counts.tools_changed),
            ),
            (
                "revoked",
                "Partners' servers that nobody may call",
                count(counts.revoked),
            ),
            (
                "catalogue_version",
                "The version of the pulled catalogue; 0 without one",
                version,
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let name = format!("portreeve_partner_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

impl Collector for Search {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let state = self.0.search_state();
        let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        for (name, help, value) in [
            ("servers", "Servers in the search index", count(state.entries)),
            (
                "index_bytes",
                "Memory of the search index, about",
                count(state.bytes),
            ),
            (
                "index_segments",
                "Segments of the search index",
                count(state.segments),
            ),
            (
                "index_whole",
                "1 once the search index knew every server since the start",
                i64::from(state.is_whole),
            ),
        ] {
            let gauge = ConstGauge::new(value);
            let name = format!("portreeve_search_{name}");
            gauge.encode(encoder.encode_descriptor(&name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}
