//! Reads metrics as strictly as their format and Prometheus' conventions for names ask.

use std::collections::{BTreeMap, BTreeSet};

/// The samples of a page, by name with labels as written.
pub type Samples = BTreeMap<String, f64>;

/// Reads a page.
///
/// # Errors
/// What is wrong with it, and in which line.
pub fn read(text: &str) -> Result<Samples, String> {
    let mut page = Page::default();
    if !text.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    for line in text.lines() {
        page.line(line).map_err(|why| format!("{why}: {line}"))?;
    }
    page.end_family()?;
    Ok(page.samples)
}

#[derive(Default)]
struct Page {
    families: BTreeSet<String>,
    family: Option<Family>,
    helped: Option<String>,
    samples: Samples,
}

struct Family {
    name: String,
    kind: String,
    /// Bounds and counts of a histogram, its sum and count.
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

impl Page {
    fn line(&mut self, line: &str) -> Result<(), String> {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').ok_or("there is no help")?;
            if help.trim().is_empty() || self.helped.is_some() {
                return Err("help is empty, or twice".to_owned());
            }
            self.helped = Some(name.to_owned());
            return Ok(());
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').ok_or("there is no type")?;
            if self.helped.take().as_deref() != Some(name) {
                return Err("the type does not follow its help".to_owned());
            }
            self.end_family()?;
            return self.begin(name, kind);
        }
        self.sample(line)
    }

    fn begin(&mut self, name: &str, kind: &str) -> Result<(), String> {
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !name.chars().all(is_name) || !name.starts_with("gilbreth_") {
            return Err("it is no name of ours".to_owned());
        }
        if !["counter", "gauge", "histogram"].contains(&kind) {
            return Err("it is no type".to_owned());
        }
        if (kind == "counter") != name.ends_with("_total") {
            return Err("counters and they alone end in _total".to_owned());
        }
        let not_base = ["_ms", "_us", "_ns", "_milliseconds", "_minutes", "_kb", "_mb", "_count", "_sum", "_bucket"];
        if not_base.iter().any(|unit| name.trim_end_matches("_total").ends_with(unit)) {
            return Err("units are base units, and suffixes of histograms are theirs".to_owned());
        }
        if kind == "histogram" && !name.ends_with("_seconds") {
            return Err("a histogram is of seconds here".to_owned());
        }
        if !self.families.insert(name.to_owned()) {
            return Err("the family is there twice".to_owned());
        }
        self.family =
            Some(Family { name: name.to_owned(), kind: kind.to_owned(), buckets: Vec::new(), sum: None, count: None });
        Ok(())
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let (series, value) = line.rsplit_once(' ').ok_or("there is no value")?;
        let value: f64 = value.parse().map_err(|_| "the value is no number")?;
        let (name, labels) = match series.split_once('{') {
            None => (series, Vec::new()),
            Some((name, rest)) => (name, labels(rest.strip_suffix('}').ok_or("labels do not end")?)?),
        };
        let family = self.family.as_mut().ok_or("the sample is of no family")?;
        let part = name.strip_prefix(family.name.as_str()).ok_or("the sample is of another family")?;
        match (family.kind.as_str(), part) {
            ("counter" | "gauge", "") => {}
            ("histogram", "_bucket") => {
                let [(label, bound)] = labels.as_slice() else { return Err("a bucket has one label".to_owned()) };
                if label != "le" {
                    return Err("a bucket's label is le".to_owned());
                }
                let bound = bound.replace("+Inf", "inf").parse().map_err(|_| "le is no number")?;
                family.buckets.push((bound, value));
            }
            ("histogram", "_sum") => family.sum = Some(value),
            ("histogram", "_count") => family.count = Some(value),
            _ => return Err("the sample is none of its family's type".to_owned()),
        }
        if family.kind != "gauge" && (value < 0.0 || !value.is_finite()) {
            return Err("it cannot be counted".to_owned());
        }
        match self.samples.insert(series.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err("the sample is there twice".to_owned()),
        }
    }

    fn end_family(&mut self) -> Result<(), String> {
        let Some(family) = self.family.take().filter(|family| family.kind == "histogram") else { return Ok(()) };
        let ascends = |pair: &[(f64, f64)]| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1;
        let last = family.buckets.last().copied();
        let whole = family.buckets.windows(2).all(ascends)
            && last.is_some_and(|(bound, count)| bound.is_infinite() && Some(count) == family.count)
            && family.sum.is_some();
        if whole { Ok(()) } else { Err(format!("the histogram {} is not whole", family.name)) }
    }
}

/// `name="value",…`, values escaped.
fn labels(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut found: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").ok_or("a label has no value")?;
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c == '_') {
            return Err("it is no name of a label".to_owned());
        }
        let (mut value, mut characters, mut end) = (String::new(), after.char_indices(), None);
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = Some(at);
                    break;
                }
                '\\' => match characters.next() {
                    Some((_, 'n')) => value.push('\n'),
                    Some((_, escaped @ ('\\' | '"'))) => value.push(escaped),
                    _ => return Err("nothing is escaped so".to_owned()),
                },
                other => value.push(other),
            }
        }
        let end = end.ok_or("a value does not end")?;
        if found.iter().any(|(known, _)| known == name) {
            return Err("a label is there twice".to_owned());
        }
        found.push((name.to_owned(), value));
        match after[end + 1..].strip_prefix(',') {
            Some(more) => rest = more,
            None if after[end + 1..].is_empty() => return Ok(found),
            None => return Err("labels are not parted by commas".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# HELP gilbreth_a_total A.\n# TYPE gilbreth_a_total counter\ngilbreth_a_total{x=\"a\\\"b\",y=\"\"} 1\n\
                        # HELP gilbreth_s_seconds S.\n# TYPE gilbreth_s_seconds histogram\n\
                        gilbreth_s_seconds_bucket{le=\"0.5\"} 1\ngilbreth_s_seconds_bucket{le=\"+Inf\"} 2\n\
                        gilbreth_s_seconds_sum 3.5\ngilbreth_s_seconds_count 2\n";

    #[test]
    fn what_is_right_is_read_and_what_is_wrong_is_not() {
        assert_eq!(read(GOOD).unwrap()["gilbreth_s_seconds_count"], 2.0);
        for (from, to) in [
            ("# HELP gilbreth_a_total A.\n", ""),
            ("counter", "summary"),
            ("gilbreth_a_total", "gilbreth_a"),
            ("gilbreth_a_total", "other_a_total"),
            ("{x=", "{X="),
            ("\",y", "\";y"),
            ("} 1\n", "} one\n"),
            ("le=\"+Inf\"} 2", "le=\"+Inf\"} 1"),
            ("le=\"0.5\"} 1", "le=\"0.5\"} 3"),
            ("gilbreth_s_seconds_sum 3.5\n", ""),
            ("_s_seconds", "_s_ms"),
            ("_count 2\n", "_count 2"),
        ] {
            assert!(read(&GOOD.replace(from, to)).is_err(), "{from} → {to}");
        }
        assert!(read(&format!("{GOOD}{GOOD}")).is_err());
    }
}
