//! `gilbreth sql`: runs SQL, or a prompt.

use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal as _, Read as _, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::atomic::Ordering,
};

use anyhow::Context as _;
use gilbreth_analytics::{query, session::Session};
use rustyline::error::ReadlineError;

use crate::{cli, config::Config, output};

pub(crate) async fn run(options: cli::Sql) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let session = super::session(&options.store, &options.scope, &config).await?;
    let sql = match options.sql {
        Some(sql) => sql,
        None if io::stdin().is_terminal() => return prompt(&session).await,
        None => {
            let mut sql = String::new();
            io::stdin().read_to_string(&mut sql)?;
            sql
        }
    };
    let format = format(options.format);
    match options.file {
        Some(file) => write_file(&session, &sql, format, &file).await?,
        None => {
            let (results, gone) = output::Results::standard();
            match write(&session, &sql, format, results).await {
                Err(_) if gone.load(Ordering::Relaxed) => {}
                written => written?,
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes beside the file and renames over it: what cannot be planned or worked out leaves an earlier file as it was.
async fn write_file(session: &Session, sql: &str, format: query::Format, file: &Path) -> anyhow::Result<()> {
    let rows = session.stream(sql).await?;
    let cannot = || format!("cannot write the result to {}", file.display());
    if file.exists() && !file.is_file() {
        // A device or a pipe cannot be renamed over.
        query::write(rows, format, BufWriter::new(File::create(file).with_context(cannot)?)).await?;
        return Ok(());
    }
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = PathBuf::from(temporary);
    let written = match File::create(&temporary).with_context(cannot) {
        Ok(to) => query::write(rows, format, BufWriter::new(to)).await.map_err(Into::into),
        Err(error) => Err(error),
    };
    let written = written.and_then(|_| fs::rename(&temporary, file).with_context(cannot));
    if written.is_err() {
        // The first error is the one to report; a leftover that cannot be removed adds nothing to it.
        let _ = fs::remove_file(&temporary);
    }
    written
}

async fn write(session: &Session, sql: &str, format: query::Format, out: impl Write + Send) -> anyhow::Result<()> {
    query::write(session.stream(sql).await?, format, out).await?;
    Ok(())
}

/// An interactive prompt: a statement ends with a semicolon, Ctrl-D leaves.
async fn prompt(session: &Session) -> anyhow::Result<ExitCode> {
    let mut editor = rustyline::DefaultEditor::new()?;
    let mut statement = String::new();
    loop {
        match editor.readline(if statement.is_empty() { "gilbreth> " } else { "     ...> " }) {
            Ok(line) => {
                statement.push_str(&line);
                statement.push('\n');
                if statement.trim_end().ends_with(';') {
                    let _ = editor.add_history_entry(statement.trim_end());
                    let sql = std::mem::take(&mut statement);
                    let sql = sql.trim_end().trim_end_matches(';');
                    if let Err(error) = write(session, sql, query::Format::Table, io::stdout()).await {
                        eprintln!("{error:#}");
                    }
                }
            }
            Err(ReadlineError::Interrupted) => statement.clear(),
            Err(ReadlineError::Eof) => return Ok(ExitCode::SUCCESS),
            Err(error) => return Err(error.into()),
        }
    }
}

fn format(format: cli::Format) -> query::Format {
    match format {
        cli::Format::Table => query::Format::Table,
        cli::Format::Csv => query::Format::Csv,
        cli::Format::Json => query::Format::Json,
        cli::Format::Ndjson => query::Format::Ndjson,
        cli::Format::Parquet => query::Format::Parquet,
        cli::Format::Arrow => query::Format::Arrow,
    }
}
