//! Many small things in one piece of memory each: an allocation for every word of 100,000 servers would cost more than the
//! words.

/// Texts by their number.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    all: String,
    ends: Vec<u32>,
}

/// Rows of things by their number.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    items: Vec<T>,
    ends: Vec<u32>,
}

/// The number of something in a list. Lists here end long before `u32` does: their memory would be 16 GiB.
pub(crate) fn number(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// From the end of the one before to its own; empty behind the last one.
fn range(ends: &[u32], at: u32) -> std::ops::Range<usize> {
    let at = at as usize;
    let Some(end) = ends.get(at) else { return 0..0 };
    let start = at.checked_sub(1).and_then(|before| ends.get(before));
    start.map_or(0, |start| *start as usize)..*end as usize
}

// === impl Texts ===

impl Texts {
    pub(crate) fn push(&mut self, text: &str) {
        self.all.push_str(text);
        self.ends.push(number(self.all.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where a text stands in [`Self::whole`].
    pub(crate) fn range(&self, at: u32) -> std::ops::Range<usize> {
        range(&self.ends, at)
    }

    pub(crate) fn get(&self, at: u32) -> &str {
        self.all.get(self.range(at)).unwrap_or_default()
    }

    /// All texts, one behind the other.
    pub(crate) fn whole(&self) -> &str {
        &self.all
    }

    /// The number of the text that this byte of the whole belongs to.
    pub(crate) fn at_byte(&self, byte: usize) -> u32 {
        number(self.ends.partition_point(|end| *end as usize <= byte))
    }

    /// The first text that is not before this one, where they are in order.
    pub(crate) fn lower_bound(&self, text: &str) -> u32 {
        let (mut low, mut high) = (0, number(self.len()));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < text {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// No more is pushed.
    pub(crate) fn shrink(&mut self) {
        self.all.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.all.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

// === impl Rows ===

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl<T> Rows<T> {
    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = T>) {
        self.items.extend(row);
        self.ends.push(number(self.items.len()));
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Where a row stands among all items.
    pub(crate) fn range(&self, at: u32) -> std::ops::Range<usize> {
        range(&self.ends, at)
    }

    pub(crate) fn get(&self, at: u32) -> &[T] {
        self.items.get(self.range(at)).unwrap_or_default()
    }

    pub(crate) fn shrink(&mut self) {
        self.items.shrink_to_fit();
        self.ends.shrink_to_fit();
    }

    pub(crate) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<T>() + self.ends.capacity() * size_of::<u32>()
    }
}

impl Rows<u32> {
    /// The other way round: for each of so many numbers, the rows that it stands in.
    pub(crate) fn turned(&self, numbers: usize) -> Self {
        let mut next = vec![0_u32; numbers];
        for one in &self.items {
            if let Some(count) = next.get_mut(*one as usize) {
                *count += 1;
            }
        }
        let mut ends = Vec::with_capacity(numbers);
        let mut sum = 0;
        for count in &mut next {
            let start = sum;
            sum += *count;
            *count = start;
            ends.push(sum);
        }
        let mut items = vec![0; sum as usize];
        for row in 0..number(self.len()) {
            for one in self.get(row) {
                let place = next.get_mut(*one as usize);
                if let Some(slot) = place.and_then(|place| {
                    *place += 1;
                    items.get_mut(*place as usize - 1)
                }) {
                    *slot = row;
                }
            }
        }
        Self { items, ends }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_rows_come_back() {
        let mut texts = Texts::default();
        for text in ["ab", "", "c", "düx"] {
            texts.push(text);
        }
        assert_eq!([0, 1, 2, 3].map(|at| texts.get(at)), ["ab", "", "c", "düx"]);
        assert_eq!(texts.get(9), "");
        assert_eq!([0, 1, 2, 3].map(|byte| texts.at_byte(byte)), [0, 0, 2, 3]);
        let mut rows = Rows::default();
        for row in [&[1, 2][..], &[], &[3]] {
            rows.push(row.iter().copied());
        }
        assert_eq!([0, 1, 2, 3].map(|at| rows.get(at)), [&[1, 2][..], &[], &[3], &[]]);
    }

    #[test]
    fn rows_are_turned() {
        let mut rows = Rows::default();
        for row in [&[0, 2][..], &[2], &[]] {
            rows.push(row.iter().copied());
        }
        let turned = rows.turned(3);
        assert_eq!([0, 1, 2].map(|at| turned.get(at)), [&[0][..], &[], &[0, 1]]);
    }

    #[test]
    fn the_first_that_is_not_before_is_found() {
        let mut texts = Texts::default();
        for text in ["b", "d", "da"] {
            texts.push(text);
        }
        assert_eq!(
            ["a", "b", "c", "d", "db"].map(|text| texts.lower_bound(text)),
            [0, 0, 1, 1, 3]
        );
    }
}
