//! Whether the quotes of a CSV are as RFC 4180 has them.
//!
//! The `csv` crate reads whatever it is given: a quote that is never closed swallows the rest of the file without a
//! word. What would be read in another way than its author meant is refused here, before it is read.

/// Where the quotes stop making sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Misquoted {
    /// Byte of the file.
    pub(super) offset: usize,
    /// Column, from 1.
    pub(super) column: usize,
    /// What is expected.
    pub(super) what: &'static str,
}

enum State {
    Start,
    Plain,
    /// Opened at this byte, in this column.
    Quoted(usize, usize),
    Closed,
}

/// The first place where a quote is not what RFC 4180 lets it be.
pub(super) fn check(bytes: &[u8]) -> Result<(), Misquoted> {
    let mut state = State::Start;
    let mut column = 1;
    for (offset, &byte) in bytes.iter().enumerate() {
        state = match (state, byte) {
            (State::Quoted(..), b'"') => State::Closed,
            (State::Quoted(opened, of), _) => State::Quoted(opened, of),
            (State::Start, b'"') => State::Quoted(offset, column),
            // Two quotes within quotes are one.
            (State::Closed, b'"') => State::Quoted(offset, column),
            (_, b',') => {
                column += 1;
                State::Start
            }
            (_, b'\r' | b'\n') => {
                column = 1;
                State::Start
            }
            (State::Plain, b'"') => {
                return Err(Misquoted {
                    offset,
                    column,
                    what: "a quote inside a cell: put the whole cell in quotes and double the quotes inside it",
                });
            }
            (State::Closed, _) => {
                return Err(Misquoted {
                    offset,
                    column,
                    what: "after a closing quote there must be a comma or the end of the line",
                });
            }
            (State::Start | State::Plain, _) => State::Plain,
        };
    }
    match state {
        State::Quoted(offset, column) => Err(Misquoted { offset, column, what: "a quote is opened and never closed" }),
        State::Start | State::Plain | State::Closed => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_told_right_from_wrong() {
        for (text, expected) in [
            ("", None),
            ("a,b\n1,2\n", None),
            ("\"a\",\"b, c\"\r\n\"d \"\"e\"\"\",\"two\nlines\"", None),
            ("a,\"\",c", None),
            ("a,b\nc,\"d\n", Some((6, 2))),
            ("a,b\"c", Some((3, 2))),
            ("\"a\" ,b", Some((3, 1))),
            ("x\n\"a\"b", Some((5, 1))),
            ("a, \"b\"", Some((3, 2))),
        ] {
            let found = check(text.as_bytes()).err().map(|wrong| (wrong.offset, wrong.column));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
