use proptest::prelude::*;

use super::*;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    value: String,
    kind: String,
    canonical: String,
    parts: Vec<String>,
    /// Whether it is digested at all; absent: if the canonical form is not empty.
    digested: Option<bool>,
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(include_str!("../../vectors/normalise.json")).expect("the vector file is JSON of this form")
}

#[test]
fn every_vector_holds() {
    let vectors = vectors();
    assert!(vectors.len() >= 300, "only {} vectors", vectors.len());
    let mut wrong = Vec::new();
    for vector in &vectors {
        let kind = ValueKind::parse(&vector.kind).unwrap_or_else(|| panic!("no kind {:?}", vector.kind));
        let expected_digested = vector.digested.unwrap_or(!vector.canonical.is_empty());
        let got =
            (normalise(&vector.value, kind), parts(&vector.value, kind), digestible(&vector.value, kind).is_some());
        if got != (vector.canonical.clone(), vector.parts.clone(), expected_digested) {
            wrong.push(format!(
                "{:?} ({}): expected {:?} {:?}, got {got:?}",
                vector.value, vector.kind, vector.canonical, vector.parts
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_has_vectors() {
    for kind in ValueKind::ALL {
        assert!(vectors().iter().filter(|vector| vector.kind == kind.as_str()).count() >= 5, "{kind:?}");
    }
}

#[test]
fn step_1_of_ascii_equals_step_1_of_unicode() {
    // The short cut for ASCII may differ in nothing: a no-op non-ASCII suffix takes the long way.
    for text in ["", "  A  b\tC\r\n", "x\u{0b}\u{0c}y", "\u{1c}a\u{1f}", "McX"] {
        let long = step_1(&format!("{text}\u{a0}"));
        assert_eq!(step_1(text), long, "{text:?}");
    }
}

fn any_kind() -> impl Strategy<Value = ValueKind> {
    prop::sample::select(ValueKind::ALL.to_vec())
}

fn stable_kind() -> impl Strategy<Value = ValueKind> {
    prop::sample::select(vec![ValueKind::Name, ValueKind::Text, ValueKind::Choice, ValueKind::Email])
}

proptest! {
    #[test]
    fn no_string_panics_and_parts_keep_their_bounds(value in any::<String>(), kind in any_kind()) {
        let _ = normalise(&value, kind);
        let _ = digestible(&value, kind);
        let parts = parts(&value, kind);
        prop_assert!(parts.len() != 1 && parts.len() <= PARTS_MAX);
        prop_assert!(parts.iter().all(|part| part.chars().count() >= 2 && part.chars().all(char::is_alphanumeric)));
    }

    #[test]
    fn step_1_is_idempotent(value in any::<String>()) {
        let once = step_1(&value);
        prop_assert_eq!(step_1(&once), once);
    }

    #[test]
    fn kinds_that_cannot_be_reparsed_are_idempotent(value in any::<String>(), kind in stable_kind()) {
        let once = normalise(&value, kind);
        prop_assert_eq!(normalise(&once, kind), once);
    }

    #[test]
    fn a_date_is_the_same_in_every_form(year in 1930u32..2030, month in 1u32..=12, day in 1u32..=28) {
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let name = names[month as usize - 1];
        let expected = format!("{year:04}-{month:02}-{day:02}");
        let short = year % 100;
        for form in [
            format!("{day}/{month}/{year}"),
            format!("{day:02}-{month:02}-{year}"),
            format!("{day}.{month:02}.{year}"),
            format!("{year}-{month}-{day}"),
            format!("{day}  {name} {year}"),
            format!("{day:02}/{month}/{short:02}"),
            expected.clone(),
        ] {
            prop_assert_eq!(normalise(&form, ValueKind::Date), expected.clone(), "{}", form);
        }
    }

    #[test]
    fn a_number_is_the_same_with_currency_and_commas(whole in 0u64..10_000_000_000, pence in 0u32..100) {
        let plain = normalise(&format!("{whole}.{pence:02}"), ValueKind::Number);
        let digits = whole.to_string();
        let mut grouped = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index) % 3 == 0 {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        prop_assert_eq!(normalise(&format!("£ {grouped}.{pence:02}0"), ValueKind::Number), plain.clone());
        prop_assert_eq!(normalise(&plain, ValueKind::Number), plain);
    }

    #[test]
    fn case_and_width_do_not_matter(value in "[a-zA-Z0-9 ',.-]{0,40}", kind in any_kind()) {
        let wide: String = value
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { char::from_u32(c as u32 + 0xfee0).unwrap() } else { c })
            .collect();
        prop_assert_eq!(normalise(&wide, kind), normalise(&value, kind));
        prop_assert_eq!(normalise(&value.to_uppercase(), kind), normalise(&value, kind));
    }
}
