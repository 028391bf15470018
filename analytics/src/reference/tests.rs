use arrow::{array::AsArray, util::pretty::pretty_format_batches};
use gilbreth_collector::{
    config,
    decode::{Attribute, Batch, Plain, Span},
    gate::{self, Names, Policy, Source},
    store::{FORMAT, Manifest, Store},
};

use super::*;
use crate::{
    parameters::Parameters,
    refresh::{self, Plan},
    scope::Scope,
    session::Session,
};

fn table(name: &str) -> &'static Table {
    REFERENCE.into_iter().find(|table| table.name == name).unwrap()
}

/// What a file is found to be: its rows, or its faults.
fn read_text(name: &str, text: impl AsRef<[u8]>) -> Result<Vec<String>, Vec<String>> {
    let mut faults = Faults::of(Path::new(name));
    let table = table(name);
    let columns: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
    let rows = checked(table, text.as_ref(), &mut faults);
    match faults.count() {
        0 => Ok(rows.iter().map(|row| row.key(&columns).join("|")).collect()),
        _ => Err(faults.told().iter().map(ToString::to_string).collect()),
    }
}

/// The rows of a good file, cells in the order of the table.
fn check(name: &str, text: impl AsRef<[u8]>, expected: &[&str]) {
    let expected = expected.iter().map(|&row| row.to_owned()).collect::<Vec<_>>();
    assert_eq!(read_text(name, text), Ok(expected), "{name}");
}

/// The faults of a bad one.
fn check_faults(name: &str, text: impl AsRef<[u8]>, expected: &[&str]) {
    let expected = expected.iter().map(|&fault| fault.to_owned()).collect::<Vec<_>>();
    assert_eq!(read_text(name, text), Err(expected), "{name}");
}

#[test]
fn each_csv_is_read() {
    check(
        "staffing",
        "role,organisation,hourly_cost,headcount\nofficer,NPS London,27.5,410\n\n\"admin, senior\",NPS London,,0\n",
        &["NPS London|officer|410|27.5", "NPS London|admin, senior|0|"],
    );
    check(
        "directory",
        "\u{feff}system,login,person,organisation,team,role,valid_from,valid_to\r\n\
         ndelius, J.Doe ,P1,NPS London,,officer,2026-01-01,2026-03-31\r\n\
         ndelius,j.doe,P2,,,,2026-04-01,\r\n\
         oasys,j.doe,P3,,,,,\r\n",
        &[
            "ndelius|j.doe|p1|NPS London||officer|2026-01-01|2026-03-31",
            "ndelius|j.doe|p2||||2026-04-01|",
            "oasys|j.doe|p3|||||",
        ],
    );
    check(
        "holidays",
        "day,name\n2026-12-25,Christmas Day\n2026-12-26,\n,\n",
        &["2026-12-25|Christmas Day", "2026-12-26|"],
    );
    check(
        "survey",
        "respondent,organisation,role,system,hours_per_week,asked_on\n,CRC B,officer,ndelius,5.5,2026-10-05\nP1,,,,0,\n",
        &["|CRC B|officer|ndelius|5.5|2026-10-05", "p1||||0|"],
    );
    check(
        "diary",
        "person,day,activity,minutes,organisation,role\nP1,2026-10-05,contact,720,CRC B,officer\np1,2026-10-05,travel,720,,\n",
        &["p1|2026-10-05|contact|720|CRC B|officer", "p1|2026-10-05|travel|720||"],
    );
    check(
        "go_lives",
        "interface,organisation,from_system,to_system,due_on,went_live_on\ncase data,CRC B,ndelius,crc-b,2015-06-01,\n",
        &["case data|CRC B|ndelius|crc-b|2015-06-01|"],
    );
    let groups = crate::session::built_in::CATEGORIES.map(|(category, group)| format!("{category}|{group}"));
    let lines = groups.iter().map(|group| group.replace('|', ",") + "\n").collect::<String>();
    check("categories", format!("category,category_group\n{lines}"), &groups.each_ref().map(String::as_str));
    check("holidays", "day,name\n", &[]);
}

