//! The parameters of the measurement: one typed set, stored with each result and printed in each report.

use serde::{Deserialize, Serialize};

/// Every parameter, with the defaults of the method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Parameters {
    /// Gaps longer than this are `away`, seconds.
    pub idle_threshold_s: f64,
    /// The first part of a wait that is no loss, seconds.
    pub tolerated_wait_s: f64,
    /// Time that going to another system takes, seconds.
    pub switch_s: f64,
    /// The longest that a wait is counted, seconds.
    pub wait_open_max_s: f64,
    /// An interaction counts as open for this long, seconds …
    pub open_base_s: f64,
    /// … and this much for each keystroke, seconds; …
    pub open_per_keystroke_s: f64,
    /// … or for this long where keystrokes are not counted, seconds.
    pub open_uncounted_s: f64,
    /// A wait starting within this of the end of another joins its chain, milliseconds.
    pub wait_chain_ms: f64,
    /// How far back a source of re-entry may lie, days.
    pub look_back_days: f64,
    /// Pairs with a greater chance of agreeing are `constant`.
    pub chance_max: f64,
    /// Greatest false discovery rate of an established pair.
    pub q_max: f64,
    /// Fewest cases of a pair for a verdict.
    pub n_min: u64,
    /// Fewest trials for `p_near` to be known.
    pub near_trials_min: u64,
    /// An activity longer than this is none, hours.
    pub activity_max_h: f64,
    /// A session off by more than this shifts the worker-day, seconds.
    pub clock_tolerance_s: f64,
    /// An offset beyond this means a replay, hours.
    pub clock_replay_h: f64,
    /// Pause that ends a run of one worker on one case, minutes.
    pub run_pause_min: f64,
    /// A component of more case numbers than this is not linked.
    pub case_numbers_max: u64,
    /// How often people are resampled for an interval.
    pub bootstrap_replicates: u64,
    /// Where the draws of resampling begin.
    pub bootstrap_seed: u64,
    /// Fewest people for an interval: observed, and with a part in the figure.
    pub interval_people_min: u64,
    /// How often go-live dates are dealt out anew.
    pub permutations: u64,
    /// Days of work in a week: what a day of the diary is brought up by.
    pub working_week_days: f64,
    /// Keystroke-level model (Card, Moran and Newell 1980): a key by an average typist, seconds; …
    pub keystroke_s: f64,
    /// … pointing at something with a mouse, seconds; …
    pub pointing_s: f64,
    /// … moving the hand between mouse and keyboard, seconds; …
    pub homing_s: f64,
    /// … making up one's mind, seconds; …
    pub preparing_s: f64,
    /// … and pressing or letting go of a mouse button, seconds.
    pub button_s: f64,
    /// Fewest people of a stratum of resampling, and of a cell of an estimate; smaller ones are merged.
    pub stratum_people_min: u64,
    /// Working weeks of a year, weeks.
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
