//! The two statistics that verdicts on pairs of fields rest on, as plain functions and as SQL functions.
//!
//! They are defined here once, because SQL has neither: the exact binomial tail (a normal approximation is wrong by
//! orders of magnitude where it matters, at small `p` and great `m`) and the Benjamini–Hochberg step-up.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::{
    common::{Result, ScalarValue},
    logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf},
};
use statrs::function::beta::beta_reg;

/// `P(X ≥ m)` for `X` binomial with `n` trials of chance `p`, as the regularised incomplete beta function
/// `I_p(m, n − m + 1)`. `m = 0` gives 1, `m > n` gives 0.
#[must_use]
pub fn binomial_tail(m: u64, n: u64, p: f64) -> f64 {
    if m == 0 {
        1.0
    } else if m > n || p <= 0.0 {
        0.0
    } else if p >= 1.0 {
        1.0
    } else {
        beta_reg(m as f64, (n - m + 1) as f64, p).clamp(0.0, 1.0)
    }
}

/// The adjusted values q of Benjamini and Hochberg (1995), in the order of the tails given: `q(i)` is the least of
/// `tail(j) · count / rank(j)` over all `j` whose tail is no smaller.
#[must_use]
pub fn benjamini_hochberg(tails: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..tails.len()).collect();
    order.sort_by(|&a, &b| tails[a].total_cmp(&tails[b]));
    let mut adjusted = vec![0.0; tails.len()];
    let mut least = 1.0_f64;
    for (position, &index) in order.iter().enumerate().rev() {
        least = least.min(tails[index] * tails.len() as f64 / (position + 1) as f64);
        adjusted[index] = least;
    }
    adjusted
}

/// The SQL function `binomial_tail(m BIGINT, n BIGINT, p DOUBLE)`; null where an argument is null or negative.
#[must_use]
pub fn binomial_tail_udf() -> ScalarUDF {
    create_udf(
        "binomial_tail",
        vec![DataType::Int64, DataType::Int64, DataType::Float64],
        DataType::Float64,
        Volatility::Immutable,
        Arc::new(binomial_tail_columns),
    )
}

fn binomial_tail_columns(arguments: &[ColumnarValue]) -> Result<ColumnarValue> {
    let scalar = arguments.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_)));
    let columns = ColumnarValue::values_to_arrays(arguments)?;
    let (m, n, p) = (
        columns[0].as_primitive::<Int64Type>(),
        columns[1].as_primitive::<Int64Type>(),
        columns[2].as_primitive::<Float64Type>(),
    );
    let tails: Float64Array = (0..m.len())
        .map(|row| {
            if m.is_null(row) || n.is_null(row) || p.is_null(row) {
                return None;
            }
            let (hits, trials) = (u64::try_from(m.value(row)).ok()?, u64::try_from(n.value(row)).ok()?);
            Some(binomial_tail(hits, trials, p.value(row)))
        })
        .collect();
    let tails: ArrayRef = Arc::new(tails);
    if scalar {
        return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&tails, 0)?));
    }
    Ok(ColumnarValue::Array(tails))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tail by adding up the probabilities, term by term.
    fn added_up(m: u64, n: u64, p: f64) -> f64 {
        let mut term = (1.0 - p).powf(n as f64);
        let mut total = 0.0;
        for k in 0..=n {
            if k >= m {
                total += term;
            }
            term *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
        }
        total
    }

    #[test]
    fn tail_equals_the_sum_of_its_terms() {
        for (m, n, p) in [(1, 10, 0.05), (3, 10, 0.5), (10, 10, 0.9), (40, 200, 0.1), (5, 1000, 0.001)] {
            let (got, expected) = (binomial_tail(m, n, p), added_up(m, n, p));
            assert!((got - expected).abs() <= 1e-9 * expected.max(1e-12), "{m} of {n} at {p}: {got} {expected}");
        }
    }

    #[test]
    fn tail_at_its_edges() {
        assert_eq!(binomial_tail(0, 10, 0.0), 1.0);
        assert_eq!(binomial_tail(1, 10, 0.0), 0.0);
        assert_eq!(binomial_tail(10, 10, 1.0), 1.0);
        assert_eq!(binomial_tail(11, 10, 0.5), 0.0);
        assert!(binomial_tail(20_000, 20_000, 1e-4) < 1e-300);
    }

    #[test]
    fn adjusted_values_of_the_published_example() {
        // Benjamini & Hochberg 1995, section 3.2: 15 tests, of which four are significant at 0.05.
        let tails = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
            0.7590, 1.0,
        ];
        let adjusted = benjamini_hochberg(&tails);
        assert_eq!(adjusted.iter().filter(|q| **q <= 0.05).count(), 4);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
        assert!(adjusted.is_sorted());
    }

    #[test]
    fn adjusted_values_keep_the_order_given() {
        assert_eq!(benjamini_hochberg(&[0.04, 0.01]), [0.04, 0.02]);
        assert_eq!(benjamini_hochberg(&[]), [] as [f64; 0]);
    }
}
