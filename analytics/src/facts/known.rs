//! Reference data that decide facts: who is behind a login, where tasks start and end, and holidays.

use datafusion::{error::Result, prelude::SessionContext};

use super::gather::id;
use crate::{
    operators::{
        columns::{Symbols, binary, column, text, word},
        hashing::{FastMap, FastSet},
        task_rules::{Catalogue, Edge, Rule},
    },
    reference::tables::{DIRECTORY, HOLIDAYS, TASKS},
};

/// What is known beside the spans.
#[derive(Debug, Default)]
pub struct Known {
    /// Who is behind a login.
    pub directory: Directory,
    /// Where tasks start and end.
    pub catalogue: Catalogue,
}

/// The worker directory: a login of a system is a person, while it holds.
#[derive(Debug, Default)]
pub struct Directory {
    by_login: FastMap<u64, Vec<Login>>,
}

/// A login while it holds. Days are those of spans, UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    system: String,
    from: i32,
    to: i32,
    /// The person, a keyed hash.
    pub person: u64,
    /// Organisation, team and role of the person, as far as the directory knows them.
    pub place: [Option<String>; 3],
}

impl Directory {
    /// Whether it knows nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_login.is_empty()
    }

    /// The login of a span's worker on the day of the span. Of several, the one that holds since the latest day.
    #[must_use]
    pub fn login(&self, system: Option<&str>, login: u64, day: i32) -> Option<&Login> {
        let system = system?;
        let mut held = self.by_login.get(&login)?.iter();
        held.rfind(|login| login.system == system && (login.from..=login.to).contains(&day))
    }

    /// The person behind a span's worker: the worker as sent where the directory does not know it.
    #[must_use]
    pub fn person(&self, system: Option<&str>, login: u64, day: i32) -> u64 {
        self.login(system, login, day).map_or(login, |known| known.person)
    }
}

/// Reads the tables `directory` and `tasks` of a context; those that are not there are empty.
pub async fn known(context: &SessionContext) -> Result<Known> {
    Ok(Known { directory: directory(context).await?, catalogue: catalogue(context).await? })
}

async fn directory(context: &SessionContext) -> Result<Directory> {
    let mut directory = Directory::default();
    if !context.table_exist(DIRECTORY.name)? {
        return Ok(directory);
    }
    for batch in context.table(DIRECTORY.name).await?.collect().await? {
        let (systems, logins, persons) = (text(&batch, "system")?, binary(&batch, "login")?, binary(&batch, "person")?);
        let place = [text(&batch, "organisation")?, text(&batch, "team")?, text(&batch, "role")?];
        let day = |name| column(&batch, name, &arrow::datatypes::DataType::Date32);
        let (from, to) = (day("valid_from")?, day("valid_to")?);
        let from = datafusion::common::cast::as_date32_array(&from)?;
        let to = datafusion::common::cast::as_date32_array(&to)?;
        for row in 0..batch.num_rows() {
            let (Some(login), Some(person)) = (id(&logins, row), id(&persons, row)) else { continue };
            directory.by_login.entry(login).or_default().push(Login {
                system: systems.value(row).to_owned(),
                from: from.iter().nth(row).flatten().unwrap_or(i32::MIN),
                to: to.iter().nth(row).flatten().unwrap_or(i32::MAX),
                person,
                place: [0, 1, 2].map(|part| word(&place[part], row).map(str::to_owned)),
            });
        }
    }
    for logins in directory.by_login.values_mut() {
        logins.sort_unstable_by_key(|login| (login.from, login.person));
    }
    Ok(directory)
}

/// The days of the table `holidays`, since 1970; none where it is not there.
pub async fn holidays(context: &SessionContext) -> Result<FastSet<i32>> {
    let mut days = FastSet::default();
    if context.table_exist(HOLIDAYS.name)? {
        for batch in context.table(HOLIDAYS.name).await?.collect().await? {
            let column = column(&batch, "day", &arrow::datatypes::DataType::Date32)?;
            days.extend(datafusion::common::cast::as_date32_array(&column)?.iter().flatten());
        }
    }
    Ok(days)
}

async fn catalogue(context: &SessionContext) -> Result<Catalogue> {
    let mut rules = Vec::new();
    let mut tasks: Symbols<String> = Symbols::default();
    if context.table_exist(TASKS.name)? {
        for batch in context.table(TASKS.name).await?.collect().await? {
            let [task, edge, kind, system, screen, field] = [
                text(&batch, "task")?,
                text(&batch, "edge")?,
                text(&batch, "kind")?,
                text(&batch, "system")?,
                text(&batch, "screen")?,
                text(&batch, "field")?,
            ];
            for row in 0..batch.num_rows() {
                let edge = match (edge.value(row), word(&task, row)) {
                    ("start", Some(task)) => Edge::Start(tasks.number(task)),
                    ("end", Some(task)) => Edge::End(tasks.number(task)),
                    _ => Edge::Completes,
                };
                rules.push(Rule {
                    edge,
                    kind: kind.value(row).to_owned(),
                    system: system.value(row).to_owned(),
                    screen: screen.value(row).to_owned(),
                    field: word(&field, row).map(str::to_owned),
                });
            }
        }
    }
    Ok(Catalogue { rules, tasks: tasks.into_values() })
}
