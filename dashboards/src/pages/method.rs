//! What is measured, and how far it can be trusted: printed in every report, beside the parameters that were used.

use gilbreth_analytics::findings::Findings;
use maud::{Markup, html};

use crate::data;
use crate::words::{capital, causes};

pub(super) fn method(findings: &Findings) -> Markup {
    html! {
        section aria-labelledby="method" {
            p.eyebrow { "Method" }
            h2 #method { "What is measured, and how far it can be trusted" }
            p { "Case systems send one record for each interaction: a field entered, a wait, a screen opened. From these \
                 each worker’s day is cut into stretches, so that every instant between the first and the last \
                 interaction of a day belongs to exactly one stretch, system and cause. Nothing is counted twice." }
            h3 { "What counts as lost" }
            dl.terms { @for (name, meaning) in causes() { div { dt { (capital(name)) } dd { (capital(meaning)) "." } } } }
            p { "Entering a value for the first time and reading are useful time. Navigation, search, the first sign-in \
                 of a day and the first tolerated second of a wait are overhead. Time out of sight or away is outside. \
                 None of these is called lost: where there is doubt, time is not called lost." }
            h3 { "When a value counts as keyed again" }
            p { "A value is entered for a case, and another screen or system held the same value for that case before. \
                 Values are compared by keyed digests; none is ever stored. For each pair of fields the matches are \
                 compared with those that chance would give, from all other cases and from cases seen by the same worker \
                 on the same day. Only pairs far beyond chance are established, and their hours are weighed by the share \
                 of matches that chance does not explain. Fields that mostly hold one value cannot be told from a \
                 default and are left out." }
            h3 { "Rates" }
            p { "A person-week is one worker in one whole week, Monday to Sunday, with at least one interaction. Hours per \
                 person-week are divided by all of them, whether or not the worker used the system in question." }
            h3 { "How sure a figure is" }
            p { "A 95% interval is found by drawing the people observed again and again, each organisation by itself, and \
                 looking how far the figure moves. It covers what other people of the same organisations would have shown, \
                 in 19 of 20 such studies. It needs ten people. It knows nothing of people who were never observed: \
                 estimates for a whole workforce count each organisation and role by its headcount, and name those where \
                 nobody was observed." }
            h3 { "Limits" }
            ul {
                li { "Only instrumented systems are seen. Paper, telephone, meetings and other software are not." }
                li { "A figure without an interval is a figure of the people observed, and no statement about others." }
                li { "Time is no cash: hours that are no longer lost are not a saving in money." }
                li { "A simulation shows that the estimator is right. It does not validate it on real staff." }
            }
            @if !findings.parameters.is_empty() {
                h3 { "Parameters used" }
                @if let Some(table) = data::table(findings, "parameters") { (table.html()) }
            }
            @if !findings.sensitivity.rows.is_empty() {
                h3 { "What other parameters would give" }
                p { "One parameter at a time, everything else as above, over the same person-weeks. A look-back longer \
                     than the one in force is not available." }
                @if let Some(table) = data::table(findings, "sensitivity") { (table.html()) }
            }
        }
    }
}
