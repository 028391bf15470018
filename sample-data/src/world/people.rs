//! The people who work: who they are, for whom, in which role and team.

use rand::RngExt;

use super::vocabulary::{capital, word};
use crate::estate::{Estate, SystemId};
use crate::random::{Purpose, keyed, log_normal};

/// Fewer people than these do not make another team.
const TEAM_PEOPLE_MIN: usize = 6;

/// Somebody who works.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The name with which they sign in, in all systems or in the first of them.
    pub login: String,
    /// Their name.
    pub name: String,
    /// Their employer.
    pub organisation: String,
    /// Their team.
    pub team: String,
    /// Their office.
    pub office: String,
    /// Their role.
    pub role: String,
    /// The case system of their company; none in the service.
    pub case_system: Option<SystemId>,
    /// Whether their company has had the interface that shares case data all along.
    pub interface: bool,
    /// Their company, by place in the list; none in the service.
    pub company: Option<usize>,
    /// Seconds that they need for a key.
    pub key_s: f64,
    /// Minutes after midnight at which they like to begin.
    pub begins_min: f64,
    /// The weekday (0 is Monday) on which they do not work, if there is one.
    pub day_off: Option<u32>,
}

/// The staff of an estate; roles in the shares that it says, companies one after the other.
#[must_use]
pub fn staff(estate: &Estate, staff: u32, seed: u64) -> Vec<Worker> {
    let in_service = (f64::from(staff) * estate.service.share).round() as usize;
    let in_companies = staff as usize - in_service;
    let mut workers = Vec::with_capacity(staff as usize);
    for (k, role) in quota(&estate.service.roles, in_service).into_iter().enumerate() {
        let teams = (in_service / TEAM_PEOPLE_MIN).clamp(1, estate.service.teams.len());
        let team = k % teams;
        let office = place(seed, 0, team);
        workers.push(person(
            seed,
            workers.len(),
            Job {
                organisation: estate.service.name.clone(),
                team: estate.service.teams[team].clone(),
                office,
                role,
                case_system: None,
                interface: false,
                company: None,
            },
        ));
    }
    let companies = &estate.companies;
    for (k, role) in quota(&companies.roles, in_companies).into_iter().enumerate() {
        let company = k % companies.names.len();
        let interface = company < companies.with_interface;
        let case_system = if interface { companies.case_system_with_interface } else { companies.case_system };
        let office = place(seed, 1, company);
        workers.push(person(
            seed,
            workers.len(),
            Job {
                organisation: estate.organisation(company),
                team: format!("{} team", companies.names[company]),
                office,
                role,
                case_system: Some(case_system),
                interface,
                company: Some(company),
            },
        ));
    }
    workers
}

impl Worker {
    /// The name with which they sign in to a system: where logins are kept apart, each but the first has its own.
    #[must_use]
    pub fn login_in(&self, estate: &Estate, system: SystemId, apart: bool) -> String {
        if apart && system.index() > 0 {
            return format!("{}@{}", self.login, estate.system(system).name);
        }
        self.login.clone()
    }
}

struct Job {
    organisation: String,
    team: String,
    office: String,
    role: String,
    case_system: Option<SystemId>,
    interface: bool,
    company: Option<usize>,
}

fn person(seed: u64, index: usize, job: Job) -> Worker {
    let mut rng = keyed(seed, Purpose::Person, index as u64, 0);
    let (forename, surname) = (capital(&word(&mut rng, 2)), capital(&word(&mut rng, 3)));
    Worker {
        login: format!("{}.{}{index:05}", &forename.to_lowercase()[..1], surname.to_lowercase()),
        name: format!("{forename} {surname}"),
        organisation: job.organisation,
        team: job.team,
        office: job.office,
        role: job.role,
        case_system: job.case_system,
        interface: job.interface,
        company: job.company,
        key_s: log_normal(&mut rng, 0.34, 0.2).clamp(0.15, 0.6),
        begins_min: rng.random_range(8.0 * 60.0..9.5 * 60.0),
        day_off: rng.random_bool(0.12).then(|| rng.random_range(0..5)),
    }
}

fn place(seed: u64, kind: u64, index: usize) -> String {
    let mut rng = keyed(seed, Purpose::Place, kind, index as u64);
    format!("{} office", capital(&word(&mut rng, 3)))
}

/// Roles in turn, always the one that is furthest behind its share.
fn quota(roles: &[(String, f64)], people: usize) -> Vec<String> {
    let mut given = vec![0.0; roles.len()];
    let mut list = Vec::with_capacity(people);
    for k in 1..=people {
        let behind = |index: usize| roles[index].1 * k as f64 - given[index];
        let next = (0..roles.len()).max_by(|a, b| behind(*a).total_cmp(&behind(*b)).then(b.cmp(a)));
        if let Some(next) = next {
            given[next] += 1.0;
            list.push(roles[next].0.clone());
        }
    }
    list
}
