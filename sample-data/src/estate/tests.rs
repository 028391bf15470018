use super::{Estate, EstateError};

/// The estate that comes along, with one piece of its text replaced.
fn with(from: &str, to: &str) -> Result<Estate, EstateError> {
    let text = include_str!("../../estates/probation.toml");
    assert!(text.contains(from), "the estate no longer has '{from}'");
    Estate::from_toml(&text.replacen(from, to, 1))
}

#[track_caller]
fn refused(from: &str, to: &str, expected: &str) {
    let message = with(from, to).expect_err("must be refused").to_string();
    assert!(message.contains(expected), "'{message}' does not say '{expected}'");
}

#[test]
fn the_estate_that_comes_along_is_valid() {
    let estate = Estate::probation();
    assert_eq!(estate.systems.len(), 7);
    assert_eq!(estate.companies.names.len(), 21);
}

#[test]
fn errors_name_the_place() {
    refused("sigma = 0.95 }", "sigma = 0.95, sigmoid = 2 }", "unknown field `sigmoid`");
    refused("name = \"probation\"", "name = ", "line");
    refused("Europe/London", "Europe/Leeds", "estate, time_zone: 'Europe/Leeds'");
    refused(
        "fact = \"surname\", how = \"seen\"",
        "fact = \"sirname\", how = \"seen\"",
        "screen case_summary, field surname: there is no fact 'sirname'",
    );
    refused("fact = \"surname\", how = \"seen\"", "how = \"seen\"", "either a fact or a value");
    refused("value = \"today\"", "value = \"yesterday\"", "screen contact_entry, field contact_date");
    refused("value = \"yes-no\", how = \"chosen\"", "value = \"yes-no\", how = \"seen\"", "only a fact can be seen");
    refused("rejected = 0.045", "rejected = 4.5", "system ndelius, rejected: 4.5 is no share");
    refused("sign_in_s = 24.0", "sign_in_s = 0.0", "system ndelius, sign_in_s");
    refused("\"oasys/review\"]", "\"oasys/revue\"]", "step 'oasys/revue': oasys has no such screen");
    refused("\"rsr/new_score\"", "\"rsr new_score\"", "only 'shared' and 'hard' may follow");
    refused(
        "{ \"offender manager\" = 5.5 }",
        "{ \"officer\" = 5.5 }",
        "task contact recording: there is no role 'officer'",
    );
    refused("\"offender manager\" = 0.62", "\"offender manager\" = 0.6", "service.roles: the shares add up to");
    refused("name = \"oasys\"", "name = \"ndelius\"", "system ndelius: there are two of that name");
    refused("screens_of = \"crc-b\"", "screens_of = \"crc-c\"", "screens_of names no system");
    refused("surname = \"surname\"", "surname = \"today\"", "fact surname: such a value is no fact of a case");
    refused("rows = 9", "rows = 0", "task performance return: rows must be 1 or more");
}
