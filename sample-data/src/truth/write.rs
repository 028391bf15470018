//! The truth as files: `truth.json` for the totals, `re_entries.csv` for every re-entry.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Category, Seconds, Truth};

/// The truth could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the truth cannot be written to {}", path.display())]
pub struct TruthError {
    path: PathBuf,
    source: io::Error,
}

impl Truth {
    /// Writes `truth.json` and `re_entries.csv` into a folder, which is made if need be.
    ///
    /// # Errors
    /// When the folder cannot be made, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), TruthError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| TruthError { path, source }
        };
        fs::create_dir_all(folder).map_err(failed(folder))?;
        let path = folder.join("truth.json");
        fs::write(&path, format!("{:#}\n", self.totals())).map_err(failed(&path))?;
        let path = folder.join("re_entries.csv");
        let file = fs::File::create(&path).map_err(failed(&path))?;
        let mut rows = io::BufWriter::new(file);
        self.write_re_entries(&mut rows).and_then(|()| rows.flush()).map_err(failed(&path))
    }

    fn totals(&self) -> Value {
        json!({
            "scenario": self.scenario.as_str(),
            "seed": self.seed,
            "workers": self.workers,
            "person_weeks": self.person_weeks,
            "spans": self.spans,
            "rule": { "seconds": by_name(&self.rule) },
            "lived": { "seconds": by_name(&self.lived) },
            "entry_seconds": self.entry_seconds(),
        })
    }

    fn write_re_entries(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "span_id,trace_id,seconds,scope,from_system,from_screen,from_field,to_system,to_screen,to_field,equal"
        )?;
        for one in &self.re_entries {
            let scope = if self.is_within_system(one) { "within_system" } else { "cross_system" };
            write!(out, "{:016x},{:032x},{:.6},{scope}", one.span, one.trace, one.micros as f64 / 1e6)?;
            for id in [one.from, one.to] {
                let field = self.estate.field(id);
                let (system, screen) = (self.estate.system(field.system), self.estate.screen(field.screen));
                write!(out, ",{},{},{}", cell(&system.name), cell(&screen.name), cell(&field.name))?;
            }
            // Facts are keyed as they are held: there are no typing errors in the scenarios so far.
            writeln!(out, ",true")?;
        }
        Ok(())
    }
}

fn by_name(seconds: &Seconds) -> Map<String, Value> {
    Category::ALL.into_iter().map(|category| (category.as_str().to_owned(), seconds.of(category).into())).collect()
}

fn cell(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
