//! The reference data of a simulated estate, as the files that `gilbreth reference` loads: who works where, in how many
//! systems, what an hour costs, what people say that they lose, what they note of their days, when interfaces came.
//!
//! It goes with what was simulated. Fewer people are observed than there are: the rest have systems that send nothing.
//! All of it is seeded. People are named in clear, as in a real directory; they are hashed on loading.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

use chrono::Days;
use rand::RngExt;

use crate::estate::{At, How, ScreenId, Task};
use crate::random::{Purpose, keyed, log_normal};
use crate::truth::{Category, Truth, cell};

/// How much more than they lose by the rules people say that they lose, in the middle.
pub const SURVEY_BIAS: f64 = 1.25;
/// Spread of what they say (of its logarithm).
const SURVEY_SPREAD: f64 = 0.35;
/// Share of the people who answer the survey.
const SURVEYED: f64 = 0.35;
/// Share of the people who keep a diary, all working days of a week.
const DIARISTS: f64 = 0.2;
/// Minutes a day with the people whom the work is about, and in meetings, on the road and on paper; in the middle.
const CONTACT_MIN: f64 = 108.0;
const OTHER_MIN: f64 = 157.0;
/// People employed for each that is observed.
const EMPLOYED: f64 = 1.25;

/// The reference data could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the reference data cannot be written to {}", path.display())]
pub struct ReferenceError {
    path: PathBuf,
    source: io::Error,
}

/// Writes the eight files into a folder, which is made if need be.
///
/// # Errors
/// When the folder cannot be made, or a file cannot be written.
pub fn write(truth: &Truth, folder: &Path) -> Result<(), ReferenceError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReferenceError { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    for (name, text) in [
        ("staffing.csv", staffing(truth)),
        ("directory.csv", directory(truth)),
        ("holidays.csv", holidays(truth)),
        ("survey.csv", survey(truth)),
        ("diary.csv", diary(truth)),
        ("go_lives.csv", go_lives(truth)),
        ("tasks.toml", tasks(truth)),
        ("categories.csv", categories()),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(failed(&path))?;
    }
    Ok(())
}

/// Adds a line of cells.
fn line(text: &mut String, cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|one| cell(one)).collect();
    text.push_str(&cells.join(","));
    text.push('\n');
}

fn staffing(truth: &Truth) -> String {
    let mut observed: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for worker in truth.people.iter() {
        *observed.entry((&worker.organisation, &worker.role)).or_default() += 1;
    }
    let mut text = "organisation,role,headcount,hourly_cost\n".to_owned();
    for ((organisation, role), people) in observed {
        let headcount = (f64::from(people) * EMPLOYED).ceil().to_string();
        let cost = truth.estate.hourly_cost.get(role).map_or_else(String::new, |cost| format!("{cost:.2}"));
        line(&mut text, &[organisation, role, &headcount, &cost]);
    }
    text
}

fn directory(truth: &Truth) -> String {
    let mut text = "system,login,person,organisation,team,role,valid_from,valid_to\n".to_owned();
    for worker in truth.people.iter() {
        for index in 0..truth.estate.systems.len() {
            let system = truth.estate.numbered_system(index);
            let login = worker.login_in(&truth.estate, system, truth.options.logins_apart);
            let name = &truth.estate.system(system).name;
            line(&mut text, &[name, &login, &worker.login, &worker.organisation, &worker.team, &worker.role, "", ""]);
        }
    }
    text
}

fn holidays(truth: &Truth) -> String {
    let mut text = "day,name\n".to_owned();
    for (day, name) in &truth.estate.holidays {
        line(&mut text, &[&day.to_string(), name]);
    }
    text
}

/// Answers of a part of the people: about each system, and about all together, as surveys ask. What each says is what
/// they lost by the rules, times [`SURVEY_BIAS`], give or take.
fn survey(truth: &Truth) -> String {
    let asked_on = truth.options.start + Days::new(u64::from(truth.options.weeks) * 7 - 3);
    let mut text = "respondent,organisation,role,system,hours_per_week,asked_on\n".to_owned();
    for (index, worker) in truth.people.iter().enumerate() {
        let mut rng = keyed(truth.seed, Purpose::Survey, index as u64, 0);
        let Some(weeks) = truth.weeks_by_worker.get(&index).filter(|_| rng.random_bool(SURVEYED)) else { continue };
        let said = SURVEY_BIAS * log_normal(&mut rng, 1.0, SURVEY_SPREAD);
        let mut answer = |system: &str, micros: i64| {
            let hours = micros as f64 / 3.6e9 / f64::from(*weeks) * said;
            let hours = format!("{:.1}", hours.min(168.0));
            line(
                &mut text,
                &[&worker.login, &worker.organisation, &worker.role, system, &hours, &asked_on.to_string()],
            );
        };
        let mut total = 0;
        for ((_, system), micros) in truth.lost_by_worker.iter().filter(|((worker, _), _)| *worker == index) {
            answer(&truth.estate.system(*system).name, *micros);
            total += micros;
        }
        answer("", total);
    }
    text
}

