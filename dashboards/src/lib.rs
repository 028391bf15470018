//! Answers to pages, pictures and printed reports.
