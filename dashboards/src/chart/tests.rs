//! Charts hold for any number of rows, any name and any number, and say in words what they show.

use super::*;

fn chart(rows: usize, value: impl Fn(usize) -> f64) -> BarChart<'static> {
    BarChart {
        name: "test",
        title: "A title".into(),
        description: "What it says.".into(),
        unit: "hours",
        series: vec!["first".into(), "second & more".into()],
        bars: (0..rows)
            .map(|i| Bar { label: vec![format!("system {i}")], values: vec![value(i), value(i) / 2.0], interval: None })
            .collect(),
    }
}

/// Numbers of an attribute, in order.
fn numbers(svg: &str, element: &str, attribute: &str) -> Vec<f64> {
    let tag = format!("<{element} ");
    let name = format!(" {attribute}=\"");
    svg.lines()
        .filter(|line| line.starts_with(&tag))
        .filter_map(|line| line.split_once(name.as_str())?.1.split('"').next()?.parse().ok())
        .collect()
}

#[test]
fn stacked_bars_are_drawn_as_agreed() {
    insta::assert_snapshot!(bars(&chart(2, |i| 1.5 + i as f64), Layout::Wide).standalone());
}

#[test]
fn bars_stay_inside_the_picture_whatever_their_number_and_size() {
    for rows in [0, 1, 40] {
        for scale in [0.0, 1e-7, 1.0, 3.7e9, f64::NAN, f64::INFINITY, -1.0] {
            for layout in [Layout::Wide, Layout::Narrow] {
                let figure = bars(&chart(rows, |i| scale * (i + 1) as f64), layout);
                let svg = figure.inline();
                let (width, height) = (f64::from(figure.size.0), f64::from(figure.size.1));
                assert!(!svg.contains("NaN") && !svg.contains("inf"), "{rows} rows of {scale}");
                let right = numbers(&svg, "rect", "x").into_iter().zip(numbers(&svg, "rect", "width"));
                assert!(right.map(|(x, w)| x + w).all(|x| x <= width), "{rows} rows of {scale}");
                assert!(numbers(&svg, "text", "y").iter().all(|y| (0.0..=height).contains(y)), "{rows} of {scale}");
                assert_eq!(svg.matches(">system ").count(), rows, "each bar has its label");
                let unknown = if scale.is_finite() { 0 } else { rows };
                assert_eq!(svg.matches(">not available<").count(), unknown, "no number is no nought");
            }
        }
    }
}

#[test]
fn an_interval_lies_over_its_bar_and_the_total_stands_beyond_it() {
    for layout in [Layout::Wide, Layout::Narrow] {
        let mut chart = chart(2, |i| 1.5 + i as f64);
        chart.bars[0].interval = Some((1.0, 9.0));
        let figure = bars(&chart, layout);
        let svg = figure.inline();
        let ends: Vec<i32> = svg
            .lines()
            .filter(|line| line.contains("s-ink"))
            .filter_map(|line| line.split_once("points=\"")?.1.split(',').next()?.parse().ok())
            .collect();
        assert_eq!(ends.len(), 3, "a line and its two ends");
        let high = *ends.iter().max().expect("the interval is drawn");
        let total = svg.lines().find(|line| line.contains(">2.25<")).expect("the total is there");
        let x: f64 = total.split_once(" x=\"").and_then(|(_, rest)| rest.split('"').next()?.parse().ok()).expect("x");
        assert!(x > f64::from(high) && high < figure.size.0 as i32, "{layout:?}: {x} {high}");
    }
    // Nor does an interval that makes no sense break the picture.
    let mut chart = chart(1, |_| 1.0);
    chart.bars[0].interval = Some((f64::NAN, f64::INFINITY));
    assert!(!bars(&chart, Layout::Wide).inline().contains("NaN"));
}

/// From where to where each text goes across, in whichever font, with what it says.
fn texts(svg: &str) -> Vec<(f64, f64, String)> {
    let attribute =
        |line: &str, name: &str| Some(line.split_once(&format!(" {name}=\""))?.1.split('"').next()?.to_owned());
    svg.lines()
        .filter(|line| line.starts_with("<text "))
        .map(|line| {
            let said = line.split_once('>').and_then(|(_, rest)| rest.split_once('<')).expect("it says something").0;
            let weight = if line.contains("font-weight") { metrics::Weight::Bold } else { metrics::Weight::Regular };
            let width = metrics::width(said, 15.0, weight);
            let x: f64 = attribute(line, "x").and_then(|x| x.parse().ok()).expect("it stands somewhere");
            let from = match attribute(line, "text-anchor").as_deref() {
                Some("start") => x,
                Some("middle") => x - width / 2.0,
                _ => x - width,
            };
            (from, from + width, said.to_owned())
        })
        .collect()
}