/// What a part of the people noted of the working days of the first week.
fn diary(truth: &Truth) -> String {
    let mut text = "person,day,activity,minutes,organisation,role\n".to_owned();
    for (index, worker) in truth.people.iter().enumerate() {
        let mut rng = keyed(truth.seed, Purpose::Diary, index as u64, 0);
        if !rng.random_bool(DIARISTS) {
            continue;
        }
        for day in 0..5 {
            if worker.day_off == Some(day) {
                continue;
            }
            let date = (truth.options.start + Days::new(u64::from(day))).to_string();
            for (activity, median) in
                [("contact", CONTACT_MIN), ("meetings", OTHER_MIN * 0.6), ("travel", OTHER_MIN * 0.4)]
            {
                let minutes = format!("{:.0}", log_normal(&mut rng, median, 0.3).min(400.0));
                line(&mut text, &[&worker.login, &date, activity, &minutes, &worker.organisation, &worker.role]);
            }
        }
    }
    text
}

fn go_lives(truth: &Truth) -> String {
    let mut text = "interface,organisation,from_system,to_system,due_on,went_live_on\n".to_owned();
    let Some(interface) = &truth.estate.effects.interface else { return text };
    let companies = &truth.estate.companies;
    for company in 0..companies.names.len() {
        let had = company < companies.with_interface;
        let system = if had { companies.case_system_with_interface } else { companies.case_system };
        let planted = truth.options.has_effects().then(|| interface.goes_live_on(company, &truth.options)).flatten();
        let live = if had { Some(interface.had_since) } else { planted };
        let estate = &truth.estate;
        line(
            &mut text,
            &[
                &interface.name,
                &estate.organisation(company),
                &estate.system(interface.from).name,
                &estate.system(system).name,
                &interface.due_on.to_string(),
                &live.map_or_else(String::new, |day| day.to_string()),
            ],
        );
    }
    text
}

/// Rules for the tasks that have a screen of their own: they start where it is come to and end where it is saved. Of the
/// others no screen says which task it is.
fn tasks(truth: &Truth) -> String {
    let estate = &truth.estate;
    let mut text = String::new();
    let mut places = Vec::new();
    for task in &estate.tasks {
        for screen in own_screens(truth, task) {
            let (system, screen) = (&estate.system(estate.screen(screen).system).name, &estate.screen(screen).name);
            let _ = write!(
                text,
                "[[tasks]]\nname = \"{}\"\nstart = {{ kind = \"navigation\", system = \"{system}\", screen = \"{screen}\" }}\n\
                 end = {{ kind = \"action\", system = \"{system}\", screen = \"{screen}\" }}\n\n",
                task.name
            );
            places.push((system, screen));
        }
    }
    for (system, screen) in places {
        let _ = write!(text, "[[completes]]\nkind = \"action\"\nsystem = \"{system}\"\nscreen = \"{screen}\"\n\n");
    }
    text
}

/// The first screen of a task that no other task has and that is saved, in each case system.
fn own_screens(truth: &Truth, task: &Task) -> Vec<ScreenId> {
    let estate = &truth.estate;
    let systems = [None, Some(estate.companies.case_system), Some(estate.companies.case_system_with_interface)];
    let saved =
        |screen: &ScreenId| estate.screen(*screen).fields.iter().any(|field| estate.field(*field).how != How::Seen);
    let mut found: Vec<ScreenId> = Vec::new();
    for system in systems {
        let of = |task: &Task| -> Vec<ScreenId> { task.steps.iter().filter_map(|step| step.screen(system)).collect() };
        let others: Vec<ScreenId> = estate.tasks.iter().filter(|other| other.name != task.name).flat_map(of).collect();
        let steps = task.steps.iter().filter(|step| system.is_some() || matches!(step.at, At::Fixed(_)));
        let own = steps.filter_map(|step| step.screen(system)).find(|screen| saved(screen) && !others.contains(screen));
        found.extend(own.filter(|screen| !found.contains(screen)));
    }
    // One place is enough where the case systems have the same screens elsewhere.
    let fixed = found
        .iter()
        .copied()
        .find(|screen| task.steps.iter().any(|step| matches!(&step.at, At::Fixed(at) if at == screen)));
    fixed.map_or(found, |screen| vec![screen])
}

fn categories() -> String {
    let mut text = "category,category_group\n".to_owned();
    for category in Category::ALL {
        line(&mut text, &[category.as_str(), category.group()]);
    }
    text
}

#[cfg(test)]
mod tests;
