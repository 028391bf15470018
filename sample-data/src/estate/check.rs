//! From what the file says to an [`Estate`]: names become numbers, and what cannot be is refused with its place.

use std::collections::BTreeMap;

use super::effects::{Effects, Interface, Release};
use super::file::{EffectsFile, EstateFile, FieldFile, ScreenFile, SystemFile, TaskFile};
use super::{
    At, Companies, Estate, EstateError, Fact, FactId, Field, FieldId, Holds, How, MadeFrom, Screen, ScreenId, Service,
    Step, System, SystemId, Task,
};
use crate::world::vocabulary::Maker;

/// So many of each are far more than any estate has, and keep their numbers within 16 bits.
const NUMBERED_MAX: usize = 10_000;

pub(super) fn check(file: EstateFile) -> Result<Estate, EstateError> {
    let time_zone = file
        .time_zone
        .parse()
        .map_err(|_| invalid("time_zone", format!("'{}' is no time zone of the tz database", file.time_zone)))?;
    let mut estate = Estate {
        name: file.name,
        time_zone,
        facts: facts(&file.facts)?,
        systems: Vec::new(),
        screens: Vec::new(),
        fields: Vec::new(),
        tasks: Vec::new(),
        service: Service {
            name: file.service.name,
            share: share("service.share", file.service.share)?,
            teams: file.service.teams,
            roles: roles("service.roles", file.service.roles)?,
        },
        companies: Companies {
            names: file.companies.names,
            with_interface: file.companies.with_interface,
            case_system: SystemId::new(0),
            case_system_with_interface: SystemId::new(0),
            roles: roles("companies.roles", file.companies.roles)?,
        },
        holidays: file.holidays,
        hourly_cost: file.hourly_cost,
        effects: Effects::default(),
    };
    for (role, cost) in &estate.hourly_cost {
        positive(&format!("hourly_cost.{role}"), *cost)?;
    }
    if estate.service.teams.is_empty() {
        return Err(invalid("service.teams", "there must be one at least"));
    }
    if estate.companies.names.is_empty() || estate.companies.with_interface > estate.companies.names.len() {
        return Err(invalid("companies.with_interface", "there must be companies, and as many as have the interface"));
    }
    for system in &file.systems {
        add_system(&mut estate, system, &file.systems)?;
    }
    estate.companies.case_system = system_named(&estate, "companies.case_system", &file.companies.case_system)?;
    estate.companies.case_system_with_interface =
        system_named(&estate, "companies.case_system_with_interface", &file.companies.case_system_with_interface)?;
    let case_systems = file
        .case_systems
        .iter()
        .map(|name| system_named(&estate, "case_systems", name))
        .collect::<Result<Vec<_>, _>>()?;
    for task in file.tasks {
        add_task(&mut estate, task, &case_systems)?;
    }
    if let Some(file) = file.effects {
        estate.effects = effects(&estate, file)?;
    }
    Ok(estate)
}

fn effects(estate: &Estate, file: EffectsFile) -> Result<Effects, EstateError> {
    let mut effects = Effects::default();
    for release in file.releases {
        let place = format!("effects, release {} of {}", release.release, release.system);
        effects.releases.push(Release {
            system: system_named(estate, &place, &release.system)?,
            after: share(&place, release.after)?,
            wait_s: not_negative(&place, release.wait_s)?,
            name: release.release,
        });
    }
    if let Some(file) = file.interface {
        let place = "effects.interface";
        let mut goes_live = Vec::new();
        for (name, after) in file.goes_live {
            let at = estate.companies.names.iter().position(|company| *company == name);
            let company = at.filter(|company| *company >= estate.companies.with_interface);
            let company = company
                .ok_or_else(|| invalid(place, format!("no company without the interface is called '{name}'")))?;
            goes_live.push((company, share(&format!("{place}.goes_live.{name}"), after)?));
        }
        effects.interface = Some(Interface {
            from: system_named(estate, place, &file.from_system)?,
            name: file.name,
            due_on: file.due_on,
            had_since: file.had_since,
            goes_live,
        });
    }
    Ok(effects)
}

fn invalid(place: impl Into<String>, problem: impl Into<String>) -> EstateError {
    EstateError::Invalid { place: place.into(), problem: problem.into() }
}

fn share(place: &str, value: f64) -> Result<f64, EstateError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(value);
    }
    Err(invalid(place, format!("{value} is no share between 0 and 1")))
}

fn positive(place: &str, value: f64) -> Result<f64, EstateError> {
    if value.is_finite() && value > 0.0 {
        return Ok(value);
    }
    Err(invalid(place, format!("{value} must be greater than 0")))
}

fn not_negative(place: &str, value: f64) -> Result<f64, EstateError> {
    if value.is_finite() && value >= 0.0 {
        return Ok(value);
    }
    Err(invalid(place, format!("{value} must not be less than 0")))
}

