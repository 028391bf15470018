//! Horizontal bars, plain or stacked, with a label to the left of each (above it, where the picture is narrow) and
//! its total to the right. Room for labels and totals is measured before anything is drawn, and long labels are broken into
//! lines, so that nothing overlaps and nothing leaves the picture.
//! Where a total has an interval, a line with two ends lies over its bar, in ink on a paper edge, so that it is seen on
//! every colour.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::backend::Svg;
use super::metrics::{self, Weight};
use super::palette::{GRID, INK, PAPER, QUIET, SERIES};
use super::{Figure, Layout};
use crate::number;

const SIZE: f64 = 15.0;
const LINE: i32 = 19;
const BAR: i32 = 20;
const GAP: i32 = 12;
const WHISKER: i32 = 5;
/// Lines of one part of a label; it is cut after them.
const PART_LINES_MAX: usize = 3;

/// A bar: its label in parts, and one value for each series.
#[derive(Debug, Clone)]
pub(crate) struct Bar {
    /// Parts of the label: each begins a line.
    pub(crate) label: Vec<String>,
    /// A value for each series of the chart; below zero or not finite counts as nothing, and a bar of which no value
    /// is finite is said to be not available.
    pub(crate) values: Vec<f64>,
    /// The ends of the interval of the total, where it has one.
    pub(crate) interval: Option<(f64, f64)>,
}

/// What to draw.
#[derive(Debug, Clone)]
pub(crate) struct Chart<'a> {
    /// Name of the figure.
    pub(crate) name: &'static str,
    /// What is shown.
    pub(crate) title: String,
    /// What it says.
    pub(crate) description: String,
    /// Unit of the axis.
    pub(crate) unit: &'a str,
    /// Names of the series, at most six; shown when there is more than one.
    pub(crate) series: Vec<String>,
    /// The bars, from top to bottom.
    pub(crate) bars: Vec<Bar>,
}

/// Draws bars.
pub(crate) fn bars(chart: &Chart<'_>, layout: Layout) -> Figure {
    let places = Places::of(chart, layout);
    let mut marks = String::new();
    draw(chart, &places, &mut marks).expect("writing marks to a string cannot fail");
    Figure {
        name: chart.name,
        title: chart.title.clone(),
        description: chart.description.clone(),
        layout,
        size: (layout.width(), places.height as u32),
        marks,
    }
}

/// Where everything goes, in pixels.
struct Places {
    width: i32,
    height: i32,
    legend: Vec<(i32, i32)>,
    top: i32,
    left: i32,
    right: i32,
    above: bool,
    labels: Vec<Vec<String>>,
    rows: Vec<i32>,
    bottom: i32,
    axis: Axis,
    decimals: usize,
}

/// A scale from nothing to a round number.
struct Axis {
    step: f64,
    ticks: u32,
}

impl Axis {
    fn of(max: f64, about: f64) -> Self {
        let max = if max > 0.0 { max } else { 1.0 };
        let rough = max / about;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|step| *step >= rough * 0.999);
        let step = step.unwrap_or(10.0 * power);
        Self { step, ticks: (max / step).ceil().max(1.0) as u32 }
    }

    fn end(&self) -> f64 {
        self.step * f64::from(self.ticks)
    }

    fn label(&self, tick: u32) -> String {
        let decimals = (-self.step.log10().floor()).clamp(0.0, 9.0) as usize;
        number::fixed(self.step * f64::from(tick), decimals)
    }
}

