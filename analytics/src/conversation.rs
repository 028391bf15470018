//! A conversation with a store: a session whose scope and pin SQL can change.
//!
//! `SET gilbreth.from = '2026-01-05'` opens another session over the same store, and takes its place only once it is
//! open: a `SET` that cannot be honoured fails and changes nothing. Each conversation has a scope and a pin of its own;
//! none is shared between two.

use std::sync::Arc;

use arrow::{array::StringArray, record_batch::RecordBatch};
use datafusion::{
    execution::SendableRecordBatchStream, physical_plan::stream::RecordBatchStreamAdapter,
    sql::sqlparser::tokenizer::Token,
};
use gilbreth_collector::store::Store;

use crate::{Error, parameters::Parameters, scope::Scope, script, session::Session};

/// The conversation.
#[derive(Debug)]
pub struct Conversation {
    store: Store,
    parameters: Parameters,
    session: Arc<Session>,
}

/// What a statement gave.
pub enum Answer {
    /// Rows, as they are worked out.
    Rows(SendableRecordBatchStream),
    /// Nothing: the scope is now another.
    Changed,
}

impl Conversation {
    /// Begins with this scope. `parameters` are as for [`Session::open`].
    pub async fn open(store: Store, scope: &Scope, parameters: &Parameters) -> Result<Self, Error> {
        let session = Arc::new(Session::open(&store, scope, parameters, Vec::new()).await?);
        Ok(Self { store, parameters: parameters.clone(), session })
    }

    /// The session as it is now.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Runs one statement: `SET`, `RESET` and `SHOW` of `gilbreth.…`, or a query.
    pub async fn run(&mut self, statement: &str) -> Result<Answer, Error> {
        let scope = match setting(statement)? {
            None => return self.session.stream(statement).await.map(Answer::Rows),
            Some(Setting::Show(name)) => return shown(self.session.scope(), name.as_deref()).map(Answer::Rows),
            Some(Setting::Set(name, value)) => {
                let mut scope = self.session.scope().clone();
                scope.set(&name, value)?;
                scope
            }
            Some(Setting::ResetAll) => Scope::default(),
        };
        if scope != *self.session.scope() {
            self.session = Arc::new(Session::open(&self.store, &scope, &self.parameters, Vec::new()).await?);
        }
        Ok(Answer::Changed)
    }
}

/// Whether a statement changes settings, and so gives no rows.
#[must_use]
pub fn changes_settings(statement: &str) -> bool {
    matches!(setting(statement), Ok(Some(Setting::Set(..) | Setting::ResetAll)))
}

/// A statement about `gilbreth.…`.
#[derive(Debug, PartialEq, Eq)]
enum Setting {
    /// A part by its name, and its value; without one it is taken away.
    Set(String, Option<String>),
    /// All of them are taken away.
    ResetAll,
    /// One part is shown, or all.
    Show(Option<String>),
}

/// Reads a statement about settings; `None` is any other statement.
fn setting(statement: &str) -> Result<Option<Setting>, Error> {
    let Ok(tokens) = script::tokens(statement) else { return Ok(None) };
    let tokens: Vec<Token> = tokens
        .into_iter()
        .map(|token| token.token)
        .filter(|token| !matches!(token, Token::Whitespace(_) | Token::EOF | Token::SemiColon))
        .collect();
    let word = |token: &Token| match token {
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    };
    let words: Vec<Option<String>> = tokens.iter().map(word).collect();
    let words: Vec<&str> = words.iter().map(|word| word.as_deref().unwrap_or_default()).collect();
    let (verb, mut rest) = match words.first() {
        Some(verb @ (&"set" | &"reset" | &"show")) => (*verb, 1),
        _ => return Ok(None),
    };
    if verb == "reset" && words[rest..] == ["all"] {
        return Ok(Some(Setting::ResetAll));
    }
    let local = verb == "set" && words.get(rest) == Some(&"local");
    if local || (verb == "set" && words.get(rest) == Some(&"session")) {
        rest += 1;
    }
    if words.get(rest) != Some(&"gilbreth") || tokens.get(rest + 1) != Some(&Token::Period) {
        return Ok(None);
    }
    if local {
        return Err(Error::Invalid("SET LOCAL cannot be honoured: there are no transactions; use SET".to_owned()));
    }
    let (name, every) = match tokens.get(rest + 2) {
        Some(Token::Word(_)) => (words[rest + 2].to_owned(), false),
        Some(Token::Mul) => (String::new(), true),
        _ => return Err(wrong(verb)),
    };
    let rest = &tokens[rest + 3..];
    match (verb, every, rest) {
        ("show", _, []) => Ok(Some(Setting::Show((!every).then_some(name)))),
        ("reset", true, []) => Ok(Some(Setting::ResetAll)),
        ("reset", false, []) => Ok(Some(Setting::Set(name, None))),
        ("set", false, [is, value]) if *is == Token::Eq || word(is).as_deref() == Some("to") => {
            let value = match value {
                Token::SingleQuotedString(text) => Some(text.clone()),
                Token::Number(digits, _) => Some(digits.clone()),
                value if word(value).as_deref() == Some("default") => None,
                _ => return Err(wrong(verb)),
            };
            Ok(Some(Setting::Set(name, value)))
        }
        _ => Err(wrong(verb)),
    }
}

fn wrong(verb: &str) -> Error {
    Error::Invalid(match verb {
        "set" => "write SET gilbreth.from = '2026-01-05', or = DEFAULT".to_owned(),
        verb => format!("write {0} gilbreth.from, or {0} gilbreth.*", verb.to_uppercase()),
    })
}

/// The parts of a scope as rows.
fn shown(scope: &Scope, name: Option<&str>) -> Result<SendableRecordBatchStream, Error> {
    if let Some(name) = name {
        // Says which there are when there is none of that name.
        scope.clone().set(name, None)?;
    }
    let parts = scope.parts().into_iter().filter(|(part, _)| name.is_none_or(|name| name == *part));
    let (names, values): (Vec<String>, Vec<Option<&str>>) =
        parts.map(|(name, value)| (format!("gilbreth.{name}"), value)).unzip();
    let rows = RecordBatch::try_from_iter_with_nullable([
        ("setting", Arc::new(StringArray::from(names)) as _, false),
        ("value", Arc::new(StringArray::from(values)) as _, true),
    ])?;
    Ok(Box::pin(RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)]))))
}

#[cfg(test)]
mod tests;
