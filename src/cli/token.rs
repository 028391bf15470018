//! What can be asked about access tokens.

use std::{num::NonZeroU32, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::ListFormat;

/// What is done with access tokens. All of it works beside a running service, which notices within about a second.
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  gilbreth token add --store estate --label 'nDelius servers' --system ndelius
  gilbreth token list --store estate
  gilbreth token revoke --store estate 'nDelius servers'
Without tokens, whoever is on this machine may send, and nobody else. docs/access.md says more.")]
pub(crate) enum Token {
    /// Make a token and print it, once: it cannot be shown again.
    Add(TokenAdd),
    /// List the tokens, never the tokens themselves.
    List(TokenList),
    /// Revoke a token for good.
    Revoke(TokenRevoke),
}

/// Options of `token add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth token add --store estate --label 'nDelius servers' --system ndelius --system oasys
  gilbreth token add --store estate --label 'night copy' --all-systems --replay
  gilbreth token add --store estate --label 'nDelius pages' --page https://ndelius.example --system ndelius
  TOKEN=$(gilbreth token add --store estate --label audit --role auditor)
The token alone is on standard output. Servers send it as `authorization: Bearer …`, pages as `?token=…`.")]
#[group(id = "purpose", required = true, multiple = true, args = ["system", "all_systems", "page", "role"])]
pub(crate) struct TokenAdd {
    /// The store; made if it is not there.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The configuration file (for a store that is made).
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// What to call it, such as who has it: at most 80 characters.
    #[arg(long)]
    pub(crate) label: String,
    /// What it is for.
    #[command(flatten)]
    pub(crate) rights: TokenRights,
    /// May send spans of this system; again for each further one.
    #[arg(long, value_name = "SYSTEM", conflicts_with = "all_systems")]
    pub(crate) system: Vec<String>,
    /// May send old spans, and say when they were first received.
    #[arg(long, conflicts_with_all = ["page", "role"])]
    pub(crate) replay: bool,
    /// Spans a second over time, ten seconds' worth at once; without it 10000 for pages, and any number else.
    #[arg(long, value_name = "N", conflicts_with = "role")]
    pub(crate) spans_per_second: Option<NonZeroU32>,
    /// Requests in work at once; without it 32.
    #[arg(long, value_name = "N", conflicts_with = "role")]
    pub(crate) requests_at_once: Option<NonZeroU32>,
}

/// What a token is for, other than to send spans of some systems.
#[derive(Debug, Clone, Args)]
#[group(multiple = false)]
pub(crate) struct TokenRights {
    /// May send spans of every system.
    #[arg(long)]
    pub(crate) all_systems: bool,
    /// For pages of this origin, such as https://cases.example, to send spans of one system: everybody who sees the page
    /// has the token.
    #[arg(long, value_name = "ORIGIN", requires = "system")]
    pub(crate) page: Option<String>,
    /// For reading in a role.
    #[arg(long, value_enum, conflicts_with = "system")]
    pub(crate) role: Option<Role>,
}

/// What a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Every table and view.
    Auditor,
    /// The views of a whole estate.
    ServiceOwner,
    /// What a system costs by screen and field.
    Developer,
}

/// Options of `token list`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  gilbreth token list --store estate --format json")]
pub(crate) struct TokenList {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// How tokens are printed.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    pub(crate) format: ListFormat,
}

/// Options of `token revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  gilbreth token revoke --store estate 1f0c9a3e
  gilbreth token revoke --store estate 'nDelius servers'")]
pub(crate) struct TokenRevoke {
    /// The store.
    #[arg(long, value_name = "DIR")]
    pub(crate) store: PathBuf,
    /// The token's id or label.
    #[arg(value_name = "ID|LABEL")]
    pub(crate) token: String,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::cli::Cli;

    #[test]
    fn a_token_is_for_one_thing() {
        let add = |more: &str| {
            let words = format!("gilbreth token add --store s --label l {more}");
            Cli::try_parse_from(words.split_whitespace()).is_ok()
        };
        for right in [
            "--system a",
            "--system a --system b --replay",
            "--all-systems --spans-per-second 5",
            "--page https://a.example --system a",
            "--role auditor",
        ] {
            assert!(add(right), "{right}");
        }
        for wrong in [
            "--all-systems --system a",
            "--all-systems --role auditor",
            "",
            "--replay",
            "--page https://a.example",
            "--page https://a.example --system a --replay",
            "--role auditor --system a",
            "--role auditor --replay",
            "--system a --spans-per-second 0",
        ] {
            assert!(!add(wrong), "{wrong}");
        }
    }
}