impl Places {
    fn of(chart: &Chart<'_>, layout: Layout) -> Self {
        let width = layout.width() as i32;
        let above = layout == Layout::Narrow;
        let max = chart.bars.iter().map(reach).fold(0.0, f64::max);
        let decimals = number::decimals(max);

        let (legend, legend_bottom) = legend(chart, width);
        let top = legend_bottom + 6;
        let widest = |texts: &mut dyn Iterator<Item = &String>| {
            texts.map(|t| metrics::width(t, SIZE, Weight::Regular)).fold(0.0, f64::max)
        };
        let room = if above { f64::from(width) - 4.0 } else { f64::from(width) * 0.42 };
        let labels: Vec<Vec<String>> = chart
            .bars
            .iter()
            .map(|bar| {
                let wrapped = |part: &String| metrics::wrap(part, room, PART_LINES_MAX, SIZE, Weight::Regular);
                bar.label.iter().flat_map(wrapped).collect()
            })
            .collect();
        let left = if above { 2 } else { widest(&mut labels.iter().flatten()).ceil() as i32 + 14 };
        let totals: Vec<String> = chart.bars.iter().map(|bar| shown(bar, decimals)).collect();
        let right = totals.iter().map(|t| metrics::width(t, SIZE, Weight::Bold)).fold(0.0, f64::max).ceil() as i32 + 12;

        let mut rows = Vec::new();
        let mut y = top + GAP / 2;
        for label in &labels {
            let lines = label.len() as i32 * LINE;
            if above {
                rows.push(y + lines);
                y += lines + BAR + GAP;
            } else {
                let height = lines.max(BAR);
                rows.push(y + (height - BAR) / 2);
                y += height + GAP;
            }
        }
        let bottom = if chart.bars.is_empty() { top + 40 } else { y - GAP / 2 };
        let height = if chart.bars.is_empty() { bottom } else { bottom + 52 };
        let axis = Axis::of(max, if above { 3.0 } else { 6.0 });
        Self { width, height, legend, top, left, right, above, labels, rows, bottom, axis, decimals }
    }

    /// Where lines of the grid may go: all the way down, or beside bars alone where labels stand between them.
    fn stretches(&self) -> Vec<(i32, i32)> {
        if self.above { self.rows.iter().map(|y| (*y, y + BAR)).collect() } else { vec![(self.top, self.bottom)] }
    }

    fn x(&self, value: f64) -> i32 {
        let span = f64::from((self.width - self.left - self.right).max(1));
        self.left + (value / self.axis.end() * span).round() as i32
    }
}

/// Where each entry of the legend goes, and where the legend ends.
fn legend(chart: &Chart<'_>, width: i32) -> (Vec<(i32, i32)>, i32) {
    if chart.series.len() < 2 || chart.bars.is_empty() {
        return (Vec::new(), 0);
    }
    let (mut x, mut y) = (2, 4);
    let mut places = Vec::new();
    for name in &chart.series {
        let wide = 22 + metrics::width(name, SIZE, Weight::Regular).ceil() as i32;
        if x > 2 && x + wide > width {
            (x, y) = (2, y + 24);
        }
        places.push((x, y));
        x += wide + 22;
    }
    (places, y + 24)
}

fn total(bar: &Bar) -> f64 {
    bar.values.iter().map(|v| length(*v)).sum()
}

/// The total in figures.
fn shown(bar: &Bar, decimals: usize) -> String {
    if bar.values.iter().any(|value| value.is_finite()) {
        number::fixed(total(bar), decimals)
    } else {
        number::NONE.to_owned()
    }
}

/// How far a bar and its interval go.
fn reach(bar: &Bar) -> f64 {
    total(bar).max(bar.interval.map_or(0.0, |(_, high)| length(high)))
}

fn length(value: f64) -> f64 {
    if value.is_finite() { value.max(0.0) } else { 0.0 }
}

/// The line of an interval, from end to end.
fn whisker<'a>(
    root: &DrawingArea<Svg<'a>, plotters::coord::Shift>,
    (low, high): (i32, i32),
    middle: i32,
) -> Result<(), DrawingAreaErrorKind<std::convert::Infallible>> {
    let ends = [
        [(low, middle), (high, middle)],
        [(low, middle - WHISKER), (low, middle + WHISKER)],
        [(high, middle - WHISKER), (high, middle + WHISKER)],
    ];
    for (color, width) in [(PAPER, 4), (INK, 2)] {
        for line in ends {
            root.draw(&PathElement::new(line, color.stroke_width(width)))?;
        }
    }
    Ok(())
}

