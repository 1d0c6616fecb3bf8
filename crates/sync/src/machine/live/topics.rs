//! What a person listens to.

use fieldpost_domain::{Person, Role};
use fieldpost_remote::Topic;
use std::collections::BTreeSet;

/// The topics whose hints concern a person, by her memberships.
pub fn concern(memberships: &[Person]) -> BTreeSet<Topic> {
    let mut topics = BTreeSet::new();
    for member in memberships {
        topics.insert(Topic::Person(member.id));
        if !member.removed {
            topics.insert(Topic::Org(member.org_id));
        }
        if !member.removed && member.role == Role::OrgAdmin {
            topics.insert(Topic::Admins(member.org_id));
        }
    }
    topics
}

/// Whether a topic carries hints.
#[must_use]
pub const fn is_for_hints(topic: &Topic) -> bool {
    !matches!(topic, Topic::Typing(_))
}
