//! The machine's randomness. Secrets are drawn one by one; the few bytes of an identifier come out of a stock, since
//! drawing costs more than the rest of an identifier and every request has one.

use std::cell::RefCell;

use portreeve_core::random::Rng;

/// Up to so many bytes are taken from the stock: identifiers, no keys.
const SMALL: usize = 16;
const STOCK: usize = 1024;

/// The machine's randomness.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemRng;

struct Stock {
    bytes: [u8; STOCK],
    left: usize,
}

thread_local! {
    static OF_THIS_THREAD: RefCell<Stock> = const {
        RefCell::new(Stock {
            bytes: [0; STOCK],
            left: 0,
        })
    };
}

impl Rng for SystemRng {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() <= SMALL {
            OF_THIS_THREAD.with_borrow_mut(|stock| stock.fill(bytes));
        } else {
            draw(bytes);
        }
    }
}

impl Stock {
    fn fill(&mut self, bytes: &mut [u8]) {
        if self.left < bytes.len() {
            draw(&mut self.bytes);
            self.left = STOCK;
        }
        let from = self.left - bytes.len();
        if let Some(taken) = self.bytes.get_mut(from..self.left) {
            bytes.copy_from_slice(taken);
            // What was given out stays nowhere else.
            taken.fill(0);
        }
        self.left = from;
    }
}

fn draw(bytes: &mut [u8]) {
    if aws_lc_rs::rand::fill(bytes).is_err() {
        // Nothing that needs randomness may go on without it.
        std::process::abort();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use portreeve_core::random::Rng as _;

    use super::SystemRng;

    #[test]
    fn no_identifier_comes_twice() {
        let draws: HashSet<[u8; 10]> = (0..1_000)
            .map(|_| {
                let mut bytes = [0; 10];
                SystemRng.fill(&mut bytes);
                bytes
            })
            .collect();
        assert_eq!(draws.len(), 1_000);
    }
}
