//! Work shared out over cores.

use std::sync::{Mutex, PoisonError};

/// How many cores there are to work on.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Does two things at a time.
pub fn both<A: Send, B>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let one = scope.spawn(one);
        let other = other();
        (one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), other)
    })
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

/// The same for pieces that add to something: each core begins with nothing and adds pieces to it; gives what each core
/// has in the end. Which pieces go to which core is a matter of chance.
pub fn sums_on_cores<T: Send, S: Default + Send>(pieces: Vec<T>, add: impl Fn(&mut S, T) + Sync) -> Vec<S> {
    let pieces_left = Mutex::new(pieces.into_iter());
    on_cores(vec![(); cores()], |()| {
        let mut sum = S::default();
        loop {
            let next = pieces_left.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(piece) = next else { break sum };
            add(&mut sum, piece);
        }
    })
}

/// Sorts by a key: each core a part, and then the parts, which are in order already, together.
pub fn sort_on_cores<T: Send, K: Ord>(all: &mut [T], key: impl Fn(&T) -> K + Sync) {
    let part = all.len().div_ceil(cores()).max(1);
    on_cores(all.chunks_mut(part).collect(), |part| part.sort_unstable_by_key(&key));
    all.sort_by_key(key);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_the_order_of_the_pieces() {
        assert_eq!(on_cores((0..100).collect(), |piece: u32| piece * 2), (0..200).step_by(2).collect::<Vec<u32>>());
    }

    #[test]
    fn what_cores_sort_is_in_order() {
        for count in [0, 1, 2, 3, 1_001_u32] {
            let mut all: Vec<u32> = (0..count).map(|number| number.wrapping_mul(2_654_435_761) % 997).collect();
            let mut expected = all.clone();
            expected.sort_unstable();
            sort_on_cores(&mut all, |number| *number);
            assert_eq!(all, expected);
        }
    }

    #[test]
    fn every_piece_is_added_once() {
        let sums: Vec<Vec<u32>> = sums_on_cores((0..100).collect(), Vec::push);
        let mut all = sums.concat();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<u32>>());
    }
}