#[test]
fn labels_of_any_length_stay_inside_the_picture_and_off_their_neighbours() {
    let fix = ["Say what is accepted before it is rejected", "ndelius › Personal details › Date of birth"];
    let long = [
        "risk of serious recidivism, static factors and previous convictions, as far as they are known to the court",
        "→ crc-case-management › offender details › previous convictions of the person under supervision",
    ];
    for label in [fix, long, ["w".repeat(300).as_str(), "i"]] {
        for layout in [Layout::Wide, Layout::Narrow] {
            let mut chart = chart(3, |i| 1e-4 * (i + 1) as f64);
            for bar in &mut chart.bars {
                bar.label = label.map(str::to_owned).to_vec();
            }
            let figure = bars(&chart, layout);
            let svg = figure.inline();
            let texts = texts(&svg);
            for (from, to, said) in &texts {
                assert!(*from >= 0.0 && *to <= f64::from(figure.size.0), "{layout:?}: {said} from {from} to {to}");
            }
            let ys = numbers(&svg, "text", "y");
            assert!(ys.iter().all(|y| (0.0..=f64::from(figure.size.1)).contains(y)));
            // No line of a label stands on another.
            let of_labels = |line: &&str| line.contains("text-anchor=\"end\"") || line.contains(" x=\"2\"");
            let labels: Vec<&str> = svg.lines().filter(of_labels).collect();
            let mut ys = numbers(&labels.join("\n"), "text", "y");
            ys.sort_by(f64::total_cmp);
            assert!(ys.len() >= 6 && ys.windows(2).all(|pair| pair[1] - pair[0] > 18.5), "{layout:?}: {ys:?}");
            // Nor does a number of the axis.
            let axis: Vec<&str> = svg.lines().filter(|line| line.contains("text-anchor=\"middle\"")).collect();
            let axis = self::texts(&axis.join("\n"));
            assert!(axis.len() > 1 && axis.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{layout:?}: {axis:?}");
            let said: Vec<&str> = texts.iter().map(|(.., said)| said.as_str()).collect();
            let said = said.join(" ");
            let whole = said.matches(&label.join(" ")).count();
            assert_eq!(
                whole,
                if label[0].contains("www") { 0 } else { 3 },
                "what has room in some lines is whole: {said}"
            );
            if label == fix && layout == Layout::Wide {
                // A browser without Arial makes it so wide, in DejaVu Sans.
                let width = 311.2;
                let (_, to, _) = texts.iter().find(|(.., said)| said == fix[0]).expect("the label is on one line");
                assert!(to - width >= 0.0, "the label begins at {}", to - width);
            }
        }
    }
}

#[test]
fn long_labels_are_cut_before_they_meet_the_bars() {
    let mut chart = chart(1, |_| 1.0);
    chart.bars[0].label = vec!["w".repeat(300)];
    for layout in [Layout::Wide, Layout::Narrow] {
        let svg = bars(&chart, layout).inline();
        let lines: Vec<_> = texts(&svg).into_iter().filter(|(.., said)| said.starts_with("www")).collect();
        assert_eq!(lines.len(), 3);
        assert!(lines[2].2.ends_with('…'));
        let bar = numbers(&svg, "rect", "x")[2];
        assert!(layout == Layout::Narrow || lines.iter().all(|(_, to, _)| *to < bar));
    }
}

#[test]
fn a_matrix_shows_every_number_and_grows_rather_than_squeeze() {
    let grid = |n: usize| Grid {
        name: "grid",
        title: "T".into(),
        description: "D".into(),
        rows_are: "held in",
        columns_are: "keyed again into",
        rows: (0..n).map(|i| format!("row {i}")).collect(),
        columns: (0..n).map(|i| format!("column {i}")).collect(),
        cells: (0..n).map(|i| (0..n).map(|j| (i != j).then_some((i * n + j) as f64 + 0.25)).collect()).collect(),
    };
    for n in [0, 1, 2, 6, 20] {
        for layout in [Layout::Wide, Layout::Narrow] {
            let figure = matrix(&grid(n), layout);
            assert!(figure.size.0 >= layout.width());
            let svg = figure.inline();
            assert_eq!(svg.matches("<rect").count(), n * n);
            assert_eq!(svg.matches(">–</text>").count(), n, "what is empty says so");
            assert_eq!(svg.matches("<text").count(), if n == 0 { 1 } else { 2 + 2 * n + n * n });
            let right = numbers(&svg, "rect", "x").into_iter().zip(numbers(&svg, "rect", "width"));
            assert!(right.map(|(x, w)| x + w).all(|x| x <= f64::from(figure.size.0)));
        }
    }
}
