use futures::TryStreamExt as _;

use super::*;

fn read(statement: &str) -> Option<Setting> {
    setting(statement).unwrap()
}

#[test]
fn statements_about_settings_are_told_from_queries() {
    let set = |name: &str, value: Option<&str>| Some(Setting::Set(name.to_owned(), value.map(str::to_owned)));
    assert_eq!(read("SET gilbreth.from = '2026-01-05'"), set("from", Some("2026-01-05")));
    assert_eq!(read("-- since\nset session gilbreth.AS_OF to 3;"), set("as_of", Some("3")));
    assert_eq!(read("SET gilbreth.role = 'it''s'"), set("role", Some("it's")));
    assert_eq!(read("SET gilbreth.role = DEFAULT"), set("role", None));
    assert_eq!(read("RESET gilbreth.role"), set("role", None));
    assert_eq!(read("RESET ALL"), Some(Setting::ResetAll));
    assert_eq!(read("reset gilbreth.*"), Some(Setting::ResetAll));
    assert_eq!(read("SHOW gilbreth.*"), Some(Setting::Show(None)));
    assert_eq!(read("SHOW gilbreth.to"), Some(Setting::Show(Some("to".to_owned()))));
    for other in ["SELECT 1", "SHOW TABLES", "SET time_zone = 'UTC'", "SELECT 'SET gilbreth.from = 1'", "SET '"] {
        assert_eq!(read(other), None, "{other}");
    }
    assert!(changes_settings("RESET ALL") && !changes_settings("SHOW gilbreth.to") && !changes_settings("SELECT 1"));
}

#[tokio::test]
async fn what_is_shown_is_the_scope_as_it_is() {
    let scope = Scope { system: Some("nd".to_owned()), ..Scope::default() };
    let rows: Vec<RecordBatch> = shown(&scope, None).unwrap().try_collect().await.unwrap();
    let text = arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string();
    assert!(text.contains("| gilbreth.system       | nd    |"), "{text}");
    assert_eq!(rows[0].num_rows(), 7);
    let rows: Vec<RecordBatch> = shown(&scope, Some("as_of")).unwrap().try_collect().await.unwrap();
    assert_eq!((rows[0].num_rows(), rows[0].column(1).null_count()), (1, 1));
}
