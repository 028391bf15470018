//! The parameters of the measurement: one typed set, stored with each result and printed in each report.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Every parameter, with the defaults of the method. What is read is refused where it is out of the bounds of its field,
/// both included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Gaps longer than this are `away`, seconds.
    #[serde(deserialize_with = "number::<0, 86_400, _>")]
    pub idle_threshold_s: f64,
    /// The first part of a wait that is no loss, seconds.
    #[serde(deserialize_with = "number::<0, 3600, _>")]
    pub tolerated_wait_s: f64,
    /// Time that going to another system takes, seconds.
    #[serde(deserialize_with = "number::<0, 3600, _>")]
    pub switch_s: f64,
    /// The longest that a wait is counted, seconds.
    #[serde(deserialize_with = "number::<0, 86_400, _>")]
    pub wait_open_max_s: f64,
    /// An interaction counts as open for this long, seconds …
    #[serde(deserialize_with = "number::<0, 86_400, _>")]
    pub open_base_s: f64,
    /// … and this much for each keystroke, seconds; …
    #[serde(deserialize_with = "number::<0, 3600, _>")]
    pub open_per_keystroke_s: f64,
    /// … or for this long where keystrokes are not counted, seconds.
    #[serde(deserialize_with = "number::<0, 86_400, _>")]
    pub open_uncounted_s: f64,
    /// A wait starting within this of the end of another joins its chain, milliseconds.
    #[serde(deserialize_with = "number::<0, 3_600_000, _>")]
    pub wait_chain_ms: f64,
    /// How far back a source of re-entry may lie, days.
    #[serde(deserialize_with = "number::<0, 36_500, _>")]
    pub look_back_days: f64,
    /// Pairs with a greater chance of agreeing are `constant`.
    #[serde(deserialize_with = "number::<0, 1, _>")]
    pub chance_max: f64,
    /// Greatest false discovery rate of an established pair.
    #[serde(deserialize_with = "number::<0, 1, _>")]
    pub q_max: f64,
    /// Fewest cases of a pair for a verdict.
    #[serde(deserialize_with = "whole::<1, 1_000_000, _>")]
    pub n_min: u64,
    /// Fewest trials for `p_near` to be known.
    #[serde(deserialize_with = "whole::<1, 1_000_000_000, _>")]
    pub near_trials_min: u64,
    /// An activity longer than this is none, hours.
    #[serde(deserialize_with = "number::<0, 24, _>")]
    pub activity_max_h: f64,
    /// A session off by more than this shifts the worker-day, seconds.
    #[serde(deserialize_with = "number::<0, 86_400, _>")]
    pub clock_tolerance_s: f64,
    /// An offset beyond this means a replay, hours.
    #[serde(deserialize_with = "number::<0, 720, _>")]
    pub clock_replay_h: f64,
    /// Pause that ends a run of one worker on one case, minutes.
    #[serde(deserialize_with = "number::<0, 1440, _>")]
    pub run_pause_min: f64,
    /// A component of more case numbers than this is not linked.
    #[serde(deserialize_with = "whole::<1, 1000, _>")]
    pub case_numbers_max: u64,
    /// How often people are resampled for an interval.
    #[serde(deserialize_with = "whole::<100, 100_000, _>")]
    pub bootstrap_replicates: u64,
    /// Where the draws of resampling begin.
    pub bootstrap_seed: u64,
    /// Fewest people for an interval: observed, and with a part in the figure.
    #[serde(deserialize_with = "whole::<2, 1_000_000, _>")]
    pub interval_people_min: u64,
    /// How often go-live dates are dealt out anew.
    #[serde(deserialize_with = "whole::<1, 100_000, _>")]
    pub permutations: u64,
    /// Days of work in a week: what a day of the diary is brought up by.
    #[serde(deserialize_with = "number::<1, 7, _>")]
    pub working_week_days: f64,
    /// Keystroke-level model (Card, Moran and Newell 1980): a key by an average typist, seconds; …
    #[serde(deserialize_with = "number::<0, 60, _>")]
    pub keystroke_s: f64,
    /// … pointing at something with a mouse, seconds; …
    #[serde(deserialize_with = "number::<0, 60, _>")]
    pub pointing_s: f64,
    /// … moving the hand between mouse and keyboard, seconds; …
    #[serde(deserialize_with = "number::<0, 60, _>")]
    pub homing_s: f64,
    /// … making up one's mind, seconds; …
    #[serde(deserialize_with = "number::<0, 60, _>")]
    pub preparing_s: f64,
    /// … and pressing or letting go of a mouse button, seconds.
    #[serde(deserialize_with = "number::<0, 60, _>")]
    pub button_s: f64,
    /// Fewest people of a stratum of resampling, and of a cell of an estimate; smaller ones are merged.
    #[serde(deserialize_with = "whole::<1, 1_000_000, _>")]
    pub stratum_people_min: u64,
    /// Working weeks of a year, weeks.
    #[serde(deserialize_with = "number::<1, 53, _>")]
    pub working_weeks: f64,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            idle_threshold_s: 60.0,
            tolerated_wait_s: 1.0,
            switch_s: 5.0,
            wait_open_max_s: 300.0,
            open_base_s: 60.0,
            open_per_keystroke_s: 2.0,
            open_uncounted_s: 300.0,
            wait_chain_ms: 100.0,
            look_back_days: 90.0,
            chance_max: 0.4,
            q_max: 0.01,
            n_min: 10,
            near_trials_min: 30,
            activity_max_h: 12.0,
            clock_tolerance_s: 5.0,
            clock_replay_h: 24.0,
            run_pause_min: 30.0,
            case_numbers_max: 8,
            bootstrap_replicates: 2000,
            bootstrap_seed: 1911,
            interval_people_min: 10,
            permutations: 999,
            working_week_days: 5.0,
            keystroke_s: 0.28,
            pointing_s: 1.10,
            homing_s: 0.40,
            preparing_s: 1.35,
            button_s: 0.10,
            stratum_people_min: 5,
            working_weeks: 44.0,
        }
    }
}

