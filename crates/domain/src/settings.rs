//! What a person has set for a conversation: muted, pinned, archived, marked unread. It is hers alone, on all her devices.

use crate::{ConversationId, Seq, Time, Version};
use chrono::DateTime;
use serde::{Deserialize, Deserializer, Serialize};

/// What a person has set for a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Settings {
    /// Muted until then; none if it is not muted.
    pub muted_until: Option<Time>,
    /// When it was pinned; the latest pinned comes first. None if it is not pinned.
    pub pinned_at: Option<Time>,
    /// Set if it was archived.
    pub archived: Option<Archived>,
    /// Marked unread: messages from this seq on count as unread, however far the person has read.
    pub unread_from: Option<Seq>,
}

/// That a conversation was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// When.
    #[serde(with = "chrono::serde::ts_microseconds")]
    pub at: Time,
    /// The last seq at that moment. A message of somebody else above it takes the conversation out of the archive, unless it
    /// is muted.
    pub seq: Seq,
}

impl Settings {
    /// For muting without an end: the last moment that the protocol can name.
    pub const FOREVER: Time = match DateTime::from_timestamp(253_402_214_400, 0) {
        Some(end) => end,
        None => DateTime::UNIX_EPOCH,
    };

    /// Whether it is muted at this moment.
    #[must_use]
    pub fn is_muted(&self, now: Time) -> bool {
        self.muted_until.is_some_and(|until| until > now)
    }

    /// Whether it is in the archive at this moment. `revived`: a message of somebody else came after it was archived.
    #[must_use]
    pub fn is_archived(&self, revived: bool, now: Time) -> bool {
        self.archived.is_some() && (!revived || self.is_muted(now))
    }

    /// The seq above which messages count as unread, for somebody who has read up to `read`. The marker itself never goes
    /// back.
    #[must_use]
    pub fn unread_above(&self, read: Seq) -> Seq {
        self.unread_from.map_or(read, |from| read.min(from.previous()))
    }
}

/// The settings of one person for one conversation, as the server has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSettings {
    /// The conversation.
    pub conversation_id: ConversationId,
    /// The settings.
    pub settings: Settings,
    /// Row version.
    pub version: Version,
}

/// A change of settings: of each field none (it stays), or its new value, which may be none. The last change of a field to
/// arrive counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SettingsChange {
    /// [`Settings::muted_until`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub muted_until: Option<Option<Time>>,
    /// [`Settings::pinned_at`].
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment")]
    pub pinned_at: Option<Option<Time>>,
    /// [`Settings::archived`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub archived: Option<Option<Archived>>,
    /// [`Settings::unread_from`].
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub unread_from: Option<Option<Seq>>,
}

impl SettingsChange {
    /// Mutes until then, or unmutes.
    #[must_use]
    pub fn mute(until: Option<Time>) -> Self {
        Self { muted_until: Some(until), ..Self::default() }
    }

    /// Pins, or unpins.
    #[must_use]
    pub fn pin(at: Option<Time>) -> Self {
        Self { pinned_at: Some(at), ..Self::default() }
    }

    /// Archives, or takes out of the archive.
    #[must_use]
    pub fn archive(archived: Option<Archived>) -> Self {
        Self { archived: Some(archived), ..Self::default() }
    }

    /// Marks as unread from a seq on, or takes that back.
    #[must_use]
    pub fn mark_unread(from: Option<Seq>) -> Self {
        Self { unread_from: Some(from), ..Self::default() }
    }

    /// Whether it changes nothing, whatever is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Applies it.
    pub fn apply(&self, settings: &mut Settings) {
        settings.muted_until = self.muted_until.unwrap_or(settings.muted_until);
        settings.pinned_at = self.pinned_at.unwrap_or(settings.pinned_at);
        settings.archived = self.archived.unwrap_or(settings.archived);
        settings.unread_from = self.unread_from.unwrap_or(settings.unread_from);
    }

    /// The two as one: first this one, then the other.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        Self {
            muted_until: later.muted_until.or(self.muted_until),
            pinned_at: later.pinned_at.or(self.pinned_at),
            archived: later.archived.or(self.archived),
            unread_from: later.unread_from.or(self.unread_from),
        }
    }
}

/// A field that is there, whatever its value: null is a value, too.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A time that may be absent or null, in microseconds.
mod moment {
    use crate::Time;
    use serde::{Deserializer, Serializer};

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Time>>, D::Error> {
        chrono::serde::ts_microseconds_option::deserialize(deserializer).map(Some)
    }

    pub(super) fn serialize<S: Serializer>(time: &Option<Option<Time>>, serializer: S) -> Result<S::Ok, S::Error> {
        chrono::serde::ts_microseconds_option::serialize(&time.flatten(), serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        DateTime::from_timestamp(1_700_000_000 + second, 0).unwrap()
    }

    fn archived(seq: u64) -> Archived {
        Archived { at: at(0), seq: Seq::new(seq) }
    }

    #[test]
    fn a_change_sets_its_own_fields_only() {
        let mut settings = Settings { pinned_at: Some(at(1)), unread_from: Some(Seq::new(4)), ..Settings::default() };
        SettingsChange::mute(Some(at(9))).then(SettingsChange::pin(None)).apply(&mut settings);
        let expected = Settings { muted_until: Some(at(9)), unread_from: Some(Seq::new(4)), ..Settings::default() };
        assert_eq!(settings, expected);
    }

    #[test]
    fn of_two_changes_the_later_counts_field_by_field() {
        let both = SettingsChange::pin(Some(at(1))).then(SettingsChange::mute(None)).then(SettingsChange::pin(None));
        assert_eq!(
            both,
            SettingsChange { muted_until: Some(None), pinned_at: Some(None), ..SettingsChange::default() }
        );
    }

    #[test]
    fn a_message_of_somebody_else_ends_the_archive_unless_it_is_muted() {
        let quiet = Settings { archived: Some(archived(7)), ..Settings::default() };
        let muted = Settings { muted_until: Some(at(10)), ..quiet };
        assert!(quiet.is_archived(false, at(0)) && !quiet.is_archived(true, at(0)));
        assert!(muted.is_archived(true, at(9)) && !muted.is_archived(true, at(10)));
        assert!(!Settings::default().is_archived(false, at(0)));
    }

    #[test]
    fn marking_unread_counts_from_a_message_on_and_moves_no_marker() {
        let marked = |from| Settings { unread_from: Some(Seq::new(from)), ..Settings::default() };
        for (from, read, above) in [(3, 5, 2), (1, 5, 0), (9, 5, 5), (0, 5, 0)] {
            assert_eq!(marked(from).unread_above(Seq::new(read)), Seq::new(above), "from {from}, read {read}");
        }
        assert_eq!(Settings::default().unread_above(Seq::new(5)), Seq::new(5));
    }

    #[test]
    fn what_is_absent_and_what_is_null_are_told_apart() {
        let change = SettingsChange {
            muted_until: Some(None),
            unread_from: Some(Some(Seq::new(3))),
            ..SettingsChange::default()
        };
        let text = serde_json::to_string(&change).unwrap();
        assert_eq!(text, r#"{"muted_until":null,"unread_from":3}"#);
        assert_eq!(serde_json::from_str::<SettingsChange>(&text).unwrap(), change);
        assert_eq!(serde_json::from_str::<SettingsChange>("{}").unwrap(), SettingsChange::default());
    }
}