fn draw(
    chart: &Chart<'_>,
    at: &Places,
    marks: &mut String,
) -> Result<(), DrawingAreaErrorKind<std::convert::Infallible>> {
    let root = Svg::new(marks, (at.width as u32, at.height as u32)).into_drawing_area();
    let text = |color: &'static RGBColor, style: FontStyle, h: HPos, v: VPos| {
        TextStyle::from(("sans-serif", SIZE, style).into_font()).color(color).pos(Pos::new(h, v))
    };
    if chart.bars.is_empty() {
        root.draw_text("Nothing to show", &text(&QUIET, FontStyle::Normal, HPos::Left, VPos::Top), (2, 10))?;
        return root.present();
    }
    for ((name, (x, y)), color) in chart.series.iter().zip(&at.legend).zip(SERIES) {
        root.draw(&Rectangle::new([(*x, *y), (x + 15, y + 15)], color.filled()))?;
        let name = metrics::fit(name, f64::from(at.width - x - 22), SIZE, Weight::Regular);
        root.draw_text(&name, &text(&INK, FontStyle::Normal, HPos::Left, VPos::Center), (x + 21, y + 8))?;
    }
    let quiet = text(&QUIET, FontStyle::Normal, HPos::Center, VPos::Top);
    let mut labelled = 0;
    for tick in 0..=at.axis.ticks {
        let x = at.x(at.axis.step * f64::from(tick));
        for (from, to) in at.stretches() {
            root.draw(&PathElement::new([(x, from), (x, to)], GRID))?;
        }
        let label = at.axis.label(tick);
        let half = metrics::width(&label, SIZE, Weight::Regular).ceil() as i32 / 2 + 1;
        let middle = x.clamp(half, at.width - half);
        // Where labels have no room beside each other, the grid goes on without.
        if middle - half >= labelled {
            root.draw_text(&label, &quiet, (middle, at.bottom + 6))?;
            labelled = middle + half + 4;
        }
    }
    let unit = metrics::fit(chart.unit, f64::from(at.width - at.left), SIZE, Weight::Regular);
    let left = text(&QUIET, FontStyle::Normal, HPos::Left, VPos::Top);
    root.draw_text(&unit, &left, (at.left, at.bottom + 28))?;

    let beside = text(&INK, FontStyle::Normal, HPos::Right, VPos::Center);
    let over = text(&INK, FontStyle::Normal, HPos::Left, VPos::Center);
    let bold = text(&INK, FontStyle::Bold, HPos::Left, VPos::Center);
    for ((bar, label), y) in chart.bars.iter().zip(&at.labels).zip(&at.rows) {
        let lines = label.len() as i32;
        for (line, part) in label.iter().enumerate() {
            let line = line as i32;
            if at.above {
                root.draw_text(part, &over, (at.left, y - (lines - line) * LINE + LINE / 2 - 2))?;
            } else {
                let middle = y + BAR / 2 + line * LINE - (lines - 1) * LINE / 2;
                root.draw_text(part, &beside, (at.left - 8, middle))?;
            }
        }
        let mut from = 0.0;
        for (value, color) in bar.values.iter().zip(SERIES) {
            let to = from + length(*value);
            let (x0, x1) = (at.x(from), at.x(to));
            if x1 > x0 {
                root.draw(&Rectangle::new([(x0, *y), (x1, y + BAR)], color.filled()))?;
            }
            if from > 0.0 && x1 > x0 + 2 {
                root.draw(&PathElement::new([(x0, *y), (x0, y + BAR)], PAPER))?;
            }
            from = to;
        }
        if let Some((low, high)) = bar.interval {
            whisker(&root, (at.x(length(low)), at.x(length(high))), y + BAR / 2)?;
        }
        root.draw_text(&shown(bar, at.decimals), &bold, (at.x(reach(bar)) + 7, y + BAR / 2))?;
    }
    for (from, to) in at.stretches() {
        root.draw(&PathElement::new([(at.left, from), (at.left, to)], QUIET))?;
    }
    root.present()
}
