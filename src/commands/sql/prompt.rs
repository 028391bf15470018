//! The interactive prompt: history kept between runs, completion of keywords, tables, columns and settings.

use std::{io, path::PathBuf, process::ExitCode};

use gilbreth_analytics::{conversation::Conversation, query, script, session::Session};
use rustyline::{
    CompletionType, Config, Context, Editor, Helper, completion::Completer, error::ReadlineError,
    highlight::Highlighter, hint::Hinter, history::FileHistory, validate::Validator,
};

use crate::output;

/// Statements that are kept.
const HISTORY_MAX: usize = 2_000;

const KEYWORDS: [&str; 30] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "ORDER BY",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT JOIN",
    "ON",
    "USING",
    "WITH",
    "AS",
    "AND",
    "OR",
    "NOT",
    "IN",
    "IS NULL",
    "BETWEEN",
    "DISTINCT",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "DESC",
    "EXPLAIN",
    "SHOW TABLES",
    "SET",
    "RESET",
];

/// Runs until Ctrl-D or `\q`. A statement ends with a semicolon; Ctrl-C forgets what was typed of one.
pub(super) async fn run(conversation: &mut Conversation, format: query::Format) -> anyhow::Result<ExitCode> {
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(HISTORY_MAX)?
        .history_ignore_space(true)
        .build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config)?;
    editor.set_helper(Some(Words::of(conversation.session())));
    let history = history_file();
    if let Some(file) = &history {
        // There is none before the first run.
        let _ = editor.load_history(file);
    }
    let mut typed = String::new();
    loop {
        match editor.readline(if typed.is_empty() { "gilbreth> " } else { "     ...> " }) {
            Ok(line) if typed.is_empty() && matches!(line.trim(), "\\q" | "quit" | "exit") => break,
            Ok(line) => {
                typed.push_str(&line);
                typed.push('\n');
                if typed.trim().is_empty() {
                    typed.clear();
                } else if script::is_complete(&typed) {
                    let _ = editor.add_history_entry(typed.trim_end());
                    answer(conversation, &std::mem::take(&mut typed), format).await;
                }
            }
            Err(ReadlineError::Interrupted) => typed.clear(),
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error.into()),
        }
    }
    if let Some(file) = &history {
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = editor.save_history(file);
    }
    Ok(ExitCode::SUCCESS)
}

async fn answer(conversation: &mut Conversation, typed: &str, format: query::Format) {
    let done = match script::statements(typed) {
        Ok(statements) => super::all(conversation, &statements, format, &mut io::stdout()).await,
        Err(error) => Err(error.into()),
    };
    if let Err(error) = done {
        eprintln!("{}", output::causes(&error));
    }
}

/// Where the history is kept: `gilbreth/history` in the user's folder for state.
fn history_file() -> Option<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = folder("XDG_STATE_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("gilbreth").join("history"))
}

/// The words that can be completed.
struct Words(Vec<String>);

impl Words {
    fn of(session: &Session) -> Self {
        let mut words: Vec<String> = KEYWORDS.map(str::to_owned).to_vec();
        words.extend(session.scope().parts().map(|(name, _)| format!("gilbreth.{name}")));
        if let Ok(dictionary) = session.dictionary(None) {
            words
                .extend(dictionary.entries().iter().map(|entry| entry.column.as_ref().unwrap_or(&entry.table).clone()));
        }
        words.sort();
        words.dedup();
        Self(words)
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
        let begin =
            at - line[..at].chars().rev().take_while(|letter| is_part(*letter)).map(char::len_utf8).sum::<usize>();
        let part = line[begin..at].to_lowercase();
        if part.is_empty() {
            return Ok((at, Vec::new()));
        }
        Ok((begin, self.0.iter().filter(|word| word.to_lowercase().starts_with(&part)).cloned().collect()))
    }
}

impl Hinter for Words {
    type Hint = String;
}
impl Highlighter for Words {}
impl Validator for Words {}
impl Helper for Words {}
