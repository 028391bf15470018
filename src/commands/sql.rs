//! `gilbreth sql`: runs SQL, or a prompt.

use std::{
    fs::{self, File},
    io::{self, BufWriter, IsTerminal as _, Read as _, Write},
    path::Path,
    process::ExitCode,
};

use anyhow::{Context as _, bail};
use gilbreth_analytics::{
    conversation::{Answer, Conversation, changes_settings},
    query,
    script::{self, Statement},
};
use gilbreth_collector::store::Store;

use crate::{cli, config::Config};

mod prompt;

pub(crate) async fn run(options: cli::Sql) -> anyhow::Result<ExitCode> {
    let config = Config::load(options.config.as_deref())?;
    let scope = super::scope_of(&options.scope);
    let mut conversation = Conversation::open(Store::open(&options.store)?, &scope, &config.measurement).await?;
    let format = format(options.format);
    let sql = match options.sql {
        Some(sql) => sql,
        None if io::stdin().is_terminal() => {
            if options.file.is_some() {
                bail!("--file is for the result of a query: give one, or a script on standard input");
            }
            return prompt::run(&mut conversation, format).await;
        }
        None => {
            let mut sql = String::new();
            io::stdin().read_to_string(&mut sql)?;
            sql
        }
    };
    let statements = script::statements(&sql)?;
    let results = statements.iter().filter(|statement| !changes_settings(statement.text)).count();
    if results == 0 {
        bail!("there is no query to run");
    }
    if results > 1 && matches!(format, query::Format::Parquet | query::Format::Arrow) {
        bail!("this format holds one result, and {results} statements give one each: run them apart");
    }
    match options.file {
        Some(file) => to_file(&mut conversation, &statements, format, &file).await?,
        None => match all(&mut conversation, &statements, format, &mut BufWriter::new(io::stdout())).await {
            Err(error) if reader_left(&error) => {}
            done => done?,
        },
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs statements one after the other, and stops at the first that fails.
async fn all(
    conversation: &mut Conversation,
    statements: &[Statement<'_>],
    format: query::Format,
    out: &mut (impl Write + Send),
) -> anyhow::Result<()> {
    for (number, statement) in (1..).zip(statements) {
        let done = one(conversation, &statement.in_place(), format, out).await;
        if statements.len() > 1 {
            done.with_context(|| format!("statement {number}, from line {}", statement.line))?;
        } else {
            done?;
        }
    }
    Ok(())
}

/// Runs a statement and writes its rows, if it gives some.
async fn one(
    conversation: &mut Conversation,
    statement: &str,
    format: query::Format,
    out: &mut (impl Write + Send),
) -> anyhow::Result<()> {
    if let Answer::Rows(rows) = conversation.run(statement).await? {
        query::write(rows, format, out).await?;
    }
    Ok(())
}

/// Writes to a file that gets its name once all is written: a query that fails leaves what was there. What is no
/// regular file (a pipe, say) is written to as it is.
async fn to_file(
    conversation: &mut Conversation,
    statements: &[Statement<'_>],
    format: query::Format,
    file: &Path,
) -> anyhow::Result<()> {
    let refused = || format!("cannot write the result to {}", file.display());
    if fs::metadata(file).is_ok_and(|there| !there.is_file()) {
        let mut out = BufWriter::new(File::options().write(true).open(file).with_context(refused)?);
        return all(conversation, statements, format, &mut out).await;
    }
    let mut name = file.file_name().map(ToOwned::to_owned).with_context(refused)?;
    name.push(format!(".{}.part", std::process::id()));
    let part = file.with_file_name(name);
    let mut out = BufWriter::new(File::create(&part).with_context(refused)?);
    let written = match all(conversation, statements, format, &mut out).await {
        Ok(()) => fs::rename(&part, file).with_context(refused),
        Err(error) => Err(error),
    };
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

/// Whether whoever read standard output has seen enough.
fn reader_left(error: &anyhow::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe))
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