#[test]
fn the_task_catalogue_is_read() {
    check(
        "tasks",
        "# comment\n\
         [[tasks]]\n\
         name = \"Assess 2026 risk\"\n\
         start = { kind = \"navigation\", system = \"oasys\", screen = \"form 1234\" }\n\
         end = { kind = \"action\", system = \"oasys\", screen = \"sign\", field = \"lock\" }\n\
         [[tasks]]\n\
         name = \"Assess 2026 risk\"\n\
         start = { kind = \"view\", system = \"oasys\", screen = \"list\" }\n\
         end = { kind = \"action\", system = \"oasys\", screen = \"sign\", field = \"lock\" }\n\
         [[completes]]\n\
         kind = \"action\"\n\
         system = \"ndelius\"\n\
         screen = \"contact_entry\"\n\
         field = \"save\"\n",
        &[
            "|completes|action|ndelius|contact_entry|save",
            "Assess # risk|start|navigation|oasys|form #|",
            "Assess # risk|end|action|oasys|sign|lock",
            "Assess # risk|start|view|oasys|list|",
        ],
    );
    check("tasks", "tasks = []\n", &[]);
}

#[test]
fn a_file_that_is_no_csv_of_its_table_is_refused() {
    const HEADER: &str = "the header is organisation,role,headcount,hourly_cost";
    for (text, expected) in [
        (&b""[..], &["is empty: the first line must be the header organisation,role,headcount,hourly_cost"][..]),
        (
            b"\xef\xbb\xbf\r\n ",
            &["is empty: the first line must be the header organisation,role,headcount,hourly_cost"],
        ),
        (b"\xff\xfeo\0", &["must be UTF-8, and is UTF-16: save it as CSV UTF-8"]),
        // No header: its first row may name people, so nothing of it is said.
        (b"Jane Canary,officer,3,4\n", &["line 1: must be the header organisation,role,headcount,hourly_cost"]),
        (
            b"\norganisation;role;headcount;hourly_cost\n",
            &["line 2: must be the header organisation,role,headcount,hourly_cost, with commas between the cells"],
        ),
        (
            b"organisation,role,headcount,salary,role,\nNPS,officer,x,1,,\n",
            &[
                &format!("line 1, column salary: there is no such column: {HEADER}"),
                "line 1, column role: must be there only once",
                "line 1, column 6: the column must have a name",
                "line 1, column hourly_cost: the header must have it; its cells may be empty",
                "line 2, column headcount: must be a whole number of 0 or more",
            ],
        ),
        (
            b"organisation,role,headcount,hourly_cost\nNPS,\"a\nb\",1,1\nNPS,c,\"2,1\n",
            &["line 4, column 3: a quote is opened and never closed"],
        ),
        (
            b"organisation,role,headcount,hourly_cost\nNPS,6\" nails,1,1\n",
            &["line 2, column 2: a quote inside a cell: put the whole cell in quotes and double the quotes inside it"],
        ),
        (
            b"organisation,role,headcount,hourly_cost\nNPS,caf\xe9,1,1\nNPS,a,2\n",
            &["line 2, column role: must be UTF-8", "line 3: has 3 cells, and must have 4 as the header has"],
        ),
    ] {
        check_faults("staffing", text, expected);
    }
}