/// A number from `LOW` to `HIGH`.
fn number<'de, const LOW: u32, const HIGH: u32, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    let value = f64::deserialize(from)?;
    let fits = (f64::from(LOW)..=f64::from(HIGH)).contains(&value);
    fits.then_some(value).ok_or_else(|| D::Error::custom(format!("{value} is not between {LOW} and {HIGH}")))
}

/// A whole number from `LOW` to `HIGH`.
fn whole<'de, const LOW: u64, const HIGH: u64, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
    let value = u64::deserialize(from)?;
    let fits = (LOW..=HIGH).contains(&value);
    fits.then_some(value).ok_or_else(|| D::Error::custom(format!("{value} is not between {LOW} and {HIGH}")))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(name: &str, value: &Value) -> Result<Parameters, String> {
        serde_json::from_value(json!({ name: value })).map_err(|error| error.to_string())
    }

    #[test]
    fn the_defaults_are_within_bounds() {
        let written = serde_json::to_value(Parameters::default()).unwrap();
        assert_eq!(serde_json::from_value::<Parameters>(written).unwrap(), Parameters::default());
    }

    #[test]
    fn what_no_measurement_can_be_made_with_is_refused() {
        assert_eq!(read("chance_max", &json!(1.5)).unwrap_err(), "1.5 is not between 0 and 1");
        assert_eq!(read("n_min", &json!(0)).unwrap_err(), "0 is not between 1 and 1000000");
        let Value::Object(all) = serde_json::to_value(Parameters::default()).unwrap() else { panic!("no object") };
        for (name, usual) in all.iter().filter(|(name, _)| *name != "bootstrap_seed") {
            let beyond = if usual.is_u64() { [json!(0), json!(u64::MAX)] } else { [json!(-0.001), json!(1e9)] };
            for value in beyond {
                assert!(read(name, &value).unwrap_err().contains("is not between"), "{name} = {value}");
            }
        }
        for (value, holds) in [(0.0, true), (1.0, true), (f64::from_bits(1.0_f64.to_bits() + 1), false)] {
            assert_eq!(read("q_max", &json!(value)).is_ok(), holds, "{value}");
        }
    }
}
