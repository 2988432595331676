//! Every measurement, and what is asked of them: medians over the rounds, and how far the rounds lie apart.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::contestants::Contestant;

/// One measurement of one contestant in one cell.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) cell: String,
    pub(crate) contestant: Contestant,
    pub(crate) round: usize,
    pub(crate) figures: BTreeMap<&'static str, f64>,
    /// Answers that were wrong, and what was wrong with the first.
    pub(crate) failed: u64,
    pub(crate) why: String,
}

/// All measurements of a run.
#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    /// What a reader must know besides.
    pub(crate) notes: Vec<String>,
}

/// What several rounds say together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Middle {
    pub(crate) median: f64,
    /// Half the distance between the least and the greatest, as a share of the median.
    pub(crate) spread: f64,
}

impl Results {
    /// The names of the cells, in the order in which they were measured.
    pub(crate) fn cells(&self) -> Vec<&str> {
        let mut cells: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !cells.contains(&row.cell.as_str()) {
                cells.push(&row.cell);
            }
        }
        cells
    }

    /// The contestants of a cell.
    pub(crate) fn contestants(&self, cell: &str) -> Vec<Contestant> {
        let mut contestants: Vec<_> = self.of(cell).map(|row| row.contestant).collect();
        contestants.sort_unstable();
        contestants.dedup();
        contestants
    }

    /// The rows of a cell.
    pub(crate) fn of<'a>(&'a self, cell: &'a str) -> impl Iterator<Item = &'a Row> {
        self.rows.iter().filter(move |row| row.cell == cell)
    }

    /// A figure over all rounds.
    pub(crate) fn middle(&self, cell: &str, contestant: Contestant, figure: &str) -> Option<Middle> {
        let values = self
            .of(cell)
            .filter(|row| row.contestant == contestant)
            .filter_map(|row| row.figures.get(figure).copied());
        Middle::of(values.collect())
    }

    /// The median of a figure.
    pub(crate) fn median(&self, cell: &str, contestant: Contestant, figure: &str) -> Option<f64> {
        self.middle(cell, contestant, figure).map(|middle| middle.median)
    }

    pub(crate) fn json(&self) -> Value {
        let row = |row: &Row| {
            json!({
                "cell": row.cell,
                "contestant": row.contestant.name(),
                "round": row.round,
                "figures": row.figures,
                "failed": row.failed,
                "why": row.why,
            })
        };
        Value::Array(self.rows.iter().map(row).collect())
    }
}

impl Middle {
    fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (first, last) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let median = match values.len() % 2 {
            1 => upper,
            _ => f64::midpoint(*values.get(half - 1)?, upper),
        };
        let spread = if median == 0.0 {
            0.0
        } else {
            (last - first) / 2.0 / median
        };
        Some(Self { median, spread })
    }
}

#[cfg(test)]
mod tests {
    use super::Middle;

    #[test]
    fn a_median_stands_in_the_middle() {
        assert_eq!(Middle::of(Vec::new()), None);
        for (values, median, spread) in [
            (vec![4.0], 4.0, 0.0),
            (vec![6.0, 2.0], 4.0, 0.5),
            (vec![9.0, 1.0, 4.0], 4.0, 1.0),
            (vec![0.0, 0.0], 0.0, 0.0),
        ] {
            assert_eq!(Middle::of(values), Some(Middle { median, spread }));
        }
    }
}
