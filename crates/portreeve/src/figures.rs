//! Figures that are looked up when somebody asks for metrics: those of the search index.
//!
//! Before: the registry keeps its index. After: `serve` answers `/metrics`.

use std::sync::Arc;

use portreeve_registry::Registry;
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
