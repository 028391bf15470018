//! The truth as files: `truth.json` for the totals, `re_entries.csv` for every re-entry, `systems.csv` for time by system
//! and category, `tasks.csv` for the tasks that are told, `effects.csv` for what was planted.

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
    /// Writes its files into a folder, which is made if need be.
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
        for (name, rows) in
            [("systems.csv", self.systems()), ("tasks.csv", self.task_times()), ("effects.csv", self.planted())]
        {
            let path = folder.join(name);
            fs::write(&path, rows).map_err(failed(&path))?;
        }
        let path = folder.join("re_entries.csv");
        let file = fs::File::create(&path).map_err(failed(&path))?;
        let mut rows = io::BufWriter::new(file);
        self.write_re_entries(&mut rows).and_then(|()| rows.flush()).map_err(failed(&path))
    }

    fn systems(&self) -> String {
        let mut rows = "system,category,seconds\n".to_owned();
        for (system, seconds) in &self.by_system {
            let system = cell(&self.estate.system(*system).name);
            for category in Category::ALL {
                rows.push_str(&format!("{system},{},{:.6}\n", category.as_str(), seconds.of(category)));
            }
        }
        rows
    }

    fn task_times(&self) -> String {
        let mut rows = "task,instances,seconds,systems,screens,switches\n".to_owned();
        for (task, time) in &self.tasks {
            let name = cell(&self.estate.task(*task).name);
            let (times, seconds) = (time.instances, time.micros as f64 / 1e6);
            rows.push_str(&format!(
                "{name},{times},{seconds:.6},{},{},{}\n",
                time.systems, time.screens, time.switches
            ));
        }
        rows
    }

    fn planted(&self) -> String {
        let mut rows = "kind,name,organisation,system,date,size,unit\n".to_owned();
        for one in self.effects() {
            let names = [one.kind, &one.name, &one.organisation, &one.system].map(cell).join(",");
            rows.push_str(&format!("{names},{},{:.6},{}\n", one.date, one.size, cell(one.unit)));
        }
        rows
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
            "span_id,trace_id,seconds,scope,from_system,from_screen,from_field,to_system,to_screen,to_field,cases,chance"
        )?;
        for one in &self.re_entries {
            let scope = if self.is_within_system(one) { "within_system" } else { "cross_system" };
            write!(out, "{:016x},{:032x},{:.6},{scope}", one.span, one.trace, one.micros as f64 / 1e6)?;
            for id in [one.from, one.to] {
                let field = self.estate.field(id);
                let (system, screen) = (self.estate.system(field.system), self.estate.screen(field.screen));
                write!(out, ",{},{},{}", cell(&system.name), cell(&screen.name), cell(&field.name))?;
            }
            writeln!(out, ",{},{:.6}", one.pair_cases, self.chance(one))?;
        }
        Ok(())
    }
}

fn by_name(seconds: &Seconds) -> Map<String, Value> {
    Category::ALL.into_iter().map(|category| (category.as_str().to_owned(), seconds.of(category).into())).collect()
}

/// A cell of a CSV file.
pub(crate) fn cell(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}
