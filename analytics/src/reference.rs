//! Reference data: what no span can tell. Staffing, the worker directory, holidays, what staff said, what was observed,
//! when interfaces went live, which screens a task starts and ends on, how categories are grouped.

pub mod tables;
