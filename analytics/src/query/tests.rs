use super::*;
use crate::{
    parameters::Parameters,
    scope::Scope,
    session::{Providers, Session},
};

async fn written(sql: &str, format: Format) -> Vec<u8> {
    let session =
        Session::over(Providers::new(), &Scope::default(), &Parameters::default(), Vec::new(), chrono_tz::UTC)
            .await
            .unwrap();
    let mut to = Vec::new();
    write(session.stream(sql).await.unwrap(), format, &mut to).await.unwrap();
    to
}

async fn text(sql: &str, format: Format) -> String {
    String::from_utf8(written(sql, format).await).unwrap()
}

const TWO: &str = "SELECT * FROM (VALUES (1, 'a,b', [1, 2]), (2, NULL, NULL)) AS t (n, s, l) ORDER BY n";
const NONE: &str = "SELECT 1 AS n WHERE false";

#[tokio::test]
async fn text_formats_show_every_value() {
    assert_eq!(text(TWO, Format::Csv).await, "n,s,l\n1,\"a,b\",\"[1, 2]\"\n2,,\n");
    assert_eq!(
        text(TWO, Format::Ndjson).await,
        "{\"n\":1,\"s\":\"a,b\",\"l\":[1,2]}\n{\"n\":2,\"s\":null,\"l\":null}\n"
    );
    assert_eq!(text("SELECT 1 AS n", Format::Json).await, "[{\"n\":1}]\n");
    assert!(text(TWO, Format::Table).await.contains("| 1 | a,b | [1, 2] |"));
}

#[tokio::test]
async fn an_empty_result_is_a_whole_document() {
    assert_eq!(text(NONE, Format::Csv).await, "n\n");
    assert_eq!(text(NONE, Format::Json).await, "[]\n");
    assert_eq!(text(NONE, Format::Ndjson).await, "");
    assert!(text(NONE, Format::Table).await.contains("| n |"));
}

#[tokio::test]
async fn binary_formats_read_back() {
    let parquet = written(TWO, Format::Parquet).await;
    let read = parquet::arrow::arrow_reader::ParquetRecordBatchReader::try_new(file_of(&parquet), 10).unwrap();
    assert_eq!(read.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
    let stream = written(TWO, Format::Arrow).await;
    let read = arrow::ipc::reader::StreamReader::try_new(stream.as_slice(), None).unwrap();
    assert_eq!(read.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
}

fn file_of(bytes: &[u8]) -> std::fs::File {
    let mut temporary = tempfile::tempfile().unwrap();
    temporary.write_all(bytes).unwrap();
    temporary
}

#[tokio::test]
async fn a_long_table_says_what_it_left_out() {
    let long = text("SELECT value FROM generate_series(1, 10003)", Format::Table).await;
    assert!(long.ends_with("3 more rows: choose another format to see them\n"), "{}", &long[long.len() - 100..]);
}
