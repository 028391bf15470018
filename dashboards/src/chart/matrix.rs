//! A heat map with its numbers in it: rows are where a value was held, columns where it was keyed again. The number
//! is the finding and the shade repeats it, so nothing is said by colour alone.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::backend::Svg;
use super::metrics::{self, Weight};
use super::palette::{GRID, INK, PAPER, QUIET, SERIES};
use super::{Figure, Layout};
use crate::number;

const SIZE: f64 = 15.0;
const ROW: i32 = 42;

/// What to draw: `cells[row][column]`, none where nothing was keyed again.
#[derive(Debug, Clone)]
pub(crate) struct Grid {
    /// Name of the figure.
    pub(crate) name: &'static str,
    /// What is shown.
    pub(crate) title: String,
    /// What it says.
    pub(crate) description: String,
    /// What rows are.
    pub(crate) rows_are: &'static str,
    /// What columns are.
    pub(crate) columns_are: &'static str,
    /// Labels of the rows.
    pub(crate) rows: Vec<String>,
    /// Labels of the columns.
    pub(crate) columns: Vec<String>,
    /// The values.
    pub(crate) cells: Vec<Vec<Option<f64>>>,
}

/// Draws a heat map. It grows wider than its layout rather than squeeze numbers; the page lets it scroll.
pub(crate) fn matrix(grid: &Grid, layout: Layout) -> Figure {
    let places = Places::of(grid, layout);
    let mut marks = String::new();
    draw(grid, &places, &mut marks).expect("writing marks to a string cannot fail");
    Figure {
        name: grid.name,
        title: grid.title.clone(),
        description: grid.description.clone(),
        layout,
        size: (places.width as u32, places.height as u32),
        marks,
    }
}

struct Places {
    width: i32,
    height: i32,
    left: i32,
    top: i32,
    cell: i32,
    upright: bool,
    max: f64,
    decimals: usize,
}

impl Places {
    fn of(grid: &Grid, layout: Layout) -> Self {
        let narrow = layout == Layout::Narrow;
        let max = grid.cells.iter().flatten().flatten().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
        let decimals = number::decimals(max);
        let wide = |text: &str| metrics::width(text, SIZE, Weight::Regular).ceil() as i32;
        let label_max = if narrow { 110 } else { 220 };
        let rows = grid.rows.iter().map(|t| wide(t)).max().unwrap_or(0).min(label_max);
        let left = rows.max(60) + 14;
        let columns = grid.columns.len().max(1) as i32;
        let number = grid.cells.iter().flatten().flatten().map(|v| wide(&number::fixed(*v, decimals))).max();
        let need = number.unwrap_or(0) + 12;
        let cell = ((layout.width() as i32 - left - 2) / columns).clamp(need, need.max(120));
        let label = grid.columns.iter().map(|t| wide(t)).max().unwrap_or(0);
        let upright = label + 8 > cell;
        let top = 30 + if upright { label.min(160) + 10 } else { 26 };
        let (width, height) = if grid.rows.is_empty() {
            (layout.width() as i32, 44)
        } else {
            ((left + cell * columns + 2).max(layout.width() as i32), top + ROW * grid.rows.len() as i32 + 2)
        };
        Self { width, height, left, top, cell, upright, max, decimals }
    }
}

fn draw(grid: &Grid, at: &Places, marks: &mut String) -> Result<(), DrawingAreaErrorKind<std::convert::Infallible>> {
    let root = Svg::new(marks, (at.width as u32, at.height as u32)).into_drawing_area();
    let text = |color: &'static RGBColor, h: HPos, v: VPos| {
        TextStyle::from(("sans-serif", SIZE).into_font()).color(color).pos(Pos::new(h, v))
    };
    if grid.rows.is_empty() {
        root.draw_text("Nothing to show", &text(&QUIET, HPos::Left, VPos::Top), (2, 10))?;
        return root.present();
    }
    let quiet = |t: &str, room: i32| metrics::fit(t, f64::from(room), SIZE, Weight::Regular);
    let columns_are = quiet(grid.columns_are, at.width - at.left);
    root.draw_text(&columns_are, &text(&QUIET, HPos::Left, VPos::Top), (at.left, 4))?;
    let rows_are = quiet(grid.rows_are, at.left - 10);
    root.draw_text(&rows_are, &text(&QUIET, HPos::Right, VPos::Bottom), (at.left - 10, at.top - 8))?;
    for (i, name) in grid.columns.iter().enumerate() {
        let middle = at.left + i as i32 * at.cell + at.cell / 2;
        if at.upright {
            let turned = text(&INK, HPos::Left, VPos::Center).transform(FontTransform::Rotate270);
            root.draw_text(&quiet(name, 160), &turned, (middle, at.top - 8))?;
        } else {
            root.draw_text(name, &text(&INK, HPos::Center, VPos::Bottom), (middle, at.top - 8))?;
        }
    }
    for (row, name) in grid.rows.iter().enumerate() {
        let y = at.top + row as i32 * ROW;
        let label = quiet(name, at.left - 12);
        root.draw_text(&label, &text(&INK, HPos::Right, VPos::Center), (at.left - 10, y + ROW / 2))?;
        for column in 0..grid.columns.len() {
            let x = at.left + column as i32 * at.cell;
            let corners = [(x + 1, y + 1), (x + at.cell - 1, y + ROW - 1)];
            let Some(value) = grid.cells[row][column] else {
                root.draw(&Rectangle::new(corners, GRID))?;
                let middle = (x + at.cell / 2, y + ROW / 2);
                root.draw_text("–", &text(&QUIET, HPos::Center, VPos::Center), middle)?;
                continue;
            };
            let share = if at.max > 0.0 && value.is_finite() { (value / at.max).clamp(0.0, 1.0) } else { 0.0 };
            // Shades between these two ranges would give neither ink nor paper enough contrast: none is used.
            let shade = if share < 0.5 { 0.06 + share * 0.5 } else { 0.76 + (share - 0.5) * 0.48 };
            let ink = if share < 0.5 { &INK } else { &PAPER };
            root.draw(&Rectangle::new(corners, SERIES[0].mix(shade).filled()))?;
            let number = number::fixed(value, at.decimals);
            let middle = (x + at.cell / 2, y + ROW / 2);
            root.draw_text(&number, &text(ink, HPos::Center, VPos::Center), middle)?;
        }
    }
    root.present()
}