#[test]
fn each_cell_that_is_wrong_is_named_with_what_is_expected() {
    let long = "x".repeat(81);
    for (name, text, expected) in [
        (
            "staffing",
            "organisation,role,headcount,hourly_cost\nA,b,-1,1\n\nA,\"c\nd\",1.5,\u{a3}1\n,e,NaN,inf\nA,f,,1e3\n",
            &[
                "line 2, column headcount: must be a whole number of 0 or more",
                "line 4, column role: must be one line of text of at most 80 characters",
                "line 4, column headcount: must be a whole number of 0 or more",
                "line 4, column hourly_cost: must be a number of 0 or more, such as 27.5",
                "line 6, column organisation: is empty, and must be one line of text of at most 80 characters",
                "line 6, column headcount: must be a whole number of 0 or more",
                "line 6, column hourly_cost: must be a number of 0 or more, such as 27.5",
                "line 7, column headcount: is empty, and must be a whole number of 0 or more",
                "line 7, column hourly_cost: must be a number of 0 or more, such as 27.5",
            ][..],
        ),
        (
            "staffing",
            "organisation,role,headcount,hourly_cost\nA,b,1,1\nA,c,1,1\nA , b,2,2\n",
            &["line 4, column organisation, role: is as on line 2, and must be there only once"],
        ),
        (
            "holidays",
            &format!("day,name\n2026-02-30,\n2026-1-1,\n01/02/2026,\n2026-03-01,{long}\n"),
            &[
                "line 2, column day: must be a day that exists, such as 2026-10-05",
                "line 3, column day: must be a day that exists, such as 2026-10-05",
                "line 4, column day: must be a day that exists, such as 2026-10-05",
                "line 5, column name: must be one line of text of at most 80 characters",
            ],
        ),
        (
            "holidays",
            "day,name\n2026-12-25,a\n2026-12-25,b\n2026-12-25,c\n",
            &[
                "line 3, column day: is as on line 2, and must be there only once",
                "line 4, column day: is as on line 2, and must be there only once",
            ],
        ),
        (
            "survey",
            "respondent,organisation,role,system,hours_per_week,asked_on\n,,,,169,\n,,,,,yesterday\n",
            &[
                "line 2, column hours_per_week: must be a number from 0 to 168, such as 7.5",
                "line 3, column hours_per_week: is empty, and must be a number from 0 to 168, such as 7.5",
                "line 3, column asked_on: must be a day that exists, such as 2026-10-05",
            ],
        ),
        (
            "diary",
            "person,day,activity,minutes,organisation,role\n,2026-10-05,contact,-5,,\nP1,2026-10-05,other,1441,,\n",
            &[
                "line 2, column person: is empty, and must be one line of text",
                "line 2, column minutes: must be a number from 0 to 1440, such as 7.5",
                "line 3, column minutes: must be a number from 0 to 1440, such as 7.5",
            ],
        ),
        (
            "diary",
            "person,day,activity,minutes,organisation,role\nP1,2026-10-05,contact,900,,\nP2,2026-10-05,other,900,,\n\
             p1 ,2026-10-05,other,541,,\nP1,2026-10-05,other,9,,\n",
            &["line 4, column minutes: this person's day has more than 1440 minutes with it"],
        ),
        (
            "go_lives",
            "interface,organisation,from_system,to_system,due_on,went_live_on\ni,o,a,b,,soon\ni,p,a,,,\ni,q,a,b,,\ni,q,a,b,,\n",
            &[
                "line 2, column went_live_on: must be a day that exists, such as 2026-10-05",
                "line 3, column to_system: is empty, and must be one line of text of at most 80 characters",
                "line 5, column interface, organisation: is as on line 4, and must be there only once",
            ],
        ),
        (
            "directory",
            "system,login,person,organisation,team,role,valid_from,valid_to\n\
             ndelius,a,P1,,,,2026-02-01,2026-01-31\n\
             ndelius,b,P1,,,,,2026-03-31\n\
             ndelius,B,P2,,,,2026-03-31,\n\
             oasys,b,P2,,,,2026-03-31,\n\
             ndelius,c,,,,,,\n",
            &[
                "line 6, column person: is empty, and must be one line of text",
                "line 2, column valid_to: must not be before valid_from",
                "line 4, column system, login, valid_from: holds on days on which line 3 holds: a login is one person at a time",
            ],
        ),
    ] {
        check_faults(name, text, expected);
    }
}

#[test]
fn categories_are_the_fourteen_and_no_other() {
    let lines = |change: fn(&str) -> String| {
        let lines =
            crate::session::built_in::CATEGORIES.map(|(category, group)| change(&format!("{category},{group}\n")));
        format!("category,category_group\n{}", lines.concat())
    };
    check_faults(
        "categories",
        lines(|line| line.replace("away,outside\n", "")),
        &["there must be a line for the category away"],
    );
    check_faults(
        "categories",
        lines(|line| line.replace("first_entry,useful", "tea,good")),
        &[
            "line 2, column category: must be one of first_entry, reading, navigation, search, sign_in, response, re_entry, \
         rework, wait, unavailable, switching, repeat_sign_in, elsewhere, away",
            "line 2, column category_group: must be one of useful, overhead, lost, outside",
        ],
    );
    check_faults(
        "categories",
        lines(|line| line.replace("away", "reading")),
        &["line 15, column category: is as on line 3, and must be there only once"],
    );
}

