//! The profiles of missed goals: sections of docs/profiles.md, which no run updates. Reasons that a run itself shows
//! are derived from its lines.

/// A section of docs/profiles.md, by its title.
pub(in crate::bench_report) type Profile = Option<&'static str>;

pub(super) const UNKNOWN: Profile = None;
pub(super) const SQLX: Profile = Some("Pages");
pub(super) const THREAD: Profile = Some("Threads");
pub(super) const TRIGGERS: Profile = Some("Triggers");
pub(super) const WIRE: Profile = Some("Server");
pub(super) const USABLE: Profile = Some("First screen");
pub(super) const GROWTH: Profile = Some("Growth");
pub(super) const POWER: Profile = Some("PowerSync");
pub(super) const ACKNOWLEDGEMENT: Profile = Some("Acknowledgements");
pub(super) const ECHO: Profile = Some("Own hints");

/// The section as a link from docs/benchmarks.md.
pub(in crate::bench_report) fn link(profile: Profile) -> String {
    let Some(title) = profile.map(str::to_lowercase) else { return "not profiled yet".to_owned() };
    format!("[{title}](profiles.md#{})", title.replace(' ', "-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_a_section_of_the_profiles() {
        let profiles = std::fs::read_to_string(crate::process::root().join("docs/profiles.md")).unwrap();
        for title in [SQLX, THREAD, TRIGGERS, WIRE, USABLE, GROWTH, POWER, ACKNOWLEDGEMENT, ECHO].into_iter().flatten()
        {
            assert!(profiles.contains(&format!("\n## {title}\n")), "{title}");
        }
        assert_eq!(link(USABLE), "[first screen](profiles.md#first-screen)");
    }
}
