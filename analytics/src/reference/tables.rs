//! The tables of reference data. People in them are keyed hashes, made by the function that makes `spans.worker`.

use gilbreth_collector::schema::{
    ColumnType::{Binary, Date, Double, Integer, Text},
    Table, optional, required,
};

/// How many people an organisation employs in a role, and what an hour of theirs costs.
pub static STAFFING: Table = Table {
    name: "staffing",
    folder: "reference/staffing",
    grain: "an organisation and a role",
    partition: &[],
    sort: &["organisation", "role"],
    columns: &[
        required("organisation", Text, "the organisation"),
        required("role", Text, "the role"),
        required("headcount", Integer, "people employed"),
        optional("hourly_cost", Double, "cost of an hour of work, overheads included, pounds"),
    ],
};

/// Which person a login is, and where that person works, while it holds.
pub static DIRECTORY: Table = Table {
    name: "directory",
    folder: "reference/directory",
    grain: "a login of a person in a system, while it holds",
    partition: &[],
    sort: &["system", "login"],
    columns: &[
        required("system", Text, "the system of the login"),
        required("login", Binary, "keyed hash of the login"),
        required("person", Binary, "keyed hash of the person"),
        optional("organisation", Text, "organisation of the person"),
        optional("team", Text, "team of the person"),
        optional("role", Text, "role of the person"),
        optional(
            "valid_from",
            Date,
            "first day (UTC, of the start of a span as sent) on which it holds; null for always",
        ),
        optional("valid_to", Date, "last such day on which it holds; null for still"),
    ],
};

/// Days on which offices are shut.
pub static HOLIDAYS: Table = Table {
    name: "holidays",
    folder: "reference/holidays",
    grain: "a day on which offices are shut",
    partition: &[],
    sort: &["day"],
    columns: &[required("day", Date, "the local day"), optional("name", Text, "its name")],
};

/// What staff said.
pub static SURVEY: Table = Table {
    name: "survey",
    folder: "reference/survey",
    grain: "an answer",
    partition: &[],
    sort: &["organisation", "role"],
    columns: &[
        optional("respondent", Binary, "keyed hash of the person who answered; null for an anonymous answer"),
        optional("organisation", Text, "organisation of the person"),
        optional("role", Text, "role of the person"),
        optional("system", Text, "the system asked about; null for all systems"),
        required("hours_per_week", Double, "hours a week that the person attributes to it"),
        optional("asked_on", Date, "day of the answer"),
    ],
};

/// What was seen or noted of people's days outside of the instrumented systems.
pub static DIARY: Table = Table {
    name: "diary",
    folder: "reference/diary",
    grain: "a stretch of a person's day",
    partition: &[],
    sort: &["day", "person"],
    columns: &[
        required("person", Binary, "keyed hash of the person"),
        required("day", Date, "the local day"),
        required("activity", Text, "contact, or any other word, which counts as other"),
        required("minutes", Double, "its length in minutes"),
        optional("organisation", Text, "organisation of the person"),
        optional("role", Text, "role of the person"),
    ],
};

/// When an interface between two systems came to an organisation.
pub static GO_LIVES: Table = Table {
    name: "go_lives",
    folder: "reference/go_lives",
    grain: "an interface and an organisation",
    partition: &[],
    sort: &["interface", "organisation"],
    columns: &[
        required("interface", Text, "name of the interface"),
        required("organisation", Text, "the organisation that it serves"),
        required("from_system", Text, "system that it takes values from"),
        required("to_system", Text, "system that it brings them to"),
        optional("due_on", Date, "day on which it was due"),
        optional("went_live_on", Date, "first local day on which it was in use; null when it never was"),
    ],
};

/// The task catalogue: where a task starts and ends, where no sender says so.
pub static TASKS: Table = Table {
    name: "tasks",
    folder: "reference/tasks",
    grain: "a rule of the task catalogue",
    partition: &[],
    sort: &["task", "edge", "system"],
    columns: &[
        optional("task", Text, "name of the task; null for an action that ends any run of work"),
        required("edge", Text, "start or end of the task, or completes: an action that ends a run of work on a case"),
        required("kind", Text, "kind of the interaction that it is"),
        required("system", Text, "its system"),
        required("screen", Text, "its screen"),
        optional("field", Text, "its field; null for any"),
    ],
};

/// How categories of time are grouped.
pub static CATEGORIES: Table = Table {
    name: "categories",
    folder: "reference/categories",
    grain: "a category of time",
    partition: &[],
    sort: &["category"],
    columns: &[
        required("category", Text, "one of the fourteen categories of time"),
        required("category_group", Text, "useful, overhead, lost or outside"),
    ],
};

/// The tables that decide facts: when one of them changes, the facts are worked out again.
pub static DECIDING_FACTS: [&Table; 3] = [&DIRECTORY, &HOLIDAYS, &TASKS];

/// Every table of reference data.
pub static REFERENCE: [&Table; 8] = [&STAFFING, &DIRECTORY, &HOLIDAYS, &SURVEY, &DIARY, &GO_LIVES, &TASKS, &CATEGORIES];
