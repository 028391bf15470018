//! Work that leaves no spans, so that sending our own spans to our own store comes to an end.
//!
//! A span about the receipt of a span would be sent, received, and have a span again, for ever; so would one about a
//! commit, a compaction or a refresh that holds nothing else. Hence:
//!
//! - Our exporter marks its requests ([`HEADER`]); a request with that mark is worked on untraced, whatever comes of it.
//!   A sender that puts it there without being one of us is not traced, which harms nobody.
//! - Another collector on the way drops the mark. Whether all rows of an export are our own is seen once they are made:
//!   then its span is marked ([`FIELD`]), and the binary drops it before it is sent.
//! - The receipt of anything else is noted; a commit or a refresh is traced only if something was since the one before.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::{
    array::{Array as _, AsArray, RecordBatch},
    compute::cast,
    datatypes::DataType,
};

/// The name under which the platform sends spans of its own.
pub const SERVICE: &str = "gilbreth";
/// Marks requests of our own exporter, in headers and in gRPC's metadata.
pub const HEADER: &str = "gilbreth-telemetry";
/// The field of a span that says that it must not be sent.
pub const FIELD: &str = "gilbreth.own";

tokio::task_local! {
    static UNTRACED: ();
}

/// Does work that leaves no spans, as far as they begin in the same task.
pub async fn untraced<T>(work: impl Future<Output = T>) -> T {
    UNTRACED.scope((), work).await
}

/// Whether spans that begin here and now are to be left out: what the filter of the exporting layer asks.
#[must_use]
pub fn is_untraced() -> bool {
    UNTRACED.try_with(|()| ()).is_ok()
}

/// Whether all rows of an export, and there are some, are of our own telemetry.
pub(crate) fn is_own(rows: &RecordBatch) -> bool {
    let all_ours = || {
        let systems = cast(rows.column_by_name("system")?, &DataType::Utf8).ok()?;
        let systems = systems.as_string::<i32>();
        Some(!systems.is_empty() && systems.iter().all(|system| system == Some(SERVICE)))
    };
    all_ours().unwrap_or(false)
}

/// Whether anything but our own was received since it was last asked: by commits, by compactions and by
/// refreshes, each for itself.
#[derive(Debug, Default)]
pub struct Others {
    since_commit: AtomicBool,
    since_compaction: AtomicBool,
    since_refresh: AtomicBool,
}

impl Others {
    /// Something was.
    pub fn note(&self) {
        self.since_commit.store(true, Ordering::Release);
        self.since_compaction.store(true, Ordering::Release);
        self.since_refresh.store(true, Ordering::Release);
    }

    /// Whether something was since the last commit asked.
    pub(crate) fn since_commit(&self) -> bool {
        self.since_commit.swap(false, Ordering::AcqRel)
    }

    /// Whether something was since the last work on files asked.
    pub fn since_compaction(&self) -> bool {
        self.since_compaction.swap(false, Ordering::AcqRel)
    }

    /// Whether something was since the last refresh asked.
    pub fn since_refresh(&self) -> bool {
        self.since_refresh.swap(false, Ordering::AcqRel)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, StringArray};

    use super::*;

    #[test]
    fn own_rows_are_told_from_those_that_others_sent_too() {
        let rows = |systems: Vec<Option<&str>>| {
            let plain: ArrayRef = Arc::new(StringArray::from(systems));
            let coded = cast(&plain, &DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)));
            [plain, coded.unwrap()].map(|column| is_own(&RecordBatch::try_from_iter([("system", column)]).unwrap()))
        };
        assert_eq!(rows(vec![Some(SERVICE), Some(SERVICE)]), [true, true]);
        assert_eq!(rows(vec![Some(SERVICE), Some("ndelius")]), [false, false]);
        assert_eq!(rows(vec![Some(SERVICE), None]), [false, false]);
        assert_eq!(rows(vec![]), [false, false]);
    }

    #[tokio::test]
    async fn untraced_work_is_told_apart_across_waiting() {
        assert!(!is_untraced());
        untraced(async {
            assert!(is_untraced());
            tokio::task::yield_now().await;
            assert!(is_untraced());
        })
        .await;
        assert!(!is_untraced());
    }

    #[test]
    fn each_asks_for_itself() {
        let others = Others::default();
        assert!(!others.since_commit() && !others.since_compaction() && !others.since_refresh());
        others.note();
        assert!(others.since_commit() && !others.since_commit());
        assert!(others.since_compaction() && !others.since_compaction());
        assert!(others.since_refresh() && !others.since_refresh());
    }
}
