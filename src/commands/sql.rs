//! `gilbreth sql`: runs SQL, or a prompt.

use std::{
    fs::File,
    io::{self, BufWriter, IsTerminal as _, Read as _, Write},
    process::ExitCode,
};

use anyhow::Context as _;
use gilbreth_analytics::{query, session::Session};
use rustyline::error::ReadlineError;

use crate::{cli, config::Config};

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
        Some(file) => {
            let written =
                File::create(&file).with_context(|| format!("cannot write the result to {}", file.display()))?;
            write(&session, &sql, format, BufWriter::new(written)).await?;
        }
        None => write(&session, &sql, format, BufWriter::new(io::stdout())).await?,
    }
    Ok(ExitCode::SUCCESS)
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