fn roles(place: &str, shares: BTreeMap<String, f64>) -> Result<Vec<(String, f64)>, EstateError> {
    let total: f64 = shares.values().sum();
    if (total - 1.0).abs() > 1e-6 {
        return Err(invalid(place, format!("the shares add up to {total}, not to 1")));
    }
    shares.into_iter().map(|(role, value)| Ok((role.clone(), share(&format!("{place}.{role}"), value)?))).collect()
}

fn facts(file: &BTreeMap<String, String>) -> Result<Vec<Fact>, EstateError> {
    let number = |of: &str, name: &str| {
        let place = file.keys().position(|other| other == name);
        place.map(FactId::new).ok_or_else(|| invalid(format!("fact {of}"), format!("there is no fact '{name}'")))
    };
    file.iter()
        .map(|(name, text)| {
            let (maker, made_from) = match text.split_once(':').map(|(how, of)| (how, of.trim())) {
                Some(("all-of", of)) => {
                    let parts = of.split(' ').map(|part| number(name, part)).collect::<Result<_, _>>()?;
                    (Maker::Forename, Some(MadeFrom::All(parts)))
                }
                Some(("first-word-of", of)) => (Maker::Address, Some(MadeFrom::FirstOf(number(name, of)?))),
                Some(("rest-of", of)) => (Maker::Address, Some(MadeFrom::RestOf(number(name, of)?))),
                _ => (text.parse::<Maker>().map_err(|problem| invalid(format!("fact {name}"), problem))?, None),
            };
            if maker.agrees_by_nature() {
                return Err(invalid(format!("fact {name}"), "such a value is no fact of a case"));
            }
            Ok(Fact { name: name.clone(), maker, made_from })
        })
        .collect()
}

fn system_named(estate: &Estate, place: &str, name: &str) -> Result<SystemId, EstateError> {
    estate
        .systems
        .iter()
        .position(|system| system.name == name)
        .map(SystemId::new)
        .ok_or_else(|| invalid(place, format!("there is no system '{name}'")))
}

fn add_system(estate: &mut Estate, file: &SystemFile, all: &[SystemFile]) -> Result<(), EstateError> {
    let place = format!("system {}", file.name);
    if estate.systems.iter().any(|system| system.name == file.name) {
        return Err(invalid(place, "there are two of that name"));
    }
    let id = SystemId::new(estate.systems.len());
    estate.systems.push(System {
        name: file.name.clone(),
        release: file.release.clone(),
        values: file.values,
        case_number: file.case_number,
        sign_in_s: positive(&format!("{place}, sign_in_s"), file.sign_in_s)?,
        sign_in_again_after_min: positive(&format!("{place}, sign_in_again_after_min"), file.sign_in_again_after_min)?,
        wait_median_s: positive(&format!("{place}, wait.median_s"), file.wait.median_s)?,
        wait_sigma: not_negative(&format!("{place}, wait.sigma"), file.wait.sigma)?,
        outages_per_day: share(&format!("{place}, outages_per_day"), file.outages_per_day)?,
        lost_work: share(&format!("{place}, lost_work"), file.lost_work)?,
        rejected: share(&format!("{place}, rejected"), file.rejected)?,
        auto_save: file.auto_save,
    });
    let screens = match &file.screens_of {
        None => &file.screens,
        Some(other) => {
            let other = all.iter().find(|system| &system.name == other && system.screens_of.is_none());
            &other.ok_or_else(|| invalid(&place, "screens_of names no system with screens of its own"))?.screens
        }
    };
    if screens.is_empty() {
        return Err(invalid(place, "it has no screens"));
    }
    for screen in screens {
        add_screen(estate, id, screen, &place)?;
    }
    Ok(())
}

fn add_screen(estate: &mut Estate, system: SystemId, file: &ScreenFile, place: &str) -> Result<(), EstateError> {
    let place = format!("{place}, screen {}", file.name);
    if estate.screens.len() + estate.fields.len() > NUMBERED_MAX {
        return Err(invalid(place, "there are too many screens and fields"));
    }
    if estate.screens.iter().any(|screen| screen.system == system && screen.name == file.name) {
        return Err(invalid(place, "there are two of that name"));
    }
    let id = ScreenId::new(estate.screens.len());
    let find_by = file.find_by.as_deref().map(|fact| fact_named(estate, &place, fact)).transpose()?;
    estate.screens.push(Screen {
        name: file.name.clone(),
        system,
        function: file.function.clone(),
        reading_s: positive(&format!("{place}, reading_s"), file.reading_s)?,
        slower: positive(&format!("{place}, slower"), file.slower.unwrap_or(1.0))?,
        find_by,
        refreshes: file.refreshes,
        fields: Vec::new(),
    });
    for field in &file.fields {
        add_field(estate, id, field, &place)?;
    }
    Ok(())
}

