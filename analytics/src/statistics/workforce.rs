//! Estimates for a whole workforce: people observed stand for those of their organisation and role who were not.
//!
//! Post-stratified: the figure of each cell times its headcount (Holt & Smith 1979). Whoever is resampled is resampled
//! within the cell, since the sizes of the cells are what they are. Which places make a cell is told by the view
//! `coverage`.

use std::collections::BTreeMap;

use arrow::{array::Array, record_batch::RecordBatch};

use super::parts::{Person, double};
use crate::{
    Error,
    operators::columns::{boolean, integer, text, word},
};

/// An organisation and a role.
type Place = (Option<String>, Option<String>);

/// A measure of a workforce.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Measure {
    /// Its name in `headline`.
    pub(super) name: &'static str,
    /// What an hour per person-week in each cell adds to it; none where what it needs is not known.
    pub(super) weights: Option<Vec<f64>>,
}

/// The cells of a workforce.
#[derive(Debug, Default)]
pub(super) struct Workforce {
    cells: Vec<Cell>,
    of_place: BTreeMap<Place, usize>,
}

#[derive(Debug, Clone)]
struct Cell {
    headcount: f64,
    // Headcount times hourly cost; none where any place of the cell has no cost.
    hourly_costs: Option<f64>,
}

impl Workforce {
    /// Reads the view `coverage`.
    pub(super) fn read(rows: &RecordBatch) -> Result<Self, Error> {
        let texts = |name| text(rows, name);
        let (organisation, role) = (texts("organisation")?, texts("role")?);
        let (cell_organisation, cell_role) = (texts("cell_organisation")?, texts("cell_role")?);
        let (headcount, cost) = (integer(rows, "headcount")?, double(rows, "hourly_cost")?);
        let estimated = boolean(rows, "estimated")?;
        let owned = |column: &arrow::array::StringArray, row| word(column, row).map(str::to_owned);
        let places: BTreeMap<Place, usize> = (0..rows.num_rows())
            .filter(|row| estimated.value(*row))
            .map(|row| ((owned(&organisation, row), owned(&role, row)), row))
            .collect();
        let mut cells: BTreeMap<Place, Cell> = BTreeMap::new();
        let of_row = |row| (owned(&cell_organisation, row), owned(&cell_role, row));
        for &row in places.values() {
            let people = headcount.value(row) as f64;
            let costs = cost.is_valid(row).then(|| people * cost.value(row));
            let cell = cells.entry(of_row(row)).or_insert(Cell { headcount: 0.0, hourly_costs: Some(0.0) });
            cell.headcount += people;
            cell.hourly_costs = cell.hourly_costs.zip(costs).map(|(sum, costs)| sum + costs);
        }
        let numbers: BTreeMap<&Place, usize> = cells.keys().enumerate().map(|(number, cell)| (cell, number)).collect();
        let of_place = places.iter().map(|(place, row)| (place.clone(), numbers[&of_row(*row)])).collect();
        Ok(Self { of_place, cells: cells.into_values().collect() })
    }

    /// The cell of a person; none for somebody who has no part in estimates.
    pub(super) fn cell(&self, person: &Person) -> Option<usize> {
        if person.person_weeks <= 0.0 {
            return None;
        }
        self.of_place.get(&(person.organisation.clone(), person.role.clone())).copied()
    }

    /// How many cells there are.
    pub(super) fn cells(&self) -> usize {
        self.cells.len()
    }

    /// What is estimated of hours lost per person-week, in a year of so many working weeks.
    pub(super) fn measures(&self, working_weeks: f64) -> [Measure; 3] {
        let headcounts: Vec<f64> = self.cells.iter().map(|cell| cell.headcount).collect();
        let people: f64 = headcounts.iter().sum();
        let costs: Option<Vec<f64>> = self.cells.iter().map(|cell| cell.hourly_costs).collect();
        let scaled = |of: &[f64], by: f64| of.iter().map(|one| one * by).collect();
        [
            Measure { name: "lost_hours_per_person_week_estimated", weights: Some(scaled(&headcounts, 1.0 / people)) },
            Measure { name: "lost_hours_per_year_estimated", weights: Some(scaled(&headcounts, working_weeks)) },
            Measure { name: "cost_of_lost_hours_per_year", weights: costs.map(|costs| scaled(&costs, working_weeks)) },
        ]
    }
}
