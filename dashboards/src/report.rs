//! The report as files: `report.html`, `figures/*.svg`, `data/*.csv`. Each file is written beside its name and renamed
//! over it, so that nobody reads half a file and a failed run leaves the last report whole.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gilbreth_analytics::findings::Findings;

use crate::{data, pages, sections};

/// A file of the report could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}", path.display())]
pub struct Error {
    /// The file or folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Writes the report into `dir`, which is made if it is not there. Gives the files written, the page first.
pub fn write(dir: &Path, findings: &Findings) -> Result<Vec<PathBuf>, Error> {
    let mut files = vec![(dir.join("report.html"), pages::report(findings))];
    for name in sections::FIGURES {
        let svg = sections::figure(findings, name);
        files.push((dir.join("figures").join(format!("{name}.svg")), svg.expect("each listed figure is drawn")));
    }
    for view in data::VIEWS {
        let csv = data::csv(findings, view);
        files.push((dir.join("data").join(format!("{view}.csv")), csv.expect("each listed view has a table")));
    }
    for folder in [dir.to_owned(), dir.join("figures"), dir.join("data")] {
        fs::create_dir_all(&folder).map_err(|source| Error { path: folder, source })?;
    }
    // The page goes last: whoever sees it finds its figures and data there.
    for (path, text) in files.iter().rev() {
        replace(path, text.as_bytes()).map_err(|source| Error { path: path.clone(), source })?;
    }
    Ok(files.into_iter().map(|(path, _)| path).collect())
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one to report; a leftover that cannot be removed either adds nothing to it.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests;
