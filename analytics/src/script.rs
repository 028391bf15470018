//! SQL text cut into statements, each with its place.

use datafusion::sql::sqlparser::{
    dialect::GenericDialect,
    tokenizer::{Location, Token, TokenWithSpan, Tokenizer},
};

use crate::Error;

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its text, without the semicolon.
    pub text: &'a str,
    /// The line that it begins on, from 1.
    pub line: u64,
    /// The column that it begins at, from 1, in characters.
    pub column: u64,
}

impl Statement<'_> {
    /// The text with as much space before it as there was of the script, so that an error in it names the place in the
    /// script.
    #[must_use]
    pub fn in_place(&self) -> String {
        let lines = usize::try_from(self.line - 1).unwrap_or(0);
        let columns = usize::try_from(self.column - 1).unwrap_or(0);
        format!("{}{}{}", "\n".repeat(lines), " ".repeat(columns), self.text)
    }
}

/// The statements of a script, which semicolons part; those in strings, names and comments do not. What is nothing but
/// space and comments is no statement.
pub fn statements(script: &str) -> Result<Vec<Statement<'_>>, Error> {
    let mut found = Vec::new();
    let mut first: Option<Location> = None;
    let mut last = 0;
    for token in tokens(script)? {
        match token.token {
            Token::Whitespace(_) => {}
            Token::SemiColon | Token::EOF => {
                if let Some(begin) = first.take() {
                    let text = &script[offset(script, begin)..last];
                    found.push(Statement { text, line: begin.line, column: begin.column });
                }
            }
            _ => {
                first.get_or_insert(token.span.start);
                last = offset(script, token.span.end);
            }
        }
    }
    if let Some(begin) = first {
        let text = script[offset(script, begin)..].trim_end();
        found.push(Statement { text, line: begin.line, column: begin.column });
    }
    Ok(found)
}

/// Whether what was typed so far ends with the semicolon of its last statement.
#[must_use]
pub fn is_complete(script: &str) -> bool {
    let tokens = tokens(script).unwrap_or_default();
    let last = tokens.iter().rev().find(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF));
    last.is_some_and(|token| token.token == Token::SemiColon)
}

/// The tokens of a text, with their places.
pub(crate) fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, Error> {
    let tokens = Tokenizer::new(&GenericDialect {}, text).tokenize_with_location();
    tokens.map_err(|error| Error::Invalid(format!("the SQL cannot be read: {error}")))
}

/// Where a place of a text is, in bytes.
fn offset(text: &str, at: Location) -> usize {
    let before = usize::try_from(at.line - 1).unwrap_or(0);
    let line: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let columns = usize::try_from(at.column - 1).unwrap_or(0);
    line + text[line..].chars().take(columns).map(char::len_utf8).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(script: &str) -> Vec<String> {
        statements(script).unwrap().into_iter().map(|statement| statement.text.to_owned()).collect()
    }

    #[test]
    fn semicolons_part_statements_unless_they_are_quoted_or_commented() {
        assert_eq!(texts("SELECT 1; SELECT 2 ;\n"), ["SELECT 1", "SELECT 2"]);
        assert_eq!(texts("SELECT ';' AS \";\" -- a; b\n, 2"), ["SELECT ';' AS \";\" -- a; b\n, 2"]);
        assert_eq!(texts("/* ; */ SELECT 'it''s;é'; -- the end;"), ["SELECT 'it''s;é'"]);
        assert_eq!(texts(" ;; -- nothing\n"), [""; 0]);
    }

    #[test]
    fn a_statement_knows_its_place() {
        let script = "SELECT 'é';  SELECT\n  2;\n\n  SELECT 3";
        let places: Vec<_> =
            statements(script).unwrap().iter().map(|statement| (statement.line, statement.column)).collect();
        assert_eq!(places, [(1, 1), (1, 14), (4, 3)]);
        assert_eq!(statements(script).unwrap()[2].in_place(), "\n\n\n  SELECT 3");
    }

    #[test]
    fn a_text_is_complete_with_its_last_semicolon() {
        assert!(is_complete("SELECT 1;") && is_complete("SELECT 1; -- done"));
        assert!(!is_complete("SELECT 1") && !is_complete("SELECT ';") && !is_complete("-- ;") && !is_complete(""));
    }

    #[test]
    fn an_open_quote_is_an_error_with_its_place() {
        let error = statements("SELECT\n 'open").unwrap_err().to_string();
        assert!(error.contains("Line: 2, Column: 2"), "{error}");
    }
}