fn add_field(estate: &mut Estate, screen: ScreenId, file: &FieldFile, place: &str) -> Result<(), EstateError> {
    let place = format!("{place}, field {}", file.name);
    if estate.screen(screen).fields.iter().any(|other| estate.field(*other).name == file.name) {
        return Err(invalid(place, "there are two of that name"));
    }
    let holds = match (&file.fact, &file.value) {
        (Some(fact), None) => Holds::Fact(fact_named(estate, &place, fact)?),
        (None, Some(value)) => Holds::Value(value.parse().map_err(|problem: String| invalid(&place, problem))?),
        _ => return Err(invalid(place, "it needs either a fact or a value")),
    };
    if file.how == How::Seen && matches!(holds, Holds::Value(_)) {
        return Err(invalid(place, "only a fact can be seen"));
    }
    let id = FieldId::new(estate.fields.len());
    let system = estate.screen(screen).system;
    let pasted = share(&format!("{place}, pasted"), file.pasted)?;
    estate.fields.push(Field { name: file.name.clone(), screen, system, holds, how: file.how, pasted });
    estate.screens[screen.index()].fields.push(id);
    Ok(())
}

fn fact_named(estate: &Estate, place: &str, name: &str) -> Result<FactId, EstateError> {
    estate
        .facts
        .iter()
        .position(|fact| fact.name == name)
        .map(FactId::new)
        .ok_or_else(|| invalid(place, format!("there is no fact '{name}'")))
}

fn add_task(estate: &mut Estate, file: TaskFile, case_systems: &[SystemId]) -> Result<(), EstateError> {
    let place = format!("task {}", file.name);
    for (role, rate) in &file.per_day {
        let known = estate.service.roles.iter().chain(&estate.companies.roles).any(|(name, _)| name == role);
        if !known {
            return Err(invalid(place, format!("there is no role '{role}'")));
        }
        not_negative(&format!("{place}, per_day.{role}"), *rate)?;
    }
    let rows = file.rows.unwrap_or(1);
    if rows == 0 || (rows > 1 && !file.renews.is_empty()) {
        return Err(invalid(place, "rows must be 1 or more, and a task over several cases cannot renew facts"));
    }
    let renews = file.renews.iter().map(|fact| fact_named(estate, &place, fact)).collect::<Result<Vec<_>, _>>()?;
    if let Some(fact) = renews.iter().find(|fact| others_are_made_from(estate, **fact)) {
        let name = &estate.fact(*fact).name;
        return Err(invalid(place, format!("it renews '{name}', which is made from others, or they from it")));
    }
    let steps =
        file.steps.iter().map(|step| step_named(estate, &place, step, case_systems)).collect::<Result<Vec<_>, _>>()?;
    if steps.is_empty() {
        return Err(invalid(place, "it has no steps"));
    }
    let per_day = file.per_day.into_iter().collect();
    estate.tasks.push(Task { name: file.name, cases: file.cases, renews, rows, per_day, steps });
    Ok(())
}

/// Whether another fact is made from this one, or this one from others.
fn others_are_made_from(estate: &Estate, fact: FactId) -> bool {
    let from = |other: &Fact| match &other.made_from {
        Some(MadeFrom::All(parts)) => parts.contains(&fact),
        Some(MadeFrom::FirstOf(whole) | MadeFrom::RestOf(whole)) => *whole == fact,
        None => false,
    };
    estate.fact(fact).made_from.is_some() || estate.facts.iter().any(from)
}

fn step_named(estate: &Estate, place: &str, text: &str, case_systems: &[SystemId]) -> Result<Step, EstateError> {
    let place = format!("{place}, step '{text}'");
    let mut words = text.split(' ');
    let path = words.next().unwrap_or_default();
    let (mut shared, mut hard) = (false, false);
    for word in words {
        match word {
            "shared" if !shared => shared = true,
            "hard" if !hard => hard = true,
            _ => return Err(invalid(place, "only 'shared' and 'hard' may follow the screen, each once")),
        }
    }
    let (system, screen) = path.split_once('/').ok_or_else(|| invalid(&place, "it must be written system/screen"))?;
    let find = |system: SystemId| {
        estate
            .screens
            .iter()
            .position(|candidate| candidate.system == system && candidate.name == screen)
            .map(ScreenId::new)
            .ok_or_else(|| invalid(&place, format!("{} has no such screen", estate.system(system).name)))
    };
    let at = if system == "case-system" {
        let screens = case_systems.iter().map(|system| Ok((*system, find(*system)?))).collect::<Result<_, _>>()?;
        At::CaseSystem(screens)
    } else {
        At::Fixed(find(system_named(estate, &place, system)?)?)
    };
    Ok(Step { at, shared, hard })
}