#[test]
fn each_key_of_the_task_catalogue_that_is_wrong_is_named() {
    const KINDS: &str = "must be one of view, entry, choice, action, search, navigation, sign_in, sign_out, wait, \
                         hidden, shown, other";
    for (text, expected) in [
        ("\n", &["is empty: there must be [[tasks]] or [[completes]]"][..]),
        ("[[tasks]\nname = \"a\"\n", &["line 1: is no TOML: unclosed array table, expected `]`"]),
        (
            "colour = 1\n[tasks]\n",
            &[
                "line 1, column colour: there is no such key: there are tasks and completes",
                "line 2, column tasks: must be written as [[tasks]]",
            ],
        ),
        (
            "[[tasks]]\nname = \"\"\ncolour = \"red\"\nstart = { kind = \"tap\", system = 3, screen = \"s\" }\n\n\
             [[completes]]\nkind = \"action\"\nsystem = \"s\"\n",
            &[
                "line 6, column screen: must be there",
                "line 3, column colour: there is no such key: there are name, start, end",
                "line 2, column name: must be one line of text",
                &format!("line 4, column start.kind: {KINDS}"),
                "line 4, column start.system: must be one line of text",
                "line 1, column end: must be there",
            ],
        ),
        (
            "tasks = [\n\
             { name = \"a\", start = { kind = \"view\", system = \"s\", screen = \"t\" }, end = 1 },\n\
             { name = \"b\", start = { kind = \"view\", system = \"s\", screen = \"t\" }, end = { kind = \"action\", \
             system = \"s\", screen = \"t\", colour = 1 } },\n]\n",
            &[
                "line 2, column end: must be a table of kind, system, screen and perhaps field",
                "line 3, column end.colour: there is no such key: there are kind, system, screen, field",
                "line 3, column start: is as on line 2: a place starts one task",
            ],
        ),
    ] {
        check_faults("tasks", text, expected);
    }
    check_faults("tasks", b"[[completes]]\nkind = \"\xe9\"\n", &["line 2: must be UTF-8"]);
}

#[test]
fn no_fault_repeats_what_stands_in_a_cell() {
    let canary = |name: &str| {
        let table = table(name);
        let header = table.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(",");
        let cells = table.columns.iter().map(|_| "canary\u{7}").collect::<Vec<_>>().join(",");
        [
            format!("{header}\n{cells}\n{cells},canary\n"),
            format!("{header}\n{cells}\"canary\n"),
            format!("canary,canary\n{cells}\n"),
        ]
    };
    for table in REFERENCE.into_iter().filter(|table| table.name != "tasks") {
        for text in canary(table.name) {
            let faults = read_text(table.name, &text).unwrap_err().join("\n");
            assert!(!faults.contains("canary"), "{}: {faults}", table.name);
        }
    }
}

const KEY: StoreKey = StoreKey::new([7; 32]);

#[test]
fn a_login_of_the_directory_is_the_worker_of_a_span_with_that_login() {
    let span = Span {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        attributes: vec![Attribute::text("user.id", "  J\u{212b}ne   DOE ")],
        ..Span::default()
    };
    let batch = Batch { resource: vec![Attribute::text("service.name", "ndelius")], spans: vec![span] };
    let policy = Policy::new(&KEY, &config::Config::default());
    let decoded = Plain::from(vec![batch]).to_columns().unwrap();
    let admission = gate::admit(&decoded, &policy, Source::File, 0, &Names::default()).unwrap();
    let worker = admission.admitted.rows().column_by_name("worker").unwrap().as_binary::<i32>().value(0).to_vec();

    let hashes = Hashes::new(&KEY);
    let hash_in = |name: &str, text: &str, column: &str| {
        let rows = checked(table(name), text.as_bytes(), &mut Faults::of(Path::new(name)));
        let rows = rows::batch(table(name), &rows, &hashes).unwrap();
        rows.column_by_name(column).unwrap().as_binary::<i32>().value(0).to_vec()
    };
    let directory =
        "system,login,person,organisation,team,role,valid_from,valid_to\nndelius,j\u{e5}ne doe,J\u{c5}NE DOE,,,,,\n";
    assert_eq!(hash_in("directory", directory, "login"), worker);
    assert_eq!(hash_in("directory", directory, "person"), worker);
    let survey = "respondent,organisation,role,system,hours_per_week,asked_on\nJ\u{e5}ne Doe,,,,1,\n";
    assert_eq!(hash_in("survey", survey, "respondent"), worker);
    let diary = "person,day,activity,minutes,organisation,role\nJ\u{e5}ne Doe,2026-10-05,contact,1,,\n";
    assert_eq!(hash_in("diary", diary, "person"), worker);
}

/// A store on the disk, and files beside it.
struct Estate {
    folder: tempfile::TempDir,
    writer: Writer,
}

