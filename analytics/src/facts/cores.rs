//! Work shared out over cores.

use std::sync::{Mutex, PoisonError};

/// How many cores there are to work on.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does something with each piece, as many at a time as there are cores; results are in the order of the pieces. Blocks
/// until all are done.
pub fn on_cores<T: Send, R: Send>(pieces: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let pieces_left = Mutex::new(pieces.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores() {
            scope.spawn(|| {
                loop {
                    let next = pieces_left.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some((place, piece)) = next else { break };
                    let result = work(piece);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((place, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_unstable_by_key(|(place, _)| *place);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_pieces() {
        assert_eq!(on_cores((0..100).collect(), |piece: u32| piece * 2), (0..200).step_by(2).collect::<Vec<u32>>());
    }
}
