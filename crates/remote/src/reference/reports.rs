//! `fieldpost_reports` and `fieldpost_resolve_report`: what an admin sees of the reports of her orgs.

use super::{
    rows,
    state::State,
    tables::{ReportRow, Tables},
    viewer::Viewer,
};
use crate::{RemoteError, RemoteErrorKind, RemoteResult, ReportsRequest};
use fieldpost_domain::{Continuation, MessageReport, OrgId, Person, PersonId, ReportId, ReportPage, Role, Time};
use std::{cmp::Reverse, collections::BTreeSet};

/// The most reports of a page.
const LIMIT: u32 = 40;

/// Where a report stands: open ones first, then the newest.
type Place = (bool, Reverse<(Time, ReportId)>);

const fn place(report: &MessageReport) -> Place {
    (report.resolved_at.is_some(), Reverse((report.reported_at, report.id)))
}

pub(super) fn reports(state: &State, caller: PersonId, request: &ReportsRequest) -> RemoteResult<ReportPage> {
    const OPERATION: &str = "reports";
    let bad = |what: &str| RemoteError::new(RemoteErrorKind::BadRequest, OPERATION).with_detail(what);
    let viewer = admin(&state.tables, caller, OPERATION)?;
    let limit = request.limit.unwrap_or(LIMIT).min(LIMIT) as usize;
    if limit == 0 {
        return Err(bad("p_limit"));
    }
    let after = request.after.as_ref().map(|after| read(after).ok_or_else(|| bad("p_after"))).transpose()?;
    let mut seen: Vec<&MessageReport> = state.tables.reports.values().map(|row| &row.report).collect();
    seen.retain(|report| is_seen(&state.tables, &viewer, report));
    seen.retain(|report| request.all || report.resolved_at.is_none());
    seen.retain(|report| after.is_none_or(|after| place(report) > after));
    seen.sort_by_key(|report| place(report));
    let more = seen.len() > limit;
    seen.truncate(limit);
    let next = seen.last().filter(|_| more).map(|last| written(place(last)));
    let people = people(&state.tables, &seen);
    Ok(ReportPage { reports: seen.into_iter().cloned().collect(), people, next })
}

pub(super) fn resolve(state: &mut State, caller: PersonId, id: ReportId) -> RemoteResult<MessageReport> {
    const OPERATION: &str = "resolve_report";
    let viewer = admin(&state.tables, caller, OPERATION)?;
    let of_hers = |row: &&ReportRow| row.report.id == id && viewer.is_admin_of(row.report.org_id);
    let not_found = || RemoteError::new(RemoteErrorKind::NotFound, OPERATION);
    state.tables.reports.values().find(of_hers).ok_or_else(not_found)?;
    state.write(|transaction| transaction.resolve_report(id, caller)).ok_or_else(not_found)
}

/// The caller, if she is an admin of any org.
fn admin(tables: &Tables, caller: PersonId, operation: &'static str) -> RemoteResult<Viewer> {
    let viewer = Viewer::of(tables, caller);
    let is_admin = viewer.members.iter().any(|member| member.role == Role::OrgAdmin);
    if is_admin { Ok(viewer) } else { Err(RemoteError::new(RemoteErrorKind::Forbidden, operation)) }
}

/// An admin sees the reports of her org, but not of a message that the project hides from her.
fn is_seen(tables: &Tables, viewer: &Viewer, report: &MessageReport) -> bool {
    let message = tables.messages.get(&report.message_id);
    viewer.is_admin_of(report.org_id) && message.is_none_or(|message| viewer.is_shown(tables, message))
}

/// The people that the reports name.
fn people(tables: &Tables, reports: &[&MessageReport]) -> Vec<Person> {
    let named = |report: &&MessageReport| {
        let people = [Some(report.reporter_id), Some(report.sender_id), report.resolved_by];
        people.into_iter().flatten().map(|person| (report.org_id, person)).collect::<Vec<_>>()
    };
    let named: BTreeSet<(OrgId, PersonId)> = reports.iter().flat_map(named).collect();
    named.iter().filter_map(|key| tables.people.get(key)).map(rows::person).collect()
}

fn written((resolved, Reverse((at, id))): Place) -> Continuation {
    Continuation::new(format!("r1.{}.{}.{id}", u8::from(resolved), at.timestamp_micros()))
}

fn read(after: &Continuation) -> Option<Place> {
    let (resolved, rest) = after.as_str().strip_prefix("r1.")?.split_once('.')?;
    let (at, id) = rest.split_once('.')?;
    let resolved = match resolved {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let at = Time::from_timestamp_micros(at.parse().ok()?)?;
    Some((resolved, Reverse((at, id.parse().ok()?))))
}
