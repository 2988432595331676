//! Slips of the fingers: which terms somebody may have meant who typed one that nobody uses.
//!
//! Before: `rank` found too little. After: it looks again, with these terms at a lower rate.

/// Shortest word that is taken for a slip: in shorter ones everything is near everything.
pub(crate) const SHORTEST: usize = 4;

/// How many slips a word of that many characters may hold.
pub(crate) const fn allowed(characters: usize) -> usize {
    match characters {
        0..SHORTEST => 0,
        SHORTEST..8 => 1,
        _ => 2,
    }
}

/// The slips between two words, swapped neighbours counting once; `None` when there are more than `most`.
pub(crate) fn distance(one: &[char], other: &[char], most: usize) -> Option<usize> {
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

/// Which letters a word has, one bit for each: what a slip changes are at most two of them.
pub(crate) fn letters(word: &str) -> u64 {
    let bit = |character: char| match character {
        'a'..='z' => u32::from(character) - u32::from('a'),
        '0'..='9' => 26 + u32::from(character) - u32::from('0'),
        other => 36 + u32::from(other) % 28,
    };
    word.chars()
        .fold(0, |letters, character| letters | 1 << bit(character))
}

/// Whether words with these letters may be so many slips apart.
pub(crate) const fn may_be_near(one: u64, other: u64, most: usize) -> bool {
    (one ^ other).count_ones() as usize <= 2 * most
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    proptest! {
        #[test]
        fn words_that_are_near_have_near_letters(one in "[a-dä0]{4,9}", other in "[a-dä0]{4,9}") {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            if let Some(slips) = distance(&chars(&one), &chars(&other), 2) {
                prop_assert!(may_be_near(letters(&one), letters(&other), slips));
            }
        }
    }
}