impl Estate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest { format: FORMAT, estate: "Test".to_owned(), time_zone: chrono_tz::UTC };
        let store = Store::open_or_create(&folder.path().join("store"), manifest).unwrap();
        Self { folder, writer: store.lock().unwrap() }
    }

    async fn load(&self, files: &[(&str, &str)]) -> Result<Vec<Loaded>, Error> {
        let written: Vec<(&str, PathBuf)> = files
            .iter()
            .map(|(name, text)| {
                let path = self.folder.path().join(format!("{name}.csv"));
                std::fs::write(&path, text).unwrap();
                (*name, path)
            })
            .collect();
        let files: Vec<(&str, &Path)> = written.iter().map(|(name, path)| (*name, path.as_path())).collect();
        load(&self.writer, &KEY, &files).await
    }

    async fn refresh(&self) -> Plan {
        refresh::run(&self.writer, &Parameters::default(), false).await.unwrap().plan
    }

    async fn sql(&self, sql: &str) -> Vec<String> {
        let session =
            Session::open(self.writer.store(), &Scope::default(), &Parameters::default(), Vec::new()).await.unwrap();
        let table = pretty_format_batches(&session.sql(sql).await.unwrap()).unwrap().to_string();
        let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
        rows.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join("|")).collect()
    }
}

const STAFFING: &str = "organisation,role,headcount,hourly_cost\nNPS,officer,30,27.5\nCRC,officer,12,\n";
const ALL_STAFF: &str = "SELECT * FROM staffing ORDER BY organisation";

#[tokio::test]
async fn what_is_loaded_holds_from_the_next_refresh_and_is_replaced_as_a_whole() {
    let estate = Estate::new();
    let loaded = estate.load(&[("staffing", STAFFING), ("holidays", "day,name\n2026-12-25,x\n")]).await.unwrap();
    let told: Vec<_> = loaded.iter().map(|table| (table.table, table.rows, table.changed)).collect();
    assert_eq!(told, [("staffing", 2, true), ("holidays", 1, true)]);
    assert!(estate.sql(ALL_STAFF).await.is_empty(), "not before a refresh");
    assert_eq!(estate.refresh().await, Plan::Everything);
    assert_eq!(estate.sql(ALL_STAFF).await, ["CRC|officer|12|", "NPS|officer|30|27.5"]);
    assert_eq!(estate.refresh().await, Plan::Nothing);

    // The same rows in another order, with another file.
    let again = "role,organisation,hourly_cost,headcount\nofficer,CRC,,12\nofficer,NPS,27.50,30\n";
    let loaded = estate.load(&[("staffing", again)]).await.unwrap();
    assert!(!loaded[0].changed, "{loaded:?}");
    assert_eq!(estate.refresh().await, Plan::Nothing);

    estate.load(&[("staffing", "organisation,role,headcount,hourly_cost\nNPS,officer,31,27.5\n")]).await.unwrap();
    assert_eq!(estate.refresh().await, Plan::Record);
    assert_eq!(estate.sql(ALL_STAFF).await, ["NPS|officer|31|27.5"]);
    assert_eq!(estate.sql("SELECT day, name FROM holidays").await, ["2026-12-25|x"]);

    estate.load(&[("holidays", "day,name\n")]).await.unwrap();
    assert_eq!(estate.refresh().await, Plan::Everything);
    assert_eq!(estate.sql("SELECT count(*) FROM holidays").await, ["0"]);
}

#[tokio::test]
async fn one_bad_file_leaves_every_table_as_it_was() {
    let estate = Estate::new();
    estate.load(&[("staffing", STAFFING)]).await.unwrap();
    let other = "organisation,role,headcount,hourly_cost\nNPS,officer,1,1\n";
    let error = estate.load(&[("staffing", other), ("holidays", "day,name\nnever,x\n")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let path = estate.folder.path().join("holidays.csv");
    assert_eq!(error.to_string(), format!("nothing is loaded: 1 fault in {}", path.display()));
    estate.refresh().await;
    assert_eq!(estate.sql(ALL_STAFF).await.len(), 2);
    assert!(estate.writer.store().snapshot(table("holidays")).await.unwrap().is_none());
}

#[test]
fn what_is_not_there_is_named() {
    let unknown = read(&[("staff", Path::new("staff.csv"))]).unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no reference data of that name: there are staffing, directory, holidays, survey, diary, go_lives, \
         tasks, categories"
    );
    let absent = read(&[("staffing", Path::new("absent.csv"))]).unwrap_err();
    assert_eq!((absent.kind(), absent.to_string().as_str()), (ErrorKind::Unavailable, "cannot read absent.csv"));
}
