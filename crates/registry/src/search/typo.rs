//! Slips of the fingers: which terms somebody may have meant who typed one that nobody uses.
//!
//! Before: `index` found too little. After: it looks again, with these terms at a lower rate.

/// Shortest word that is taken for a slip: in shorter ones everything is near everything.
pub(super) const SHORTEST: usize = 4;

/// How many slips a word of that many characters may hold.
pub(super) const fn allowed(characters: usize) -> usize {
    match characters {
        0..SHORTEST => 0,
        SHORTEST..8 => 1,
        _ => 2,
    }
}

/// The slips between two words, swapped neighbours counting once; `None` when there are more than `most`.
pub(super) fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
    if one.len().abs_diff(other.len()) > most {
        return None;
    }
    let width = other.len() + 1;
    let (mut before, mut last): (Vec<usize>, Vec<usize>) = (vec![0; width], (0..width).collect());
    for (row, &a) in one.iter().enumerate() {
        let mut line = Vec::with_capacity(width);
        line.push(row + 1);
        let mut best = row + 1;
        for (column, &b) in other.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX);
            let changed = at(&last, column) + usize::from(a != b);
            let mut cost = changed.min(at(&last, column + 1) + 1).min(at(&line, column) + 1);
            let swapped =
                row > 0 && column > 0 && one.get(row - 1) == Some(&b) && other.get(column - 1) == Some(&a);
            if swapped {
                cost = cost.min(at(&before, column - 1) + 1);
            }
            best = best.min(cost);
            line.push(cost);
        }
        if best > most {
            return None;
        }
        before = std::mem::replace(&mut last, line);
    }
    last.last().copied().filter(|distance| *distance <= most)
}

/// The pairs of neighbours in a word, its edges counted in: what two near words share.
pub(super) fn pairs(word: &str) -> impl Iterator<Item = [char; 2]> + '_ {
    let edge = std::iter::once('^');
    let left = edge.clone().chain(word.chars());
    let right = word.chars().chain(std::iter::once('$'));
    left.zip(right).map(|(one, other)| [one, other])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(one: &str, other: &str) -> Option<usize> {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        distance(&chars(one), &chars(other), 2)
    }

    #[test]
    fn slips_are_counted() {
        assert_eq!(between("slack", "slack"), Some(0));
        assert_eq!(between("slakc", "slack"), Some(1));
        assert_eq!(between("slak", "slack"), Some(1));
        assert_eq!(between("postgers", "postgres"), Some(1));
        assert_eq!(between("kubernets", "kubernetes"), Some(1));
        assert_eq!(between("mail", "slack"), None);
        assert_eq!(between("", "ab"), Some(2));
        assert_eq!(between("", "abc"), None);
    }

    #[test]
    fn short_words_hold_no_slips() {
        assert_eq!([allowed(3), allowed(4), allowed(7), allowed(8)], [0, 1, 1, 2]);
    }

    #[test]
    fn pairs_have_edges() {
        assert_eq!(
            pairs("ab").collect::<Vec<_>>(),
            [['^', 'a'], ['a', 'b'], ['b', '$']]
        );
    }
}
