use super::*;

fn key(span: u64) -> SpanKey {
    SpanKey { span, trace: 1 }
}

/// An entry of worker 1 into field 1 of system 1, on case 1, in task 1, at a second.
fn entry(span: u64, second: i64, digest: i64) -> Entry {
    Entry {
        key: key(span),
        start: second * 1_000_000,
        worker: Some(1),
        system: 1,
        field: Some(1),
        case: Some(1),
        task: Some(1),
        record: None,
        day: 0,
        continues: None,
        digest: Some(digest),
    }
}

fn causes(entries: &[Entry], mishaps: &[(i64, bool)]) -> Vec<Option<Cause>> {
    let mishaps = mishaps.iter().map(|&(second, rejected)| (1, 1, second * 1_000_000, key(99), rejected));
    judge(entries, &Mishaps::new(mishaps)).iter().map(|judged| judged.rework).collect()
}

#[test]
fn a_field_again_in_one_task_is_rework_and_the_cause_is_what_lies_between() {
    let pair = [entry(1, 0, 7), entry(2, 60, 7)];
    assert_eq!(causes(&pair, &[]), [None, Some(Cause::Revision)]);
    assert_eq!(causes(&pair, &[(30, false)]), [None, Some(Cause::LostWork)]);
    assert_eq!(causes(&pair, &[(30, true)]), [None, Some(Cause::Correction)]);
    assert_eq!(causes(&pair, &[(70, true)]), [None, Some(Cause::Revision)]);
    let other_value = [entry(1, 0, 7), entry(2, 60, 8)];
    assert_eq!(causes(&other_value, &[(30, false)]), [None, Some(Cause::Revision)]);
}

#[test]
fn a_field_of_another_record_is_not_the_same_field() {
    let third = Entry { record: Some(5), ..entry(2, 60, 7) };
    assert_eq!(causes(&[entry(1, 0, 7), third], &[(30, true)]), [None, None]);
}

#[test]
fn a_field_of_another_case_of_the_same_task_is_not_the_same_field() {
    let other_case = Entry { case: Some(2), ..entry(2, 60, 7) };
    assert_eq!(causes(&[entry(1, 0, 7), other_case], &[(30, true)]), [None, None]);
}

#[test]
fn a_span_that_came_twice_is_no_rework_of_itself() {
    let twice = [entry(1, 0, 7), entry(2, 60, 7), entry(1, 0, 7), entry(2, 60, 7)];
    let revision = Some(Cause::Revision);
    assert_eq!(causes(&twice, &[]), [None, revision, None, revision]);
}

#[test]
fn without_a_task_only_a_cause_makes_rework() {
    let loose = |span, second| Entry { task: None, ..entry(span, second, 7) };
    assert_eq!(causes(&[loose(1, 0), loose(2, 60)], &[]), [None, None]);
    assert_eq!(causes(&[loose(1, 0), loose(2, 60)], &[(30, true)]), [None, Some(Cause::Correction)]);
    let next_day = Entry { day: 1, ..loose(2, 60) };
    assert_eq!(causes(&[loose(1, 0), next_day], &[(30, true)]), [None, None]);
    let no_case = |span, second| Entry { case: None, ..loose(span, second) };
    assert_eq!(causes(&[no_case(1, 0), no_case(2, 60)], &[(30, true)]), [None, None]);
}

#[test]
fn a_colleague_in_the_same_task_does_the_field_again_too() {
    let colleague = Entry { worker: Some(2), ..entry(2, 60, 7) };
    assert_eq!(causes(&[entry(1, 0, 7), colleague], &[]), [None, Some(Cause::Revision)]);
}

#[test]
fn a_chain_is_one_entry_and_no_rework_of_itself() {
    let mut chain = [entry(1, 0, 0), entry(2, 60, 0), entry(3, 120, 7)];
    (chain[0].digest, chain[1].digest) = (None, None);
    (chain[1].continues, chain[2].continues) = (Some(1), Some(2));
    let judged = judge(&chain, &Mishaps::default());
    assert!(judged.iter().all(|judged| *judged == Judged { head: 0, last: 2, rework: None }));

    // Entered again, in two spans: both are rework, compared by the value at the end of each chain.
    let mut again = chain.to_vec();
    again.push(Entry { digest: None, ..entry(4, 200, 0) });
    again.push(Entry { continues: Some(4), ..entry(5, 300, 7) });
    assert_eq!(causes(&again, &[(150, false)]), [None, None, None, Some(Cause::LostWork), Some(Cause::LostWork)]);
}

#[test]
fn what_continues_something_unseen_is_not_judged() {
    let stray = Entry { continues: Some(77), ..entry(2, 60, 7) };
    assert_eq!(causes(&[entry(1, 0, 7), stray], &[]), [None, None]);
}
