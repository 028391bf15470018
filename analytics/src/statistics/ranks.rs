//! How far the place of a figure among others can be trusted.

use super::ratios::Resampled;

/// Share of replicates in which the place is better, and worse, than the interval says.
const TAIL: f64 = 0.025;

/// The best and the worst place of each figure, 1 for the greatest: in all but 2.5 % of the replicates its place is no
/// better, and in all but 2.5 % no worse. Places overlap where the order is noise (Goldstein & Spiegelhalter 1996,
/// section 4.2). Of equal figures the first comes first.
#[must_use]
pub fn places(figures: &[&Resampled]) -> Vec<(i64, i64)> {
    let replicates = figures.iter().map(|figure| figure.replicates.len()).min().unwrap_or(0);
    if replicates == 0 {
        return vec![(1, figures.len() as i64); figures.len()];
    }
    let mut counts = vec![vec![0_u32; figures.len()]; figures.len()];
    let mut order: Vec<usize> = (0..figures.len()).collect();
    for replicate in 0..replicates {
        let value = |figure: usize| {
            let value = figures[figure].replicates[replicate].value;
            if value.is_finite() { value } else { 0.0 }
        };
        order.sort_unstable_by(|&one, &other| value(other).total_cmp(&value(one)).then(one.cmp(&other)));
        for (place, &figure) in order.iter().enumerate() {
            counts[figure][place] += 1;
        }
    }
    let outside = (TAIL * replicates as f64).floor() as u32;
    counts
        .iter()
        .map(|counts| (from_best(counts, outside), 1 + counts.len() as i64 - from_worst(counts, outside)))
        .collect()
}

/// The first place by which more than so many replicates are passed.
fn from_best(counts: &[u32], outside: u32) -> i64 {
    passed(counts.iter(), outside)
}

fn from_worst(counts: &[u32], outside: u32) -> i64 {
    passed(counts.iter().rev(), outside)
}

fn passed<'a>(counts: impl Iterator<Item = &'a u32>, outside: u32) -> i64 {
    let mut so_far = 0;
    let mut place = 0;
    for count in counts {
        so_far += count;
        place += 1;
        if so_far > outside {
            break;
        }
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::ratios::Estimate;

    fn figure(values: impl Iterator<Item = f64>) -> Resampled {
        let estimate = |value| Estimate { value, relative_error: 0.1 };
        Resampled { measured: estimate(1.0), replicates: values.map(estimate).collect() }
    }

    #[test]
    fn places_are_sure_where_figures_are_apart_and_open_where_they_are_not() {
        // The first always leads. The second and third change places every other time; the fourth leads the third in
        // 2 of 100, which is within the 2.5 %.
        let figures = [
            figure((0..100).map(|_| 9.0)),
            figure((0..100).map(|k| 5.0 + f64::from(k % 2))),
            figure((0..100).map(|_| 5.5)),
            figure((0..100).map(|k| if k < 2 { 5.7 } else { 1.0 })),
        ];
        assert_eq!(places(&figures.each_ref()), [(1, 1), (2, 3), (2, 3), (4, 4)]);
    }

    #[test]
    fn equal_figures_keep_their_order_and_nothing_has_no_place() {
        let even = [figure((0..10).map(|_| 2.0)), figure((0..10).map(|_| 2.0)), figure((0..10).map(|_| f64::NAN))];
        assert_eq!(places(&even.each_ref()), [(1, 1), (2, 2), (3, 3)]);
        assert_eq!(places(&[]), []);
    }
}
